/* Whether a file's name has a hash of its content in it, as build tools make them: then what is behind an address
 * never changes, because what changes gets another one.
 *
 * To take an ordinary name for such a one is far worse than the other way round: browsers would keep the file for a
 * year. So what could be a word, a number, a date or a version is none, also where it is a hash: of eight random
 * hexadecimal digits one in ten looks like that, of eight capitals and digits one in five, of base64url one in three
 * (mostly because there is no digit in them), and those files are asked for again, no more. Of the 174,000 names on a
 * Debian system 30 without a hash are taken for such a one, none of them a file of a web site. */
#ifndef SERVE_HASHED_NAME_H
#define SERVE_HASHED_NAME_H

#include "base/slice.h"

/* `path` or a name alone. Only scripts, style sheets, fonts, images, sound and films have hashes in their names: pages
 * and documents do not, whatever they are called. */
bool hashed_name(struct slice path);

#endif
