/* multipart/form-data (RFC 7578, RFC 2046 5.1) read as it comes, cut anywhere: parts with a name, perhaps a file's name
 * and type, and content of any length, none of which is kept here.
 *
 * It knows neither where the bytes come from nor what becomes of a part. */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include "base/slice.h"

#include <stdint.h>

enum {
    MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 5.1.1 */
    MULTIPART_HEAD_MAX = 4096    /* bytes of the field lines of one part */
};

/* The boundary of "multipart/form-data; boundary=..."; data NULL: it is something else, or has none that is valid. It
 * lies in the value, without quotes. */
struct slice multipart_boundary(struct slice content_type);

enum multipart_result {
    MULTIPART_MORE, /* all is consumed */
    MULTIPART_PART, /* a part begins: name, filename and type are set */
    MULTIPART_DATA, /* `*data` is the next run of its content, valid until the next call */
    MULTIPART_END,  /* the part is whole */
    MULTIPART_DONE, /* the form is; what follows is not looked at */
    MULTIPART_BAD   /* it is not in this form; a part has no name, or what says it stands
                       twice or is malformed; a part's head is too long. Stays so */
};

struct multipart {
    uint8_t state;
    uint8_t delimiter_size;
    uint8_t matched;  /* bytes of the delimiter that have been seen, and may turn out to be content */
    uint16_t head_size;
    struct slice name, filename, type; /* of the part, valid until the next one; data NULL where absent */
    char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF - - boundary */
    char head[MULTIPART_HEAD_MAX];
};

void multipart_init(struct multipart *multipart, struct slice boundary);

/* Takes from the front of `*bytes` and moves it on. */
enum multipart_result multipart_next(struct multipart *multipart, struct slice *bytes, struct slice *data);

/* Whether the form may end here. */
bool multipart_whole(const struct multipart *multipart);

#endif
