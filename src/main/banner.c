/* What a person sees once the server listens. See banner.h. */
#include "main/banner.h"

#include "main/value.h"

#include <stdlib.h>
#include <string.h>

/* An address of rh_options in the words of a browser. A wildcard address is no place to go to: the way to it is
 * localhost. */
static const struct wildcard {
    const char *host, *shown, *note;
} wildcards[] = {
    { "", "localhost", "all interfaces" },
    { "*", "localhost", "all interfaces" },
    { "0.0.0.0", "localhost", "all IPv4 interfaces" },
    { "[::]", "localhost", "all IPv6 interfaces" },
};

static const struct wildcard *find_wildcard(const char *host, size_t size)
{
    for (size_t i = 0; i < sizeof wildcards / sizeof *wildcards; i++)
        if (strlen(wildcards[i].host) == size && memcmp(wildcards[i].host, host, size) == 0)
            return &wildcards[i];
    return NULL;
}

/* `port` is what the kernel chose for a port 0; 0 where that is not known. */
static void print_place(FILE *out, const char *address, size_t size, unsigned port)
{
    static const char https[] = "https://";
    bool secure = size > strlen(https) && strncmp(address, https, strlen(https)) == 0;
    address += secure ? strlen(https) : 0;
    size -= secure ? strlen(https) : 0;
    const char *colon = memrchr(address, ':', size);
    if (!colon || strncmp(address, "unix:", 5) == 0) {
        fprintf(out, "%.*s", (int)size, address);
        return;
    }
    size_t host_size = (size_t)(colon - address);
    const struct wildcard *wildcard = find_wildcard(address, host_size);
    unsigned long asked = strtoul(colon + 1, NULL, 10);
    if (asked != 0)
        port = (unsigned)asked;
    fputs(secure ? https : "http://", out);
    if (wildcard)
        fputs(wildcard->shown, out);
    else
        fprintf(out, "%.*s", (int)host_size, address);
    if (port != (secure ? 443 : 80))
        fprintf(out, ":%u", port);
    if (wildcard)
        fprintf(out, " (%s)", wildcard->note);
}

static void print_places(const struct banner *banner, FILE *out, const char *between)
{
    const char *at = banner->listen + strspn(banner->listen, " ");
    for (unsigned port = banner->port; *at; port = 0) {
        size_t size = strcspn(at, " ");
        print_place(out, at, size, port);
        at += size;
        at += strspn(at, " ");
        if (*at)
            fputs(between, out);
    }
}

static void print_pages(const rh_site_info *site, FILE *out)
{
    char all[VALUE_TEXT_SIZE], held[VALUE_TEXT_SIZE];
    value_size_text(site->bytes, all);
    value_size_text(site->bytes_in_memory, held);
    fprintf(out, "%zu %s, %s, ", site->pages, site->pages == 1 ? "page" : "pages", all);
    if (site->pages_in_memory == site->pages)
        fputs("all in memory", out);
    else
        fprintf(out, "%zu of them (%s) in memory", site->pages_in_memory, held);
}

void banner_print(const struct banner *banner, FILE *out)
{
    fprintf(out, "\n  \033[1mrawhttpd %s\033[0m\n\n  Folder   %s\n  Address  \033[36m", RH_VERSION, banner->folder);
    print_places(banner, out, "\n           ");
    fputs("\033[0m\n  Content  ", out);
    print_pages(&banner->site, out);
    fprintf(out, "\n  Workers  %u\n\n  Press Ctrl+C to stop.\n\n", banner->workers);
}

void banner_print_line(const struct banner *banner, FILE *out)
{
    fputs("listening on ", out);
    print_places(banner, out, ", ");
    fprintf(out, "; serving %s: ", banner->folder);
    print_pages(&banner->site, out);
}
