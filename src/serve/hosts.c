/* Names lie in two tables, those beneath a star by what follows it. Where there is one name and no star, which is
 * usual, it is compared and nothing is hashed. */
#include "serve/hosts.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/writer.h"
#include "http/target.h"
#include "serve/literals.h"

struct name {
    int place;
    uint8_t size;
    char text[]; /* canonical; of a star: without "*." */
};

struct hosts {
    struct literals exact, starred; /* canonical text -> name */
    const struct name *only;        /* the one name, where it is exact and a name: no address */
    int fallback;
    size_t star_size_max;           /* what is longer is beneath no star */
    size_t name_count;
    struct name *names[];           /* room for all of them */
};

/* ---- Canonical names ---- */

struct canonical {
    size_t size; /* 0: it is none */
    char text[HOSTS_NAME_SIZE_MAX];
};

_Static_assert((int)HOSTS_NAME_SIZE_MAX > (int)INET6_ADDRSTRLEN + 1, "an address in brackets has room");

static inline struct slice text_of(const struct canonical *canonical)
{
    return slice_make(canonical->text, canonical->size);
}

/* `text` without brackets as RFC 5952 writes it, in brackets. */
static void write_ipv6(struct canonical *canonical, struct slice text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.size >= sizeof copy)
        return;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0'; /* inet_pton wants one */
    if (inet_pton(AF_INET6, copy, &address) != 1 || !inet_ntop(AF_INET6, &address, copy, sizeof copy))
        return;
    struct writer w = writer_on(canonical->text, sizeof canonical->text);
    writer_byte(&w, '[');
    writer_text(&w, copy);
    writer_byte(&w, ']');
    canonical->size = writer_used(&w);
}

/* The host in an authority, without the port and the dot that may end a name. */
static struct slice host_of(struct slice authority)
{
    struct slice host = authority;
    if (host.size > 0 && host.data[0] == '[') {
        size_t close = slice_find(host, ']');
        host.size = close < host.size ? close + 1 : close;
        return host;
    }
    host.size = slice_find(host, ':');
    if (slice_ends(host, SLICE(".")))
        host.size--;
    return host;
}

static bool is_address(struct slice host)
{
    return host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
}

/* None: it is too long for a name, or not an address. */
static void make_canonical(struct canonical *canonical, struct slice host)
{
    canonical->size = 0;
    if (is_address(host)) {
        write_ipv6(canonical, slice_part(host, 1, host.size - 1));
        return;
    }
    if (host.size > sizeof canonical->text)
        return;
    for (size_t i = 0; i < host.size; i++)
        canonical->text[i] = ascii_lower(host.data[i]);
    canonical->size = host.size;
}

/* ---- Looking up ---- */

/* What follows each dot, the longest first. */
static const struct name *find_star(const struct hosts *hosts, struct slice host)
{
    const struct name *found = NULL;
    while (!found) {
        size_t dot = slice_find(host, '.');
        if (dot == host.size)
            return NULL;
        bool beneath = dot > 0;
        host = slice_skip(host, dot + 1);
        if (beneath && host.size <= hosts->star_size_max)
            found = literals_find(&hosts->starred, host);
    }
    return found;
}

static const struct name *find_canonical(const struct hosts *hosts, struct slice host)
{
    struct canonical canonical;
    make_canonical(&canonical, host);
    const struct name *name = literals_find(&hosts->exact, text_of(&canonical));
    if (!name && hosts->star_size_max > 0)
        name = find_star(hosts, text_of(&canonical));
    return name;
}

/* Browsers send names in small letters, so most are found as they are: 159 instructions instead of 258. */
int hosts_search(const struct hosts *hosts, struct slice authority)
{
    struct slice host = host_of(authority);
    const struct name *name = hosts->only;
    if (name) {
        struct slice text = slice_make(name->text, name->size);
        return slice_equal(host, text) || slice_equal_nocase(host, text) ? name->place : hosts->fallback;
    }
    name = literals_find(&hosts->exact, host);
    if (!name)
        name = find_canonical(hosts, host);
    return name ? name->place : hosts->fallback;
}

/* ---- Building ---- */

static bool label_valid(struct slice label)
{
    for (size_t i = 0; i < label.size; i++) {
        char c = ascii_lower(label.data[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return label.size > 0 && label.size <= 63;
}

static bool labels_valid(struct slice name)
{
    for (;;) {
        size_t dot = slice_find(name, '.');
        if (!label_valid(slice_part(name, 0, dot)))
            return false;
        if (dot == name.size)
            return true;
        name = slice_skip(name, dot + 1);
    }
}

static bool beyond_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] >= 0x80)
            return true;
    return false;
}

/* `word` without star and final dot is `name`. */
static bool check_name(struct slice word, struct slice name, struct why why)
{
    if (slice_equal(word, SLICE("*")))
        return why_refuse(why, word, "the host without names is the one for all others; leave the names out");
    if (memmem(word.data, word.size, "://", 3) || slice_find(word, '/') < word.size)
        return why_refuse(why, word, "write the name alone, without https:// and path");
    if (is_address(name))
        return authority_valid(name) || why_refuse(why, word, "there is no valid address in the brackets");
    if (name.size > 0 && slice_find(name, ':') < name.size)
        return why_refuse(why, word, "a name holds for every port, so it has none; an IPv6 address stands in brackets");
    if (slice_find(name, '*') < name.size)
        return why_refuse(why, word, "a star stands alone in front, with a dot behind; write for example "
                          "*.example.org");
    if (beyond_ascii(name))
        return why_refuse(why, word, "clients send such a name in its ASCII form; write that, which begins with xn--");
    if (name.size > HOSTS_NAME_SIZE_MAX || !labels_valid(name))
        return why_refuse(why, word, "this is not the name of a host; write for example www.example.org");
    return true;
}

static bool keep(struct hosts *hosts, struct literals *table, struct slice text, int place)
{
    struct name *name = malloc(sizeof *name + text.size);
    if (!name)
        return false;
    name->place = place;
    name->size = (uint8_t)text.size;
    memcpy(name->text, text.data, text.size);
    if (!literals_add(table, slice_make(name->text, text.size), name)) {
        free(name);
        return false;
    }
    hosts->names[hosts->name_count++] = name;
    return true;
}

static bool add_name(struct hosts *hosts, struct slice word, int place, struct why why)
{
    bool star = slice_starts(word, SLICE("*."));
    struct slice name = slice_skip(word, star ? 2 : 0);
    struct literals *table = star ? &hosts->starred : &hosts->exact;
    if (name.size > 1 && slice_ends(name, SLICE(".")))
        name.size--;
    if (!check_name(word, name, why))
        return false;
    if (star && is_address(name))
        return why_refuse(why, word, "no name is beneath an address; leave out the star");

    struct canonical canonical;
    make_canonical(&canonical, name);
    if (literals_find(table, text_of(&canonical)))
        return why_refuse(why, word, "two hosts, or one twice, are called so; remove one of them");
    if (!keep(hosts, table, text_of(&canonical), place))
        return why_refuse(why, SLICE(""), "there is no memory for another host");
    if (star && name.size > hosts->star_size_max)
        hosts->star_size_max = name.size;
    return true;
}

static bool add_host(struct hosts *hosts, struct slice names, int place, struct why why)
{
    struct slice word;
    if (slice_trim(names).size == 0) {
        if (hosts->fallback != HOSTS_UNKNOWN)
            return why_refuse(why, SLICE(""), "two hosts are without names; only one can be that for all others");
        hosts->fallback = place;
    }
    while (slice_word(&names, &word))
        if (!add_name(hosts, word, place, why))
            return false;
    return true;
}

static size_t count_names(const struct slice *names, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct slice rest = names[i], word;
        while (slice_word(&rest, &word))
            total++;
    }
    return total;
}

static bool fill(struct hosts *hosts, const struct slice *names, size_t count, struct why why)
{
    hosts->fallback = HOSTS_UNKNOWN;
    for (size_t i = 0; i < count; i++)
        if (!add_host(hosts, names[i], (int)i, why))
            return false;
    if (hosts->name_count == 1 && hosts->exact.count == 1 && hosts->names[0]->text[0] != '[')
        hosts->only = hosts->names[0];
    return true;
}

bool hosts_new(struct hosts **hosts, const struct slice *names, size_t count, struct why why)
{
    size_t total = count_names(names, count);
    *hosts = NULL;
    if (count > HOSTS_MAX || total > HOSTS_NAMES_MAX)
        return why_refuse(why, SLICE(""), "there are %zu hosts with %zu names; at most %d and %d are possible", count,
                          total, HOSTS_MAX, HOSTS_NAMES_MAX);
    if (count == 1 && total == 0)
        return true;
    struct hosts *made = calloc(1, sizeof *made + total * sizeof(struct name *));
    if (!made)
        return why_refuse(why, SLICE(""), "there is no memory for another host");
    if (fill(made, names, count, why)) {
        *hosts = made;
        return true;
    }
    hosts_free(made);
    return false;
}

void hosts_free(struct hosts *hosts)
{
    if (!hosts)
        return;
    for (size_t i = 0; i < hosts->name_count; i++)
        free(hosts->names[i]);
    literals_fini(&hosts->exact);
    literals_fini(&hosts->starred);
    free(hosts);
}
