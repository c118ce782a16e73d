/* Base64 (RFC 4648 part 4) to the letter: with its padding, without line breaks, and no bit set that means nothing
 * (3.5), so that bytes have one form only. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/writer.h"

/* False: that is not base64, or it is more than `room` bytes. The empty text is no bytes. */
bool base64_decode(struct slice text, char *out, size_t room, size_t *size);

void base64_write(struct writer *w, struct slice bytes);

#endif
