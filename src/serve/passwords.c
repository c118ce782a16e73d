/* Reads the file into a table sorted by name, and checks credentials against it: remembered, else by the hash. */
#include "serve/passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/basic.h"
#include "serve/remembered.h"

enum { LINE_SIZE_MIN = 53 }; /* of an entry: one byte of name, a colon, and a yescrypt hash without salt */

struct entry {
    struct slice name; /* lies in the text */
    unsigned line;
    uint64_t work; /* password_hash_work */
    char hash[PASSWORD_HASH_SIZE];
};

struct passwords {
    struct remembered *remembered;
    char *text;    /* of the file */
    size_t count;
    unsigned cost_count;
    const struct entry *costs[PASSWORDS_COSTS_MAX]; /* one entry of each work */
    struct entry entries[]; /* by name */
};

/* ---- Reading the file --------------------------------------------------------------------------------------- */

struct reading {
    const char *file;
    unsigned line;
    struct why why;
    struct passwords *passwords;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct reading *reading, const char *format, ...)
{
    char about[PATH_MAX + 16];
    va_list arguments;
    if (reading->line > 0)
        snprintf(about, sizeof about, "%s:%u", reading->file, reading->line);
    else
        snprintf(about, sizeof about, "%s", reading->file);
    va_start(arguments, format);
    why_refuse_with(reading->why, slice_text(about), format, arguments);
    va_end(arguments);
    return false;
}

static bool add_entry(struct reading *reading, struct slice name, struct slice hash)
{
    if (name.size == 0 || name.size >= BASIC_TEXT_MAX || !basic_name_valid(name))
        return refuse(reading, "the name has to be UTF-8 without control characters, of 1 to %d bytes",
                      BASIC_TEXT_MAX - 1);
    const char *fault = password_hash_fault(hash);
    if (fault)
        return refuse(reading, "what is behind \"%.*s:\" is %s; write a bcrypt hash (htpasswd -B) instead, or one of "
                      "sha512-crypt (openssl passwd -6) or yescrypt (mkpasswd)", (int)name.size, name.data, fault);
    struct entry *entry = &reading->passwords->entries[reading->passwords->count++];
    entry->name = name;
    entry->line = reading->line;
    entry->work = password_hash_work(hash);
    memcpy(entry->hash, hash.data, hash.size); /* the table was all zero, and a hash without fault leaves room */
    return true;
}

static bool read_line(struct reading *reading, struct slice line)
{
    if (slice_ends(line, SLICE("\r")))
        line.size--;
    if (slice_trim(line).size == 0 || line.data[0] == '#')
        return true;
    size_t colon = slice_find(line, ':');
    if (colon == line.size)
        return refuse(reading, "no colon; write name:hash, as htpasswd -B does");
    return add_entry(reading, slice_part(line, 0, colon), slice_trim(slice_skip(line, colon + 1)));
}

static bool read_lines(struct reading *reading, struct slice text)
{
    while (text.size > 0) {
        struct slice line = slice_part(text, 0, slice_find(text, '\n'));
        reading->line++;
        if (!read_line(reading, line))
            return false;
        text = slice_skip(text, line.size < text.size ? line.size + 1 : line.size);
    }
    reading->line = 0;
    return true;
}

static int compare_names(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* By name, and of one name the upper line first. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    int order = compare_names(one->name, other->name);
    return order != 0 ? order : (one->line > other->line) - (one->line < other->line);
}

static bool sort(struct reading *reading)
{
    struct passwords *passwords = reading->passwords;
    if (passwords->count == 0)
        return refuse(reading, "no entry, so nobody could get in; write one with htpasswd -B");
    qsort(passwords->entries, passwords->count, sizeof passwords->entries[0], compare_entries);
    for (size_t i = 1; i < passwords->count; i++) {
        const struct entry *one = &passwords->entries[i - 1], *other = &passwords->entries[i];
        reading->line = other->line;
        if (slice_equal(one->name, other->name))
            return refuse(reading, "\"%.*s\" stands already on line %u; leave one of them out", (int)one->name.size,
                          one->name.data, one->line);
    }
    reading->line = 0;
    return true;
}

static bool has_cost(const struct passwords *passwords, uint64_t work)
{
    for (unsigned i = 0; i < passwords->cost_count; i++)
        if (passwords->costs[i]->work == work)
            return true;
    return false;
}

/* Each of them is paid for every wrong password, so there is a limit. */
static bool find_costs(const struct reading *reading)
{
    struct passwords *passwords = reading->passwords;
    for (size_t i = 0; i < passwords->count; i++) {
        const struct entry *entry = &passwords->entries[i];
        if (has_cost(passwords, entry->work))
            continue;
        if (passwords->cost_count == PASSWORDS_COSTS_MAX)
            return refuse(reading, "hashes of more than %d kinds and costs; make them alike", PASSWORDS_COSTS_MAX);
        passwords->costs[passwords->cost_count++] = entry;
    }
    return true;
}

/* All of it, unless it is more than PASSWORDS_FILE_MAX, of which one byte more is read. -1: errno. */
static ssize_t read_all(int fd, char *out)
{
    size_t got = 0;
    while (got <= PASSWORDS_FILE_MAX) {
        ssize_t n = read(fd, out + got, PASSWORDS_FILE_MAX + 1 - got);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -1;
        got += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)got;
}

/* `out` has PASSWORDS_FILE_MAX + 1 bytes. */
static bool read_text(const struct reading *reading, char *out, struct slice *text)
{
    int fd = open(reading->file, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read_all(fd, out);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (size < 0)
        return refuse(reading, "%s", strerror(error));
    if (size > PASSWORDS_FILE_MAX)
        return refuse(reading, "more than %d bytes, which is the limit", PASSWORDS_FILE_MAX);
    *text = slice_make(out, (size_t)size);
    return true;
}

/* NULL: refused. `block`, in which the text lies, belongs to what is returned. */
static struct passwords *read_table(struct reading *reading, struct slice text, char *block)
{
    struct passwords *passwords =
        calloc(1, sizeof *passwords + (text.size / LINE_SIZE_MIN + 1) * sizeof passwords->entries[0]);
    if (passwords)
        passwords->remembered = remembered_new();
    if (!passwords || !passwords->remembered) {
        refuse(reading, "%s", strerror(errno));
        passwords_free(passwords);
        return NULL;
    }
    reading->passwords = passwords;
    if (read_lines(reading, text) && sort(reading) && find_costs(reading)) {
        passwords->text = block;
        return passwords;
    }
    passwords_free(passwords);
    return NULL;
}

struct passwords *passwords_read(const char *file, struct why why)
{
    struct reading reading = { .file = file, .why = why };
    struct passwords *passwords = NULL;
    struct slice text = { NULL, 0 };
    char *block = malloc(PASSWORDS_FILE_MAX + 1); /* of which no more is touched than the file fills */
    if (!block)
        refuse(&reading, "%s", strerror(errno));
    else if (read_text(&reading, block, &text))
        passwords = read_table(&reading, text, block);
    if (!passwords)
        free(block);
    return passwords;
}

void passwords_free(struct passwords *passwords)
{
    if (!passwords)
        return;
    remembered_free(passwords->remembered);
    free(passwords->text);
    free(passwords);
}

/* ---- Checking ----------------------------------------------------------------------------------------------- */

bool passwords_remembers(struct passwords *passwords, struct slice token, uint64_t now_ms)
{
    return remembered_has(passwords->remembered, token, now_ms);
}

static int compare_name(const void *name, const void *entry)
{
    return compare_names(*(const struct slice *)name, ((const struct entry *)entry)->name);
}

static const struct entry *find(const struct passwords *passwords, struct slice name)
{
    return bsearch(&name, passwords->entries, passwords->count, sizeof passwords->entries[0], compare_name);
}

/* One hash of each work there is but for this one. False: errno. */
static bool waste_rest(const struct passwords *passwords, uint64_t done, struct slice password)
{
    for (unsigned i = 0; i < passwords->cost_count; i++)
        if (passwords->costs[i]->work != done &&
            password_hash_verify(passwords->costs[i]->hash, password) == PASSWORD_FAILED)
            return false;
    return true;
}

/* What is wrong takes the same work whether the name is here, and whatever its hash: to pay for the costliest one alone
 * would not do, since a cheap one beside it takes its time, too. What is right may show that it is. */
static enum password_result check(const struct passwords *passwords, const struct basic *basic)
{
    const struct entry *entry = find(passwords, basic->name);
    enum password_result result = PASSWORD_WRONG;
    if (entry)
        result = password_hash_verify(entry->hash, basic->password);
    if (result == PASSWORD_WRONG && !waste_rest(passwords, entry ? entry->work : 0, basic->password))
        result = PASSWORD_FAILED;
    return result;
}

enum password_result passwords_check(struct passwords *passwords, struct slice token, uint64_t now_ms)
{
    struct basic basic;
    enum password_result result = PASSWORD_WRONG;
    if (remembered_has(passwords->remembered, token, now_ms)) /* by a request that was checked before this one */
        return PASSWORD_RIGHT;
    if (basic_decode(token, &basic))
        result = check(passwords, &basic);
    int error = errno;
    explicit_bzero(&basic, sizeof basic);
    if (result == PASSWORD_RIGHT)
        remembered_add(passwords->remembered, token, now_ms);
    errno = error;
    return result;
}
