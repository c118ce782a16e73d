/* Which bytes are well-formed UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF
 * (RFC 3629 part 4). It knows nothing of what the characters mean. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/slice.h"

/* The size in bytes, 1 to 4, of the character at the start of `text`; 0: empty, or not well-formed there. */
size_t utf8_size(struct slice text);

/* The same; 0 also where a line for people cannot have it: controls, which a terminal obeys (C0, DEL, and C1 too),
 * other ends of a line (U+2028, U+2029), and what makes letters run backwards (U+202A to U+202E, U+2066 to U+2069). */
size_t utf8_shown(struct slice text);

bool utf8_valid(struct slice text);

/* The same for text that comes in pieces, cut anywhere. All zero at the start; between characters again where `left`
 * is 0. */
struct utf8_run {
    uint8_t left;                   /* bytes of the character that has begun */
    uint8_t second_min, second_max; /* what the next of them may be, where it is the second */
};

/* False as soon as nothing that could follow would make it well-formed. */
bool utf8_continue(struct utf8_run *run, struct slice piece);

#endif
