/* A run of bytes that somebody else owns: a pointer and a size, never a terminating NUL.
 *
 * Everything parsed in this project is a slice into the bytes that arrived; nothing is cut up or copied
 * to look at it. C strings appear only at the system call. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *data;
    size_t size;
};

/* NULL plus zero is NULL on every machine and, since N3322, in the C standard; clang's sanitizer does not know yet. */
#define SLICE_NULL_PLUS_ZERO __attribute__((no_sanitize("pointer-overflow")))

#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })
#define SLICE_INIT(literal) { "" literal, sizeof(literal) - 1 } /* for static tables */

static inline struct slice slice_make(const char *data, size_t size)
{
    return (struct slice){ data, size };
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

/* The bytes of `whole` from `from` up to but without `to`; both must lie within it. */
SLICE_NULL_PLUS_ZERO static inline struct slice slice_part(struct slice whole, size_t from, size_t to)
{
    return (struct slice){ whole.data + from, to - from };
}

SLICE_NULL_PLUS_ZERO static inline struct slice slice_skip(struct slice whole, size_t count)
{
    return (struct slice){ whole.data + count, whole.size - count };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool slice_starts(struct slice whole, struct slice start)
{
    return whole.size >= start.size && (start.size == 0 || memcmp(whole.data, start.data, start.size) == 0);
}

static inline bool slice_ends(struct slice whole, struct slice end)
{
    return whole.size >= end.size &&
           (end.size == 0 || memcmp(whole.data + whole.size - end.size, end.data, end.size) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Equal but for the case of ASCII letters: field names, hosts, tokens such as "chunked". */
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

/* Without leading and trailing optional white space (RFC 9110 5.6.3). */
static inline struct slice slice_trim(struct slice s)
{
    while (s.size > 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_skip(s, 1);
    while (s.size > 0 && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t'))
        s.size--;
    return s;
}

/* Where `c` first stands, or the size where it does not. */
static inline size_t slice_find(struct slice s, char c)
{
    const char *at = s.size ? memchr(s.data, c, s.size) : NULL;
    return at ? (size_t)(at - s.data) : s.size;
}

/* Takes the next word of a text whose words are separated by spaces and tabs. False at the end: an empty word. */
static inline bool slice_word(struct slice *rest, struct slice *word)
{
    struct slice text = slice_trim(*rest);
    size_t size = 0;
    while (size < text.size && text.data[size] != ' ' && text.data[size] != '\t')
        size++;
    *word = slice_part(text, 0, size);
    *rest = slice_skip(text, size);
    return size > 0;
}

/* Decimal digits only, no sign, no space, no overflow; false otherwise. */
static inline bool slice_uint(struct slice s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.size == 0)
        return false;
    for (size_t i = 0; i < s.size; i++) {
        unsigned digit = (unsigned)(s.data[i] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

#endif
