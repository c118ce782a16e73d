/* HTTP Strict Transport Security (RFC 6797): for how long a browser shall come to this host by https alone. From what a
 * person writes to the value of the field; which host says what is not known here. */
#ifndef HTTP_HSTS_H
#define HTTP_HSTS_H

#include "base/why.h"
#include "base/writer.h"

#define HSTS_NAME "Strict-Transport-Security"

enum {
    HSTS_VALUE_MAX = 64,              /* bytes of any value */
    HSTS_AGE_MAX = 100 * 365 * 86400u /* seconds: more is a slip of the pen */
};

struct exchange;

/* The response goes over TLS (RFC 6797 7.2: over that alone) and does not say it itself: who does has the word (7.1:
 * once). */
bool hsts_owed(const struct exchange *exchange);

/* "31536000", "31536000 includeSubDomains preload", or the field's own "max-age=31536000; includeSubDomains": seconds,
 * then words in any letter case. 0 tells browsers to forget it (6.1.1). False: `why`; nothing was written. */
bool hsts_parse(struct slice text, struct writer *value, struct why why) __attribute__((warn_unused_result));

#endif
