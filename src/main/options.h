/* What the program was told, by its command line, its environment and its configuration file, as the library's options
 * and the few things that the program itself wants to know.
 *
 * Every option is a row of one table, from which the parsing, the checks, the messages and the help come. What an
 * option's value leads to is not known here. */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "base/arena.h"
#include "base/why.h"
#include "main/problems.h"
#include "rawhttp.h"

enum { OPTIONS_PROBLEM_SIZE = 320, OPTIONS_WORKERS_MAX = 256, OPTIONS_LISTEN_MAX = 16, OPTIONS_MODULES_MAX = 64,
       OPTIONS_CERTIFICATES_MAX = 256, OPTIONS_ROWS_MAX = 64 };

/* The weaker before the stronger. */
enum origin_kind { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

/* Where a value comes from. */
struct origin {
    enum origin_kind kind;
    unsigned line;        /* of the file */
    const char *variable; /* of the environment, where its name is not made from the option's */
};

/* A host, with the lines of the file in which its parts stand. */
struct host {
    rh_host_options options;
    unsigned line, types_line, error_pages_line; /* 0: nowhere */
    const unsigned *rule_lines;                  /* as many as there are rules */
};

/* A shared object to be loaded (main/module.h). */
struct module_option {
    const char *file, *settings;
    struct origin origin;
};

/* A certificate and its key, each a file. */
struct certificate_option {
    const char *chain, *key, *ocsp; /* NULL: none */
    struct origin origin;
};

struct options {
    rh_options server;         /* for rh_server_new; a zero is the library's default */
    rh_tls_options tls;        /* for rh_tls, if there is anything to speak https with */
    struct certificate_option *certificates; /* certificate_count of them: what tls.certificates are made of */
    size_t certificate_count;
    struct host site;          /* the default host; its root is server.root */
    const struct host *hosts;  /* the others */
    size_t host_count;
    struct module_option *modules; /* module_count of them, in the order in which they begin */
    size_t module_count;
    const char *config;        /* the configuration file; NULL: none */
    const char *health_url;    /* --health: be a client; NULL: serve */
    const char *explain;       /* "METHOD /path"; NULL: serve */
    const char **fields;       /* --header, for --explain: "Name: value" each, field_count of them */
    size_t field_count;
    bool check, print_config;  /* instead of serving */
    bool everywhere;           /* --public */
    bool quiet, help, version;
    char *listen;              /* all addresses: what server.listen points to */
    char *folder;              /* of the configuration file, absolute: what relative paths in it begin with */
    struct origin origins[OPTIONS_ROWS_MAX]; /* one for each row of the table */
    struct problems problems;  /* of the configuration file */
    char problem[OPTIONS_PROBLEM_SIZE];
    struct arena memory;       /* of what was read from the configuration file and is pointed to from above */
};

enum options_outcome {
    OPTIONS_SERVE, OPTIONS_HEALTH, OPTIONS_EXPLAIN, OPTIONS_CHECK, OPTIONS_PRINT, OPTIONS_HELP, OPTIONS_VERSION,
    OPTIONS_WRONG,
};

/* A command line, and an environment as of execve(2). */
struct options_given {
    int argc;
    char *const *argv, *const *environment;
};

/* Always fills in *options. After OPTIONS_WRONG either `problem` is one line that says what to do, or `problems` has
 * what is wrong with the file. --help and --version win over everything behind them; they and --health ask neither the
 * environment nor a file. The strings given must outlive *options. */
enum options_outcome options_parse(struct options *options, const struct options_given *given);
void options_fini(struct options *options);

enum option_kind {
    OPTION_FLAG,    /* bool */
    OPTION_TEXT,    /* const char *, not empty, as are the next four */
    OPTION_FILE,    /* a path on the disk, unless it is one of `words` */
    OPTION_PAGE,    /* a path on the site */
    OPTION_CHECKED, /* what `check` takes; the first of `words`, if there are any, is the default */
    OPTION_CHOICE,  /* one of `words`, the first of which is the default */
    OPTION_ADDRESS, /* appended to `listen` */
    OPTION_FIELD,   /* appended to `fields` */
    OPTION_CERTIFICATE, /* appended to `certificates`, as is the next */
    OPTION_KEY,
    OPTION_MODULE,  /* appended to `modules` */
    OPTION_NUMBER,  /* uint32_t or uint64_t, as are the next two */
    OPTION_SIZE,    /* in bytes */
    OPTION_TIME,    /* in milliseconds */
};

/* Where an option may stand. */
enum option_scope { SCOPE_ALL, SCOPE_OUTSIDE /* not in a file */, SCOPE_FLAG /* on the command line alone */ };

struct option_row {
    const char *name;     /* without the dashes; NULL: the end of the table */
    char letter;          /* short form, or 0 */
    const char *argument; /* what help calls the value; NULL for a flag */
    enum option_kind kind;
    enum option_scope scope;
    size_t offset, width; /* of the field in struct options */
    size_t settled_offset, settled_width; /* of a number: where struct config (server/config.h) has what holds */
    uint64_t min, max;    /* of numbers */
    uint64_t zero;        /* what is stored for a 0, which means "the default" to the library */
    bool (*check)(struct slice text, struct why why); /* false: `why` */
    const char *words;    /* each with a space before and behind, as in the next */
    const char *also;     /* other names under which people look for it */
    const char *group;    /* first of a group: its heading in the help */
    const char *help;     /* lines of at most 49 characters */
};

extern const struct option_row options_table[];

#endif
