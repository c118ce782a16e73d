/* Names with passwords and their hashes, and credentials as a client sends them, for tests of basic authentication. */
#ifndef TESTS_UNIT_CREDENTIALS_H
#define TESTS_UNIT_CREDENTIALS_H

#include <stdio.h>
#include <string.h>

/* Passwords "secret" and "geheim". */
#define ANNA "anna:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C\n"
#define BERTA "berta:$2y$04$abcdefghijklmnopqrstuuPWRtT5yx7FBi4dcf6ROhboeNunUrLQ.\n"

/* base64, with its padding. Valid until the next call. */
static inline const char *credentials(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static _Thread_local char out[1024];
    size_t size = strlen(text), used = 0;
    for (size_t at = 0; at < size; at += 3) {
        unsigned bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (at + i < size ? (unsigned char)text[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            out[used++] = at + i <= size ? digits[bits >> (18 - 6 * i) & 63] : '=';
    }
    out[used] = '\0';
    return out;
}

#endif
