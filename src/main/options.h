/* The command line, read into the library's options and the few things that the program itself wants to know.
 *
 * Every option is a row of one table, from which the parsing, the checks, the messages and the help come. What an
 * option's value leads to is not known here. */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "rawhttp.h"

enum { OPTIONS_PROBLEM_SIZE = 320, OPTIONS_WORKERS_MAX = 256 };

struct options {
    rh_options server;      /* for rh_server_new; a zero is the library's default */
    const char *health_url; /* --health: be a client; NULL: serve */
    bool everywhere;        /* --public */
    bool quiet, help, version;
    char *listen;           /* the addresses of all --listen: what server.listen points to */
    char problem[OPTIONS_PROBLEM_SIZE];
};

enum options_outcome { OPTIONS_SERVE, OPTIONS_HEALTH, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/* Always fills in *options; after OPTIONS_WRONG, problem is one line that says what to do. --help and --version win
 * over everything behind them. The strings of argv must outlive *options. */
enum options_outcome options_parse(struct options *options, int argc, char *const *argv);
void options_fini(struct options *options);

enum option_kind {
    OPTION_FLAG,    /* bool */
    OPTION_TEXT,    /* const char *, not empty */
    OPTION_ADDRESS, /* appended to `listen` */
    OPTION_NUMBER,  /* uint32_t or uint64_t, as are the next two */
    OPTION_SIZE,    /* in bytes */
    OPTION_TIME,    /* in milliseconds */
};

struct option_row {
    const char *name;     /* without the dashes; NULL: the end of the table */
    char letter;          /* short form, or 0 */
    const char *argument; /* what help calls the value; NULL for a flag */
    enum option_kind kind;
    size_t offset, width; /* of the field in struct options */
    uint64_t min, max;    /* of numbers */
    uint64_t zero;        /* what is stored for a 0, which means "the default" to the library */
    const char *also;     /* other words under which people look for it, each with a space before and behind */
    const char *group;    /* first of a group: its heading in the help */
    const char *help;     /* lines of at most 49 characters */
};

extern const struct option_row options_table[];

#endif
