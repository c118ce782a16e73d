/* What was logged, as one text: a line each, with a line break behind it. */
#ifndef TESTS_TOLD_H
#define TESTS_TOLD_H

#include "base/log.h"
#include "base/writer.h"

struct told {
    struct log log;
    struct writer w;
    char text[8192];
};

static inline void told_line(void *user, enum log_level level, const char *line)
{
    struct told *told = user;
    (void)level;
    writer_text(&told->w, line);
    writer_byte(&told->w, '\n');
}

static inline const struct log *told_begin(struct told *told)
{
    told->w = writer_on(told->text, sizeof told->text);
    told->log = (struct log){ told_line, told };
    return &told->log;
}

/* The text so far, NUL-terminated. */
static inline const char *told_text(struct told *told)
{
    if (told->w.at < told->w.end)
        *told->w.at = '\0';
    return told->text;
}

#endif
