/* Opening beneath the root, by the kernel and by the walk: both must give the same for every path, above all for those
 * that lead out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "scratch.h"

/* ---- The system call, which a test can take away ------------------------------------------------------------ */

static int failures_left; /* calls that fail yet, with this */
static int failure;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    if (number == SYS_openat2 && failures_left > 0) {
        failures_left--;
        errno = failure;
        return -1;
    }
    return __real_syscall(number, a, b, c, d, e, f);
}

/* ---- The tree ------------------------------------------------------------------------------------------------ */

static struct scratch scratch;
static char long_name[NAME_MAX + 1], too_long_name[NAME_MAX + 2], long_path[PATH_MAX + 1];

static void make_links(void)
{
    static const char *const links[][2] = {
        { "file", "folder/b.txt" },
        { "folder/up", "../a.txt" },
        { "folder-link", "folder" },
        { "folder-slash", "folder/" },
        { "here", "." },
        { "dots", ".//./folder/././b.txt" },
        { "turn", "folder/deep/../b.txt" },
        { "turn-at-dot", "folder/deep/./../b.txt" },
        { "turn-to-root", "folder/../a.txt" },
        { "deep-link", "folder/deep" },
        { "turn-behind-link", "deep-link/../b.txt" },
        { "turn-at-missing", "missing/../a.txt" },
        { "turn-at-file", "a.txt/../a.txt" },
        { "end-in-turn", "folder/deep/.." },
        { "end-in-dot", "folder/deep/." },
        { "to-dot-name", ".data/d.txt" },
        { "to-slashed-file", "a.txt/" },
        { "out", "../outside.txt" },
        { "out-later", "folder/../../outside.txt" },
        { "out-behind-link", "deep-link/../../../outside.txt" },
        { "out-and-back", "../root/a.txt" },
        { "out-only", ".." },
        { "absolute", "/etc/passwd" },
        { "absolute-root", "/" },
        { "to-out", "out" },
        { "folder/to-outside", "../../outside.txt" },
        { "circle", "circle" },
        { "round", "about" },
        { "about", "round" },
        { "dangling", "nothing" },
        { "to-fifo", "fifo" },
    };
    char path[64], target[96];

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "root/%s", links[i][0]);
        scratch_link(&scratch, path, links[i][1]);
    }
    for (unsigned i = 1; i <= 41; i++) { /* chain-1 is one link away from the file */
        snprintf(path, sizeof path, "root/chain-%u", i);
        snprintf(target, sizeof target, "chain-%u", i - 1);
        scratch_link(&scratch, path, i == 1 ? "a.txt" : target);
    }
    snprintf(target, sizeof target, "%s/a.txt", scratch.root);
    scratch_link(&scratch, "root/absolute-inside", target);
}

static void make_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", scratch.root);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static void make_long_names(void)
{
    char path[NAME_MAX + 8];

    memset(long_name, 'n', NAME_MAX);
    memset(too_long_name, 'n', NAME_MAX + 1);
    snprintf(path, sizeof path, "root/%s", long_name);
    scratch_write(&scratch, path, "long");
    for (size_t i = 0; i < PATH_MAX; i++)
        long_path[i] = i % 2 ? '/' : 'x';
}

static int make(void **state)
{
    (void)state;
    scratch_open(&scratch);
    scratch_write(&scratch, "outside.txt", "outside");
    scratch_write(&scratch, "root/a.txt", "a");
    scratch_write(&scratch, "root/.hidden", "hidden");
    scratch_mkdir(&scratch, "root/folder");
    scratch_mkdir(&scratch, "root/folder/deep");
    scratch_mkdir(&scratch, "root/folder/.git");
    scratch_mkdir(&scratch, "root/folder/.well-known");
    scratch_mkdir(&scratch, "root/.well-known");
    scratch_mkdir(&scratch, "root/.well-known/acme");
    scratch_mkdir(&scratch, "root/.well-knownish");
    scratch_mkdir(&scratch, "root/.data");
    scratch_write(&scratch, "root/folder/b.txt", "b");
    scratch_write(&scratch, "root/folder/.b", "hidden");
    scratch_write(&scratch, "root/folder/b..txt", "dots");
    scratch_write(&scratch, "root/folder/.git/config", "hidden");
    scratch_write(&scratch, "root/folder/.well-known/x", "hidden");
    scratch_write(&scratch, "root/folder/deep/c.txt", "c");
    scratch_write(&scratch, "root/.well-known/security.txt", "security");
    scratch_write(&scratch, "root/.well-known/.x", "hidden");
    scratch_write(&scratch, "root/.well-known/acme/token", "token");
    scratch_write(&scratch, "root/.well-knownish/x", "hidden");
    scratch_write(&scratch, "root/.data/d.txt", "data");
    assert_int_equal(mkfifoat(scratch.fd, "root/fifo", 0644), 0);
    make_socket();
    make_long_names();
    make_links();
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    scratch_close(&scratch);
    return 0;
}

/* ---- What each path gives ------------------------------------------------------------------------------------ */

static const struct {
    const char *path;
    const char *text; /* its content; "": a folder; NULL: not to be opened, with this error */
    int error;
} cases[] = {
    { "", "", 0 },
    { "a.txt", "a", 0 },
    { "folder", "", 0 },
    { "folder/", "", 0 },
    { "folder//", "", 0 },
    { "folder/b.txt", "b", 0 },
    { "folder//b.txt", "b", 0 },
    { "folder/b..txt", "dots", 0 },
    { "folder/deep/c.txt", "c", 0 },
    { "missing", NULL, ENOENT },
    { "missing/b.txt", NULL, ENOENT },
    { "a.txt/", NULL, ENOTDIR },
    { "a.txt/b", NULL, ENOTDIR },
    { long_name, "long", 0 },
    { too_long_name, NULL, ENAMETOOLONG },
    { long_path, NULL, ENAMETOOLONG },

    /* dot names: not by any spelling */
    { ".", NULL, ENOENT },
    { "..", NULL, ENOENT },
    { "../outside.txt", NULL, ENOENT },
    { "folder/..", NULL, ENOENT },
    { "folder/../a.txt", NULL, ENOENT },
    { "folder/../../outside.txt", NULL, ENOENT },
    { "folder/./b.txt", NULL, ENOENT },
    { ".hidden", NULL, ENOENT },
    { ".data/d.txt", NULL, ENOENT },
    { "folder/.b", NULL, ENOENT },
    { "folder/.git", NULL, ENOENT },
    { "folder/.git/config", NULL, ENOENT },
    { "folder//.git/config", NULL, ENOENT },
    { "folder/.well-known/x", NULL, ENOENT },
    { ".well-knownish/x", NULL, ENOENT },
    { ".well-known/.x", NULL, ENOENT },
    { ".well-known/../.hidden", NULL, ENOENT },
    { ".well-known", "", 0 },
    { ".well-known/", "", 0 },
    { ".well-known/security.txt", "security", 0 },
    { ".well-known/acme/token", "token", 0 },

    /* outside */
    { "/", NULL, EXDEV },
    { "/a.txt", NULL, EXDEV },
    { "/etc/passwd", NULL, EXDEV },

    /* links that stay inside */
    { "file", "b", 0 },
    { "folder/up", "a", 0 },
    { "folder-link", "", 0 },
    { "folder-link/b.txt", "b", 0 },
    { "folder-link/up", "a", 0 },
    { "folder-link/deep/c.txt", "c", 0 },
    { "folder-slash", "", 0 },
    { "folder-slash/b.txt", "b", 0 },
    { "here", "", 0 },
    { "here/here/here/a.txt", "a", 0 },
    { "dots", "b", 0 },
    { "turn", "b", 0 },
    { "turn-at-dot", "b", 0 },
    { "turn-to-root", "a", 0 },
    { "deep-link/c.txt", "c", 0 },
    { "turn-behind-link", "b", 0 }, /* the parent of what the link leads to, not of the link */
    { "end-in-turn", "", 0 },
    { "end-in-turn/b.txt", "b", 0 },
    { "end-in-dot", "", 0 },
    { "end-in-dot/c.txt", "c", 0 },
    { "to-dot-name", "data", 0 },
    { "chain-40", "a", 0 },

    /* links that do not */
    { "chain-41", NULL, ELOOP },
    { "circle", NULL, ELOOP },
    { "circle/x", NULL, ELOOP },
    { "round", NULL, ELOOP },
    { "dangling", NULL, ENOENT },
    { "turn-at-missing", NULL, ENOENT },
    { "turn-at-file", NULL, ENOTDIR },
    { "to-slashed-file", NULL, ENOTDIR },
    { "file/x", NULL, ENOTDIR },
    { "out", NULL, EXDEV },
    { "out-later", NULL, EXDEV },
    { "out-behind-link", NULL, EXDEV },
    { "out-and-back", NULL, EXDEV },
    { "out-only", NULL, EXDEV },
    { "out-only/outside.txt", NULL, EXDEV },
    { "absolute", NULL, EXDEV },
    { "absolute-inside", NULL, EXDEV },
    { "absolute-root", NULL, EXDEV },
    { "absolute-root/etc/passwd", NULL, EXDEV },
    { "to-out", NULL, EXDEV },
    { "folder/to-outside", NULL, EXDEV },
    { "folder-link/to-outside", NULL, EXDEV },

    /* neither files nor folders; nothing here may block */
    { "fifo", NULL, ENXIO },
    { "to-fifo", NULL, ENXIO },
    { "socket", NULL, ENXIO },
};

static void check(const struct files *files, size_t i)
{
    struct stat st;
    char text[16] = "";

    errno = 0;
    int fd = files_open(files, cases[i].path);
    int error = fd < 0 ? errno : 0;
    if (error != cases[i].error)
        fail_msg("%.40s: %s instead of %s", cases[i].path, strerror(error), strerror(cases[i].error));
    if (fd < 0)
        return;
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    if (cases[i].text[0] == '\0') {
        assert_true(S_ISDIR(st.st_mode));
    } else {
        assert_true(read(fd, text, sizeof text - 1) > 0);
        assert_string_equal(text, cases[i].text);
    }
    close(fd);
}

static void by_the_kernel(void **state)
{
    (void)state;
    if (scratch.files.walk)
        skip(); /* this machine has no openat2 to offer */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&scratch.files, i);
}

static void by_the_walk(void **state)
{
    struct files files = { scratch.files.root_fd, true };
    (void)state;

    failures_left = INT_MAX;
    failure = ENOSYS;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&files, i);
    failures_left = 0;
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void no_descriptor_is_left(void **state)
{
    unsigned before = open_descriptors();
    by_the_kernel(state);
    by_the_walk(state);
    assert_int_equal(open_descriptors(), before);
}

/* A folder that may be passed but not listed is no obstacle. */
static void passes_where_it_may(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "root/pass");
    scratch_write(&scratch, "root/pass/x", "x");
    assert_int_equal(fchmodat(scratch.fd, "root/pass", 0111, 0), 0);
    scratch_mkdir(&scratch, "root/shut");
    scratch_write(&scratch, "root/shut/x", "x");
    assert_int_equal(fchmodat(scratch.fd, "root/shut", 0, 0), 0);
    scratch_drop_root();
    for (int walk = scratch.files.walk; walk <= 1; walk++) {
        struct files files = { scratch.files.root_fd, walk };
        int fd = files_open(&files, "pass/x");
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(files_open(&files, "pass"), -1);
        assert_int_equal(errno, EACCES);
        assert_int_equal(files_open(&files, "shut/x"), -1);
        assert_int_equal(errno, EACCES);
    }
    scratch_regain_root();
    assert_int_equal(fchmodat(scratch.fd, "root/pass", 0755, 0), 0);
    assert_int_equal(fchmodat(scratch.fd, "root/shut", 0755, 0), 0);
}

/* A path that fits becomes one that does not, by the 400 bytes that its link puts in. */
static void links_cannot_overflow_the_trail(void **state)
{
    struct files files = { scratch.files.root_fd, true };
    char target[401], path[PATH_MAX];
    (void)state;

    for (size_t i = 0; i < 400; i++)
        target[i] = i % 2 ? '/' : '.';
    target[400] = '\0';
    scratch_link(&scratch, "root/wide", target);
    int fd = files_open(&files, "wide/a.txt");
    assert_true(fd >= 0);
    close(fd);

    memset(path, 'x', sizeof path);
    memcpy(path, "wide/", 5);
    for (size_t i = 6; i < sizeof path; i += 2)
        path[i] = '/';
    path[sizeof path - 200] = '\0';
    assert_int_equal(files_open(&files, path), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void root_must_be_a_folder(void **state)
{
    struct files files;
    char path[96];
    (void)state;

    assert_false(files_open_root(&files, "/nowhere/at/all"));
    assert_int_equal(errno, ENOENT);
    snprintf(path, sizeof path, "%s/a.txt", scratch.root);
    assert_false(files_open_root(&files, path));
    assert_int_equal(errno, ENOTDIR);
}

static void walks_where_the_call_is_refused(void **state)
{
    static const int errors[] = { ENOSYS, EPERM, EACCES };
    (void)state;

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct files files;
        failures_left = 1;
        failure = errors[i];
        assert_true(files_open_root(&files, scratch.root));
        assert_true(files.walk);
        files_close_root(&files);
        assert_int_equal(files.root_fd, -1);
    }
}

static void tries_again_for_a_while(void **state)
{
    (void)state;
    if (scratch.files.walk)
        skip();
    failure = EAGAIN;
    failures_left = 3;
    int fd = files_open(&scratch.files, "a.txt");
    assert_true(fd >= 0);
    assert_int_equal(failures_left, 0);
    close(fd);

    failure = EINTR;
    failures_left = INT_MAX;
    assert_int_equal(files_open(&scratch.files, "a.txt"), -1);
    assert_int_equal(errno, EINTR);
    failures_left = 0;
}

static void modification_in_nanoseconds(void **state)
{
    struct stat st;
    (void)state;

    scratch_date(&scratch, "root/a.txt", 1700000000, 123456789);
    assert_int_equal(fstatat(scratch.fd, "root/a.txt", &st, 0), 0);
    assert_int_equal(files_modified_ns(&st), INT64_C(1700000000123456789));
}

static void modification_beyond_counting(void **state)
{
    static const struct {
        int64_t s;
        long ns;
        int64_t modified_ns;
    } times[] = {
        { 0, 0, 0 }, { -1, 999999999, -1 }, { -5, 0, -5000000000 },
        { INT64_MAX / 1000000000, 854775807, INT64_MAX }, { INT64_MAX / 1000000000, 854775808, INT64_MAX },
        { INT64_MAX / 1000000000 + 1, 0, INT64_MAX }, { INT64_MAX, 999999999, INT64_MAX },
        { INT64_MIN / 1000000000, 0, INT64_MIN / 1000000000 * 1000000000 },
        { INT64_MIN / 1000000000 - 1, 0, INT64_MIN },
        { INT64_MIN, 0, INT64_MIN },
    };
    (void)state;

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct stat st = { .st_mtim = { times[i].s, times[i].ns } };
        assert_true(files_modified_ns(&st) == times[i].modified_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_kernel),
        cmocka_unit_test(by_the_walk),
        cmocka_unit_test(no_descriptor_is_left),
        cmocka_unit_test(passes_where_it_may),
        cmocka_unit_test(links_cannot_overflow_the_trail),
        cmocka_unit_test(root_must_be_a_folder),
        cmocka_unit_test(walks_where_the_call_is_refused),
        cmocka_unit_test(tries_again_for_a_while),
        cmocka_unit_test(modification_in_nanoseconds),
        cmocka_unit_test(modification_beyond_counting),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
