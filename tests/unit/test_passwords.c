/* Password files: what is refused and how it is said, and credentials against them: right, wrong, unknown, remembered.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/random.h>

#include "scratch.h"
#include "serve/passwords.h"

/* Passwords "secret", "geheim", "secret", "secret". */
#define ANNA "anna:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C"
#define BERTA "berta:$2y$04$abcdefghijklmnopqrstuuPWRtT5yx7FBi4dcf6ROhboeNunUrLQ."
#define CARLA                             \
    "c\xc3\xa4rla:$6$rounds=1000$salt$" \
    "HNxBeBnDfSfUrTj6KiLnmd7tGCvHEmcExh8kl/S0cZ5WrCciNZgfhbpkeFQ4JfkHX.8vPq45lY0iINnCx1Lkm."
#define EMIL "emil:$2b$05$abcdefghijklmnopqrstuuPWRtT5yx7FBi4dcf6ROhboeNunUrLQ."
#define DORA "dora:$y$j75$abcdefghijklmnop$vZlXu1XtxOBWRxjOpQqONp1WYfMO0dN.H4xeSMU2ZvC"

/* ---- The system, watched, and made to fail ------------------------------------------------------------------ */

static struct {
    unsigned hashed;      /* calls of crypt_rn */
    char settings[1000];  /* what it was called with */
    bool no_hash, no_memory, no_table, no_map, no_read, interrupted;
    int random_left; /* calls that succeed; -1: all */
} fault = { .random_left = -1 };

char *__real_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    fault.hashed++;
    size_t used = strlen(fault.settings);
    snprintf(fault.settings + used, sizeof fault.settings - used, "%s ", setting);
    errno = ENOMEM;
    return fault.no_hash ? NULL : __real_crypt_rn(phrase, setting, data, size);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    errno = ENOMEM;
    return fault.no_memory ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    errno = ENOMEM;
    return fault.no_table ? NULL : __real_calloc(count, size);
}

void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    errno = ENOMEM;
    return fault.no_map ? MAP_FAILED : __real_mmap64(at, size, protection, flags, fd, offset);
}

ssize_t __real_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t size, unsigned flags)
{
    errno = ENOSYS;
    if (fault.random_left == 0)
        return -1;
    fault.random_left -= fault.random_left > 0;
    return __real_getrandom(out, size, flags);
}

/* A few bytes at a time, so that whoever reads has to come again. */
ssize_t __real_read(int fd, void *out, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size)
{
    errno = fault.no_read ? EIO : EINTR;
    if (fault.no_read || fault.interrupted) {
        fault.interrupted = false;
        return -1;
    }
    return __real_read(fd, out, size > 100000 ? 100000 : size);
}

/* ---- Files -------------------------------------------------------------------------------------------------- */

static struct scratch scratch;
static char file[128], why_text[WHY_SIZE];

static struct passwords *read_bytes(const char *text, size_t size)
{
    scratch_write_bytes(&scratch, "htpasswd", text, size);
    snprintf(file, sizeof file, "%s/htpasswd", scratch.folder);
    strcpy(why_text, "");
    return passwords_read(file, (struct why){ why_text, sizeof why_text });
}

static struct passwords *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static struct passwords *must_read(const char *text)
{
    struct passwords *passwords = read_text(text);
    if (!passwords)
        fail_msg("%s", why_text);
    assert_string_equal(why_text, "");
    return passwords;
}

static struct slice encode(const char *text, char out[1024])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text), used = 0;
    for (size_t i = 0; i < size; i += 3) {
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < size ? (unsigned char)text[i + j] : 0);
        for (unsigned j = 0; j < 4; j++)
            out[used++] = i + j > size ? '=' : digits[bits >> (18 - 6 * j) & 63];
    }
    return slice_make(out, used);
}

static enum password_result check(struct passwords *passwords, const char *text, uint64_t now_ms)
{
    char token[1024];
    return passwords_check(passwords, encode(text, token), now_ms);
}

static bool remembers(struct passwords *passwords, const char *text, uint64_t now_ms)
{
    char token[1024];
    return passwords_remembers(passwords, encode(text, token), now_ms);
}

/* ---- Reading ------------------------------------------------------------------------------------------------ */

static void reads_files_as_people_write_them(void **state)
{
    static const char *const texts[] = {
        ANNA "\n" BERTA "\n" CARLA "\n" DORA "\n",
        DORA "\n" CARLA "\n" BERTA "\n" ANNA,
        "# who may see it\n\n" BERTA "\n  \t\n#" ANNA "x\n" ANNA "\n\n" DORA "\n# and\n" CARLA "\n#",
        ANNA "\r\n\r\n# a\r\n" BERTA " \t\r\n" CARLA "\r\n" DORA "\r",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct passwords *passwords = must_read(texts[i]);
        assert_int_equal(check(passwords, "anna:secret", 0), PASSWORD_RIGHT);
        assert_int_equal(check(passwords, "berta:geheim", 0), PASSWORD_RIGHT);
        assert_int_equal(check(passwords, "c\xc3\xa4rla:secret", 0), PASSWORD_RIGHT);
        assert_int_equal(check(passwords, "dora:secret", 0), PASSWORD_RIGHT);
        assert_int_equal(check(passwords, "berta:secret", 0), PASSWORD_WRONG);
        assert_int_equal(check(passwords, "#anna:secret", 0), PASSWORD_WRONG);
        passwords_free(passwords);
    }
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *line, *word; /* ":N: " or ": ", and what is in the rest */
    } rows[] = {
        { "", ": ", "no entry" },
        { "\n# nobody\n", ": ", "no entry" },
        { "anna", ":1: ", "no colon" },
        { "\n\n  anna secret\n", ":3: ", "name:hash" },
        { ANNA "\nberta\n", ":2: ", "no colon" },
        { "anna:secret", ":1: ", "\"anna:\" is no hash but a password in the clear" },
        { "anna:secret", ":1: ", "htpasswd -B" },
        { "anna:", ":1: ", "in the clear" },
        { ANNA "\n#\nberta:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", ":3: ", "\"berta:\" is an MD5 hash" },
        { "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n" BERTA, ":1: ", "SHA-1" },
        { ANNA ":more", ":1: ", "not whole" },
        { ":$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C", ":1: ", "the name" },
        { "a\tb:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C", ":1: ", "control" },
        { "a\x7f:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C", ":1: ", "control" },
        { "\xe4nna:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C", ":1: ", "UTF-8" },
        { ANNA "\n" BERTA "\n" ANNA "\n", ":3: ", "\"anna\" stands already on line 1" },
        { BERTA "\n" ANNA "\n\n" ANNA "\n" ANNA, ":4: ", "\"anna\" stands already on line 2" },
        { ANNA "\nanna:$2y$16$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C", ":2: ", "cost over 15" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char start[160];
        assert_null(read_text(rows[i].text));
        snprintf(start, sizeof start, "%s%s", file, rows[i].line);
        if (strncmp(why_text, start, strlen(start)) != 0 || !strstr(why_text, rows[i].word))
            fail_msg("%s: %s", rows[i].text, why_text);
        assert_null(strstr(why_text, "secret")); /* it may be a password */
    }
}

static void refuses_names_that_are_too_long(void **state)
{
    char text[700];
    (void)state;
    for (int size = 511; size <= 512; size++) {
        memset(text, 'n', (size_t)size);
        strcpy(text + size, &ANNA[4]); /* from the colon on */
        struct passwords *passwords = read_text(text);
        assert_true((passwords != NULL) == (size == 511));
        passwords_free(passwords);
    }
}

static void takes_bytes_as_they_are(void **state)
{
    static const char nul[] = "anna\0:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C\n";
    (void)state;
    assert_null(read_bytes(nul, sizeof nul - 1));
    assert_non_null(strstr(why_text, ":1: the name"));
}

static void says_which_file_is_missing(void **state)
{
    struct why why = { why_text, sizeof why_text };
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/none", scratch.folder);
    assert_null(passwords_read(path, why));
    assert_string_equal(why_text + strlen(path), ": No such file or directory");
    assert_null(passwords_read(scratch.folder, why));
    assert_string_equal(why_text + strlen(scratch.folder), ": Is a directory");
    assert_null(passwords_read(path, (struct why){ NULL, 0 }));
}

/* The whole limit, full of the shortest entries that there can be; and one byte more. */
static void holds_to_its_limit(void **state)
{
    static char text[PASSWORDS_FILE_MAX + 2];
    static const char shortest[] = ":$y$j75$$2ydGyJY.m3lesWesWhmcrVX27GKM4AqNwOMJADwvhjB\n";
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    size_t used = 0;
    (void)state;
    for (unsigned i = 0; used + 60 < PASSWORDS_FILE_MAX; i++) {
        if (i >= 36)
            text[used++] = digits[i / 36 % 36];
        if (i >= 36 * 36)
            text[used++] = digits[i / 36 / 36];
        text[used++] = digits[i % 36];
        memcpy(text + used, shortest, sizeof shortest - 1);
        used += sizeof shortest - 1;
    }
    memset(text + used, '\n', sizeof text - used);
    struct passwords *passwords = read_bytes(text, PASSWORDS_FILE_MAX);
    assert_non_null(passwords);
    assert_int_equal(check(passwords, "z:secret", 0), PASSWORD_RIGHT);
    assert_int_equal(check(passwords, "zz:secret", 0), PASSWORD_RIGHT);
    passwords_free(passwords);
    assert_null(read_bytes(text, PASSWORDS_FILE_MAX + 1));
    assert_non_null(strstr(why_text, "more than 1048576 bytes"));
}

static void survives_a_system_that_refuses(void **state)
{
    (void)state;
    fault.no_read = true;
    assert_null(read_text(ANNA));
    fault.no_read = false;
    assert_non_null(strstr(why_text, "Input/output error"));

    fault.interrupted = true;
    passwords_free(must_read(ANNA));
    assert_false(fault.interrupted);

    fault.no_memory = true;
    assert_null(read_text(ANNA));
    fault.no_memory = false;
    assert_non_null(strstr(why_text, "Cannot allocate memory"));

    fault.no_table = true;
    assert_null(read_text(ANNA));
    fault.no_table = false;
    assert_non_null(strstr(why_text, "Cannot allocate memory"));

    fault.no_map = true;
    assert_null(read_text(ANNA));
    fault.no_map = false;
    assert_non_null(strstr(why_text, "Cannot allocate memory"));

    fault.random_left = 0;
    assert_null(read_text(ANNA));
    assert_non_null(strstr(why_text, "Function not implemented"));
    fault.random_left = -1;
    passwords_free(NULL);
}

/* ---- Checking ----------------------------------------------------------------------------------------------- */

static void remembers_what_was_right(void **state)
{
    struct passwords *passwords = must_read(ANNA "\n" BERTA "\n");
    (void)state;
    fault.hashed = 0;
    assert_false(remembers(passwords, "anna:secret", 5000));
    assert_int_equal(check(passwords, "anna:secret", 5000), PASSWORD_RIGHT);
    assert_int_equal(fault.hashed, 1);
    assert_true(remembers(passwords, "anna:secret", 14999));
    assert_false(remembers(passwords, "anna:secreT", 5000));
    assert_false(remembers(passwords, "berta:secret", 5000));
    assert_int_equal(check(passwords, "anna:secret", 14999), PASSWORD_RIGHT); /* by one that waited for the first */
    assert_int_equal(fault.hashed, 1);
    assert_false(remembers(passwords, "anna:secret", 15000));
    assert_int_equal(check(passwords, "anna:secret", 15000), PASSWORD_RIGHT);
    assert_int_equal(fault.hashed, 2);
    passwords_free(passwords);
}

static void forgets_what_was_not(void **state)
{
    struct passwords *passwords = must_read(ANNA "\n");
    (void)state;
    fault.hashed = 0;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(check(passwords, "anna:wrong", 0), PASSWORD_WRONG);
        assert_false(remembers(passwords, "anna:wrong", 0));
        assert_int_equal(fault.hashed, i);
    }
    passwords_free(passwords);
}

/* Counted by what was hashed, whatever the clock says: the kinds and costs, in any order. */
static void lets_every_name_take_as_long(void **state)
{
    static const char *const names[] = { "nobody", "", "anna", "berta", "c\xc3\xa4rla", "dora", "emil" };
    static const char *const starts[] = { "$2y$04$", "$2b$05$", "$6$", "$y$" };
    struct passwords *passwords = must_read(ANNA "\n" BERTA "\n" CARLA "\n" DORA "\n" EMIL "\n");
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s:wrong", names[i]);
        fault.hashed = 0;
        fault.settings[0] = '\0';
        assert_int_equal(check(passwords, text, 0), PASSWORD_WRONG);
        assert_int_equal(fault.hashed, 4);
        for (size_t j = 0; j < 4; j++)
            if (!strstr(fault.settings, starts[j]))
                fail_msg("%s: no %s in %s", names[i], starts[j], fault.settings);
    }
    fault.hashed = 0; /* even where the password is that of an entry that stands in */
    assert_int_equal(check(passwords, "nobody:secret", 0), PASSWORD_WRONG);
    assert_int_equal(fault.hashed, 4);
    assert_int_equal(check(passwords, "anna:secret", 0), PASSWORD_RIGHT);
    assert_int_equal(fault.hashed, 5); /* who is let in waits for nobody */
    passwords_free(passwords);
}

static void has_a_limit_of_costs(void **state)
{
    char text[4096], *at = text;
    (void)state;
    for (unsigned i = 0; i <= PASSWORDS_COSTS_MAX; i++) {
        *at = '\0';
        if (i > 0)
            passwords_free(must_read(text));
        at += sprintf(at, "u%u:$2b$%02u$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C\n", i, 4 + i);
        at += sprintf(at, "v%u:$2y$%02u$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C\n", i, 4 + i);
    }
    assert_null(read_text(text));
    assert_string_equal(why_text + strlen(file), ": hashes of more than 8 kinds and costs; make them alike");
}

static void takes_names_whole(void **state)
{
    static const char *const texts[] = {
        ":secret", "ann:secret", "annaa:secret", "Anna:secret", " anna:secret", "anna :secret", "anna::secret",
        "anna:", "anna:secret:", "anna:secre", "anna:secret ", "carla:secret", "ca\xcc\x88rla:secret",
    };
    struct passwords *passwords = must_read(ANNA "\n" CARLA "\n");
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fault.hashed = 0;
        if (check(passwords, texts[i], 0) != PASSWORD_WRONG)
            fail_msg("%s", texts[i]);
        assert_int_equal(fault.hashed, 2); /* both have a cost of their own */
    }
    passwords_free(passwords);
}

static void wastes_no_time_on_malformed_tokens(void **state)
{
    struct passwords *passwords = must_read(ANNA "\n");
    (void)state;
    fault.hashed = 0;
    assert_int_equal(passwords_check(passwords, SLICE(""), 0), PASSWORD_WRONG);
    assert_int_equal(passwords_check(passwords, SLICE("YW5uYTpzZWNyZXQ"), 0), PASSWORD_WRONG);
    assert_int_equal(passwords_check(passwords, SLICE("anna:secret"), 0), PASSWORD_WRONG);
    assert_int_equal(fault.hashed, 0);
    assert_int_equal(passwords_check(passwords, SLICE("YW5uYTpzZWNyZXQ="), 0), PASSWORD_RIGHT);
    passwords_free(passwords);
}

static void tells_when_it_cannot_be_found_out(void **state)
{
    struct passwords *passwords = must_read(ANNA "\n");
    (void)state;
    fault.no_hash = true;
    assert_int_equal(check(passwords, "anna:secret", 0), PASSWORD_FAILED);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(check(passwords, "nobody:secret", 0), PASSWORD_FAILED); /* which must not tell that it is nobody */
    fault.no_hash = false;
    assert_false(remembers(passwords, "anna:secret", 0));
    assert_int_equal(check(passwords, "anna:secret", 0), PASSWORD_RIGHT);
    passwords_free(passwords);
}

/* What one file's table remembers is nothing to another's. */
static void keeps_files_apart(void **state)
{
    struct passwords *before = must_read(ANNA "\n"), *after = must_read(BERTA "\n");
    (void)state;
    assert_int_equal(check(before, "anna:secret", 0), PASSWORD_RIGHT);
    assert_false(remembers(after, "anna:secret", 0));
    assert_int_equal(check(after, "anna:secret", 0), PASSWORD_WRONG);
    passwords_free(before);
    passwords_free(after);
}

static int open_scratch(void **state)
{
    (void)state;
    scratch_open(&scratch);
    return 0;
}

static int close_scratch(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_as_people_write_them),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(refuses_names_that_are_too_long),
        cmocka_unit_test(takes_bytes_as_they_are),
        cmocka_unit_test(says_which_file_is_missing),
        cmocka_unit_test(holds_to_its_limit),
        cmocka_unit_test(survives_a_system_that_refuses),
        cmocka_unit_test(remembers_what_was_right),
        cmocka_unit_test(forgets_what_was_not),
        cmocka_unit_test(lets_every_name_take_as_long),
        cmocka_unit_test(has_a_limit_of_costs),
        cmocka_unit_test(takes_names_whole),
        cmocka_unit_test(wastes_no_time_on_malformed_tokens),
        cmocka_unit_test(tells_when_it_cannot_be_found_out),
        cmocka_unit_test(keeps_files_apart),
    };
    return cmocka_run_group_tests(tests, open_scratch, close_scratch);
}
