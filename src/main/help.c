/* The text of --help and --version, made from the table of options: at most 80 columns wide. */
#include "main/help.h"

#include "main/options.h"

#include <string.h>

enum { HELP_COLUMN = 31 }; /* where the explanations begin: behind the longest option and two spaces */

static void print_row(FILE *out, const struct option_row *row)
{
    int used = row->letter ? fprintf(out, "  -%c, --%s", row->letter, row->name)
                           : fprintf(out, "      --%s", row->name);
    if (row->argument)
        used += fprintf(out, " %s", row->argument);
    for (const char *line = row->help; *line;) {
        int size = (int)strcspn(line, "\n");
        fprintf(out, "%*s%.*s\n", HELP_COLUMN - used, "", size, line);
        line += size + (line[size] == '\n');
        used = 0;
    }
}

void help_print(FILE *out)
{
    fputs("Usage: rawhttpd [OPTION]... [DIR]\n"
          "Put the files in DIR (default: the current folder) on the web, at\n"
          "http://localhost:8080 unless told otherwise.\n", out);
    for (const struct option_row *row = options_table; row->name; row++) {
        if (row->group)
            fprintf(out, "\n%s\n", row->group);
        print_row(out, row);
    }
    fputs("\nOptions take their value as --workers 4 or --workers=4; -- ends them.\n"
          "SIZE is in bytes, or as 64K, 256M, 1G. TIME is in seconds, or as 500ms, 10s, 2m.\n"
          "Ctrl+C (or SIGTERM) finishes what is in flight and stops; a second one stops\n"
          "at once. Exit status: 0 stopped as told, 1 could not start or was cut short,\n"
          "2 wrong usage. More in rawhttpd(1).\n", out);
}

void help_print_version(FILE *out)
{
    fputs("rawhttpd " RH_VERSION "\n", out);
}
