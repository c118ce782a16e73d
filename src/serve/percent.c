/* Percent-encoding. It does not know what the text names, and decoding is target's. */
#include "serve/percent.h"

static bool stays(unsigned char c, const char *marks)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return true;
    return c != 0 && strchr(marks, c) != NULL;
}

/* Letters, digits and `marks` stay. */
static void escape(struct writer *w, struct slice text, const char *marks)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char escaped[] = { '%', digits[c >> 4], digits[c & 15] };
        if (stays(c, marks))
            writer_byte(w, (char)c);
        else
            writer_bytes(w, escaped, sizeof escaped);
    }
}

/* pchar and "/" (RFC 3986 3.3), without "%" itself. */
void percent_write(struct writer *w, struct slice path)
{
    escape(w, path, "-._~!$&'()*+,;=:@/");
}

void percent_write_query(struct writer *w, struct slice text)
{
    escape(w, text, "-._~");
}

void percent_write_uri(struct writer *w, struct slice text)
{
    escape(w, text, "-._~!$&'()*+,;=:@/?%");
}
