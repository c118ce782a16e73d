/* Configuration files: whatever an operator pastes is read or refused with a line, and what was read, shown as
 * --print-config shows it, is read again and shown as the same. */
#include <stdio.h>
#include <stdlib.h>

#include "main/config_file.h"
#include "main/config_text.h"
#include "main/print_config.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

/* As options_parse would; the result of reading. */
static bool read_config(struct options *options, struct slice text)
{
    *options = (struct options){ .server = { .access_log = "-", .root = "/" }, .config = "fuzz.conf" };
    options->folder = strdup("/etc/site");
    arena_init(&options->memory, NULL, 0, 64 << 20);
    bool taken = config_file_parse(options, text);
    options->server.listen = options->listen ? options->listen : "localhost:8080";
    return taken;
}

static void check_problems(const struct problems *problems, struct slice text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    CHECK(problems->count > 0);
    for (unsigned i = 0; i < problems->count; i++) {
        CHECK(problems->at[i].text[0] != '\0');
        CHECK(problems->at[i].line >= 1 && problems->at[i].line <= lines);
        CHECK(i == 0 || problems->at[i].line >= problems->at[i - 1].line);
    }
}

/* What --print-config prints; NULL: the library refuses what several options make together. */
static char *show(const struct options *options)
{
    struct config config;
    char why[CONFIG_WHY_SIZE], *page = NULL;
    size_t size;
    FILE *out = open_memstream(&page, &size);
    CHECK(out);
    bool known = config_init(&config, &options->server, why);
    if (known)
        CHECK(print_config(options, &config, out));
    config_fini(&config);
    fclose(out);
    if (known)
        return page;
    free(page);
    return NULL;
}

static void cut_comments(char *page)
{
    char *to = page;
    bool quoted = false;
    for (const char *at = page; *at; at++) {
        if (*at == '\\') {
            *to++ = *at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (*at == '#' && !quoted) {
            at += strcspn(at, "\n");
            while (to > page && to[-1] == ' ')
                to--;
        }
        *to++ = *at;
    }
    *to = '\0';
}

static void check_shown(const struct options *options)
{
    struct options again;
    char *page = show(options);
    if (!page)
        return;
    CHECK(read_config(&again, slice_text(page)));
    char *second = show(&again);
    CHECK(second);
    cut_comments(page);
    cut_comments(second);
    CHECK(strcmp(page, second) == 0);
    options_fini(&again);
    free(page);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct options options;
    if (size > CONFIG_TEXT_MAX)
        return 0;
    if (read_config(&options, text))
        check_shown(&options);
    else
        check_problems(&options.problems, text);
    options_fini(&options);
    return 0;
}
