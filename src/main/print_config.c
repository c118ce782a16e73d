/* What holds and where it comes from. See print_config.h. */
#include "main/print_config.h"

#include "main/option_set.h"
#include "main/suggest.h"
#include "main/value.h"

#include <stdlib.h>
#include <string.h>

enum { COMMENT_COLUMN = 48 };

/* A page in the making: in memory, where columns can be counted, so that comments stand in one. */
struct print {
    const struct options *options;
    const struct config *config;
    FILE *out;
    char *text;
    size_t size, start; /* of `text`, and where its last line begins; right after a flush */
    char *folder;       /* the current one */
    const char *indent;
};

/* ---- Pieces ---- */

/* A control, which the name of a file may have, would end the line or reach the terminal as a command; the syntax has
 * no way to write one. */
static void put_plain(struct print *print, char c)
{
    fputc((unsigned char)c < ' ' || c == 0x7f ? '?' : c, print->out);
}

static void put_text(struct print *print, const char *text, size_t size)
{
    fputc('"', print->out);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"' || text[i] == '\\')
            fputc('\\', print->out);
        put_plain(print, text[i]);
    }
    fputc('"', print->out);
}

static void put_string(struct print *print, const char *text)
{
    put_text(print, text, strlen(text));
}

/* "./site" and "site" in the folder where the program was started. */
static char *join(const struct print *print, const char *path)
{
    char *joined = NULL;
    const char *name = strcmp(path, ".") == 0 ? "" : strncmp(path, "./", 2) == 0 ? path + 2 : path;
    bool apart = *name && strcmp(print->folder, "/") != 0;
    return asprintf(&joined, "%s%s%s", print->folder, apart ? "/" : "", name) < 0 ? NULL : joined;
}

static void put_path(struct print *print, const char *prefix, const char *path)
{
    char *joined = path[0] == '/' ? strdup(path) : join(print, path), *whole = NULL;
    if (joined && asprintf(&whole, "%s%s", prefix, joined) >= 0)
        put_string(print, whole);
    free(whole);
    free(joined);
}

static void put_origin(struct print *print, const struct option_row *row, struct origin origin)
{
    char label[OPTION_LABEL_SIZE];
    switch (origin.kind) {
    case ORIGIN_DEFAULT:
        fputs("default", print->out);
        break;
    case ORIGIN_FILE:
        fputs("file ", print->out);
        for (const char *at = print->options->config; at && *at; at++)
            put_plain(print, *at);
        fprintf(print->out, ":%u", origin.line);
        break;
    case ORIGIN_ENVIRONMENT:
        fprintf(print->out, "environment %s", option_label(row, origin, label));
        break;
    case ORIGIN_FLAG:
        fputs("flag", print->out);
        break;
    }
}

/* Writes `#`, at its column where that is still free. */
static void begin_comment(struct print *print)
{
    fflush(print->out);
    int space = COMMENT_COLUMN - (int)(print->size - print->start);
    fprintf(print->out, "%*s# ", space > 1 ? space : 1, "");
}

static void end_line(struct print *print)
{
    fputc('\n', print->out);
    fflush(print->out);
    print->start = print->size;
}

static void begin(struct print *print, const char *key)
{
    fprintf(print->out, "%s%s = ", print->indent, key);
}

static void end_with_line_number(struct print *print, unsigned line)
{
    begin_comment(print);
    put_origin(print, NULL, (struct origin){ .kind = ORIGIN_FILE, .line = line });
    end_line(print);
}

/* ---- Options ---- */

/* What the library has made of it: its defaults come from the machine. */
static uint64_t settled(const struct print *print, const struct option_row *row)
{
    const char *field = (const char *)print->config + row->settled_offset;
    if (row->settled_width == sizeof(uint64_t))
        return *(const uint64_t *)(const void *)field;
    return *(const uint32_t *)(const void *)field;
}

static void put_size(struct print *print, const struct option_row *row)
{
    char text[VALUE_TEXT_SIZE];
    uint64_t value = settled(print, row);
    put_string(print, value_size_exact_text(row->zero && value == row->zero ? 0 : value, text));
}

static void put_time(struct print *print, const struct option_row *row)
{
    char text[VALUE_TEXT_SIZE];
    put_string(print, value_time_exact_text(settled(print, row), text));
}

static void put_addresses(struct print *print)
{
    static const char local[] = "unix:";
    const char *at = print->options->server.listen;
    fputc('{', print->out);
    for (const char *between = ""; *at; between = ", ") {
        char *address = strndup(at, strcspn(at, " "));
        fputs(between, print->out);
        if (address && strncmp(address, local, strlen(local)) == 0)
            put_path(print, local, address + strlen(local));
        else if (address)
            put_string(print, address);
        at += strcspn(at, " ");
        at += strspn(at, " ");
        free(address);
    }
    fputc('}', print->out);
}

static void put_choice(struct print *print, const struct option_row *row, const char *text)
{
    if (text)
        put_string(print, text);
    else
        put_text(print, row->words + 1, strcspn(row->words + 1, " "));
}

static void put_value(struct print *print, const struct option_row *row)
{
    const void *field = (const char *)print->options + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        fputs(*(const bool *)field ? "true" : "false", print->out);
        break;
    case OPTION_CHOICE:
    case OPTION_CHECKED:
        put_choice(print, row, *(const char *const *)field);
        break;
    case OPTION_FILE:
        if (suggest_lists(row->words, *(const char *const *)field))
            put_string(print, *(const char *const *)field);
        else
            put_path(print, "", *(const char *const *)field);
        break;
    case OPTION_TEXT:
    case OPTION_PAGE:
    case OPTION_FIELD:
        put_string(print, *(const char *const *)field);
        break;
    case OPTION_ADDRESS:
        put_addresses(print);
        break;
    case OPTION_NUMBER:
        fprintf(print->out, "%llu", (unsigned long long)settled(print, row));
        break;
    case OPTION_SIZE:
        put_size(print, row);
        break;
    case OPTION_TIME:
        put_time(print, row);
        break;
    case OPTION_CERTIFICATE: /* each is a section, as is the next but one */
    case OPTION_KEY:
    case OPTION_MODULE:
        break;
    }
}

static bool is_missing(const struct print *print, const struct option_row *row)
{
    const void *field = (const char *)print->options + row->offset;
    bool text = row->kind == OPTION_FILE || row->kind == OPTION_PAGE || row->kind == OPTION_TEXT ||
                (row->kind == OPTION_CHECKED && !row->words);
    return text && *(const char *const *)field == NULL;
}

/* The access log is off where there is none; other texts that are not there have no way to be written. */
static void print_option(struct print *print, const struct option_row *row)
{
    char key[OPTION_LABEL_SIZE];
    option_label(row, (struct origin){ .kind = ORIGIN_FILE }, key);
    if (!is_missing(print, row)) {
        begin(print, key);
        put_value(print, row);
    } else if (suggest_lists(row->words, "off")) {
        begin(print, key);
        put_string(print, "off");
    } else {
        fprintf(print->out, "# %s is not set", key);
    }
    begin_comment(print);
    put_origin(print, row, print->options->origins[row - options_table]);
    end_line(print);
}

/* --public has gone into the addresses. */
static bool is_printed(const struct print *print, const struct option_row *row)
{
    return row->scope == SCOPE_ALL && (const char *)print->options + row->offset !=
                                          (const char *)&print->options->everywhere;
}

/* ---- Hosts ---- */

static void print_text(struct print *print, const char *key, const char *text)
{
    if (!text)
        return;
    begin(print, key);
    put_string(print, text);
    end_line(print);
}

static void print_path(struct print *print, const char *key, const char *path)
{
    if (!path)
        return;
    begin(print, key);
    put_path(print, "", path);
    end_line(print);
}

static void put_list(struct print *print, const char *key, const char *const *list)
{
    begin(print, key);
    fputc('{', print->out);
    for (const char *between = ""; *list; between = ", ") {
        fputs(between, print->out);
        put_string(print, *list++);
    }
    fputc('}', print->out);
}

static void begin_section(struct print *print, const char *key, const char *title, unsigned line)
{
    fprintf(print->out, "%s%s ", print->indent, key);
    put_string(print, title);
    fputs(" {", print->out);
    end_with_line_number(print, line);
}

static void print_rule(struct print *print, const rh_rule *rule, unsigned line)
{
    const char *outer = print->indent;
    begin_section(print, "rule", rule->path, line);
    print->indent = *outer ? "        " : "    ";
    print_text(print, "redirect", rule->redirect);
    print_text(print, "rewrite", rule->rewrite);
    if (rule->status) {
        fprintf(print->out, "%sstatus = %u", print->indent, rule->status);
        end_line(print);
    }
    print_text(print, "cache_control", rule->cache_control);
    if (rule->headers) {
        put_list(print, "headers", rule->headers);
        end_line(print);
    }
    print_text(print, "cors", rule->cors);
    print_path(print, "basic_auth", rule->basic_auth);
    print->indent = outer;
    fprintf(print->out, "%s}", print->indent);
    end_line(print);
}

static void print_content(struct print *print, const struct host *host)
{
    if (host->options.types) {
        put_list(print, "types", host->options.types);
        end_with_line_number(print, host->types_line);
    }
    if (host->options.error_pages) {
        put_list(print, "error_pages", host->options.error_pages);
        end_with_line_number(print, host->error_pages_line);
    }
    for (size_t i = 0; i < host->options.rule_count; i++)
        print_rule(print, &host->options.rules[i], host->rule_lines[i]);
}

static void print_host(struct print *print, const struct host *host)
{
    begin_section(print, "host", host->options.names, host->line);
    print->indent = "    ";
    print_path(print, "root", host->options.root);
    print_text(print, "fallback", host->options.fallback);
    fprintf(print->out, "%slist = %s", print->indent, host->options.list ? "true" : "false");
    end_line(print);
    print_content(print, host);
    print->indent = "";
    fputc('}', print->out);
    end_line(print);
}

static void print_certificate(struct print *print, const struct certificate_option *certificate)
{
    fputs("certificate ", print->out);
    put_path(print, "", certificate->chain);
    fputs(" {", print->out);
    begin_comment(print);
    put_origin(print, option_find("tls-cert", strlen("tls-cert")), certificate->origin);
    end_line(print);
    print->indent = "    ";
    print_path(print, "key", certificate->key);
    print_path(print, "ocsp", certificate->ocsp);
    print->indent = "";
    fputc('}', print->out);
    end_line(print);
}

static void print_module(struct print *print, const struct module_option *module)
{
    fputs("module ", print->out);
    put_path(print, "", module->file);
    fputs(" {", print->out);
    begin_comment(print);
    put_origin(print, option_find("module", strlen("module")), module->origin);
    end_line(print);
    print->indent = "    ";
    print_text(print, "settings", *module->settings ? module->settings : NULL);
    print->indent = "";
    fputc('}', print->out);
    end_line(print);
}

static void print_all(struct print *print)
{
    for (const struct option_row *row = options_table; row->name; row++)
        if (is_printed(print, row))
            print_option(print, row);
    for (size_t i = 0; i < print->options->certificate_count; i++)
        print_certificate(print, &print->options->certificates[i]);
    for (size_t i = 0; i < print->options->module_count; i++)
        print_module(print, &print->options->modules[i]);
    print_content(print, &print->options->site);
    for (size_t i = 0; i < print->options->host_count; i++)
        print_host(print, &print->options->hosts[i]);
}

bool print_config(const struct options *options, const struct config *config, FILE *out)
{
    struct print print = { .options = options, .config = config, .indent = "" };
    print.folder = realpath(".", NULL);
    print.out = open_memstream(&print.text, &print.size);
    bool ready = print.folder && print.out;
    if (ready)
        print_all(&print);
    ready = print.out && !ferror(print.out) && fclose(print.out) == 0 && ready;
    if (ready)
        fwrite(print.text, 1, print.size, out);
    free(print.text);
    free(print.folder);
    return ready;
}
