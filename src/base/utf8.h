/* Which bytes are well-formed UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF
 * (RFC 3629 part 4). It knows nothing of what the characters mean. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

/* The size in bytes, 1 to 4, of the character at the start of `text`; 0: empty, or not well-formed there. */
size_t utf8_size(struct slice text);

bool utf8_valid(struct slice text);

#endif
