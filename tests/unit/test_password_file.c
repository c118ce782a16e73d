/* A password file that changes while it is in use: what takes over, what does not, and what is remembered meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "credentials.h"
#include "failing_memory.h"
#include "scratch.h"
#include "serve/password_file.h"

static struct scratch scratch;
static struct qsbr *qsbr;
static char path[128], why_text[WHY_SIZE];

/* ---- The system, at work and made to fail ------------------------------------------------------------------- */

/* What somebody else does while the file is read, and while a hash is made. Once. */
static void (*_Atomic while_read)(void), (*_Atomic while_hashed)(void);
static bool no_hash;

static void happen(void (*_Atomic *event)(void))
{
    void (*now)(void) = atomic_exchange(event, NULL);
    if (now)
        now();
}

ssize_t __real_read(int fd, void *out, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size)
{
    happen(&while_read);
    return __real_read(fd, out, size);
}

char *__real_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    happen(&while_hashed);
    errno = ENOMEM;
    return no_hash ? NULL : __real_crypt_rn(phrase, setting, data, size);
}

/* ---- The scene ---------------------------------------------------------------------------------------------- */

static void write_file(const char *text)
{
    scratch_write(&scratch, "htpasswd", text);
}

/* As an editor does that is careful. */
static void put_in_place(const char *text)
{
    scratch_write(&scratch, "next", text);
    assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "htpasswd"), 0);
}

static struct password_file *open_file(void)
{
    strcpy(why_text, "");
    return password_file_new(slice_text(path), qsbr, &scratch.log, (struct why){ why_text, sizeof why_text });
}

static struct password_file *must_open(const char *text)
{
    write_file(text);
    struct password_file *file = open_file();
    if (!file)
        fail_msg("%s", why_text);
    return file;
}

static bool look(struct password_file *file, const char *who, uint64_t now_ms)
{
    return password_file_look(file, slice_text(credentials(who)), now_ms);
}

static bool remembers(struct password_file *file, const char *who, uint64_t now_ms)
{
    return password_file_remembers(file, slice_text(credentials(who)), now_ms);
}

static enum password_result check(struct password_file *file, const char *who, uint64_t now_ms)
{
    return password_file_check(file, slice_text(credentials(who)), now_ms);
}

/* Clears what was said. */
static void expect_line(const char *line)
{
    if (!strstr(scratch.lines, line))
        fail_msg("no line \"%s\" in:\n%s", line, scratch.lines);
    scratch.lines[0] = '\0';
}

static void expect_silence(void)
{
    assert_string_equal(scratch.lines, "");
}

static void wake_nobody(void *user, unsigned worker)
{
    (void)user, (void)worker;
}

static int set_up(void **state)
{
    (void)state;
    scratch_open(&scratch);
    snprintf(path, sizeof path, "%s/htpasswd", scratch.folder);
    qsbr = qsbr_new(1, wake_nobody, NULL);
    assert_non_null(qsbr);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    qsbr_end(qsbr, 0);
    qsbr_free(qsbr);
    scratch_close(&scratch);
    return 0;
}

/* ---- Opening ------------------------------------------------------------------------------------------------ */

static void says_what_is_wrong_at_the_start(void **state)
{
    (void)state;
    assert_null(open_file());
    assert_non_null(strstr(why_text, "htpasswd: No such file or directory"));
    write_file(ANNA "berta\n");
    assert_null(open_file());
    assert_non_null(strstr(why_text, "htpasswd:2: no colon"));
    password_file_free(NULL);
}

static void does_without_memory(void **state)
{
    (void)state;
    write_file(ANNA);
    for (long i = 0;; i++) {
        allocations_left = i;
        errno = ENOMEM; /* as malloc leaves it; what succeeds lets it be */
        struct password_file *file = open_file();
        allocations_left = -1;
        if (file) {
            assert_true(i >= 4);
            password_file_free(file);
            return;
        }
        assert_non_null(strstr(why_text, "Cannot allocate memory"));
        assert_true(i < 100);
    }
}

/* ---- Asking ------------------------------------------------------------------------------------------------- */

static void checks_and_remembers(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    assert_int_equal(check(file, "anna:wrong", 5000), PASSWORD_WRONG);
    assert_int_equal(check(file, "berta:geheim", 5000), PASSWORD_WRONG);
    assert_false(remembers(file, "anna:secret", 5000));
    assert_int_equal(check(file, "anna:secret", 5000), PASSWORD_RIGHT);
    assert_true(remembers(file, "anna:secret", 5000));
    assert_false(remembers(file, "anna:wrong", 5000));
    no_hash = true;
    assert_int_equal(check(file, "anna:other", 5000), PASSWORD_FAILED);
    assert_int_equal(errno, ENOMEM);
    no_hash = false;
    password_file_free(file);
}

static void is_stale_after_a_second(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    assert_true(password_file_stale(file, 50000)); /* never looked at */
    assert_false(look(file, "anna:secret", 50000));
    assert_false(password_file_stale(file, 50000));
    assert_false(password_file_stale(file, 50999));
    assert_true(password_file_stale(file, 51000));
    assert_false(password_file_stale(file, 49000)); /* the clock of another worker */
    expect_silence();
    password_file_free(file);
}

static void is_looked_at_once_a_second(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    look(file, "", 50000);
    put_in_place(BERTA);
    look(file, "", 50999);
    look(file, "", 48000);
    expect_silence();
    look(file, "", 51000);
    expect_line("htpasswd: has changed and was read again");
    password_file_free(file);
}

/* ---- Changes ------------------------------------------------------------------------------------------------ */

static void a_new_file_takes_over(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    assert_int_equal(check(file, "anna:secret", 50000), PASSWORD_RIGHT);
    assert_true(look(file, "anna:secret", 50000));
    write_file(BERTA "# who is not here any more\n");
    assert_false(look(file, "anna:secret", 51000));
    assert_false(remembers(file, "anna:secret", 51000));
    assert_int_equal(check(file, "anna:secret", 51000), PASSWORD_WRONG);
    assert_int_equal(check(file, "berta:geheim", 51000), PASSWORD_RIGHT);
    assert_true(look(file, "berta:geheim", 52000));
    expect_line("has changed and was read again");
    password_file_free(file);
}

/* Nothing but its inode and the time of its last status change differs. */
static void one_that_looks_the_same_is_noticed(void **state)
{
    (void)state;
    write_file(ANNA);
    scratch_date(&scratch, "htpasswd", 1000, 0);
    struct password_file *file = open_file();
    assert_non_null(file);
    scratch_write(&scratch, "next", "anne:$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C\n");
    scratch_date(&scratch, "next", 1000, 0);
    assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "htpasswd"), 0);
    look(file, "", 50000);
    expect_line("has changed and was read again");
    assert_int_equal(check(file, "anne:secret", 50000), PASSWORD_RIGHT);
    password_file_free(file);
}

static void a_broken_one_does_not(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    assert_int_equal(check(file, "anna:secret", 50000), PASSWORD_RIGHT);
    write_file(ANNA BERTA "carla:plain\n");
    assert_true(look(file, "anna:secret", 50000));
    expect_line("htpasswd:3: what is behind \"carla:\" is ");
    look(file, "", 51000);
    look(file, "", 52000);
    expect_silence(); /* it was said */
    put_in_place("# nobody\n");
    look(file, "", 53000);
    expect_line("htpasswd: no entry");
    assert_int_equal(check(file, "anna:secret", 53000), PASSWORD_RIGHT);
    put_in_place(BERTA);
    look(file, "", 54000);
    expect_line("has changed and was read again");
    assert_int_equal(check(file, "anna:secret", 54000), PASSWORD_WRONG);
    password_file_free(file);
}

static void one_that_is_gone_does_not(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    assert_int_equal(unlinkat(scratch.fd, "htpasswd", 0), 0);
    look(file, "", 50000);
    expect_line("htpasswd: No such file or directory; what was read before stays in force");
    look(file, "", 51000);
    expect_silence();
    assert_int_equal(check(file, "anna:secret", 51000), PASSWORD_RIGHT);
    write_file(BERTA);
    look(file, "", 52000);
    expect_line("has changed and was read again");
    password_file_free(file);
}

static void write_more(void)
{
    write_file(ANNA BERTA);
}

static void write_worse(void)
{
    write_file(ANNA BERTA "carl");
}

/* Half of it may have been read, or none: whoever writes has not come to the end. */
static void one_that_is_being_written_waits(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    write_file("");
    while_read = write_more;
    look(file, "", 50000);
    expect_silence();
    assert_int_equal(check(file, "anna:secret", 50000), PASSWORD_RIGHT);
    look(file, "", 51000);
    expect_line("has changed and was read again");
    assert_int_equal(check(file, "berta:geheim", 51000), PASSWORD_RIGHT);

    write_file(BERTA);
    while_read = write_worse;
    look(file, "", 52000);
    expect_silence();
    look(file, "", 53000);
    expect_line("htpasswd:3: no colon");
    assert_int_equal(check(file, "berta:geheim", 53000), PASSWORD_RIGHT);
    password_file_free(file);
}

static void one_that_changes_at_the_start_is_read_again(void **state)
{
    (void)state;
    write_file(ANNA);
    while_read = write_more;
    struct password_file *file = open_file();
    assert_non_null(file);
    look(file, "", 50000);
    assert_int_equal(check(file, "berta:geheim", 50000), PASSWORD_RIGHT);
    password_file_free(file);
}

/* A shortage passes: it is tried again. */
static void memory_may_fail_at_a_change(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    write_file(BERTA);
    for (long i = 0; i < 3; i++) {
        allocations_left = i;
        errno = ENOMEM; /* as malloc leaves it; what succeeds lets it be */
        look(file, "", 50000 + 1000 * (uint64_t)i);
        allocations_left = -1;
        assert_int_equal(check(file, "anna:secret", 50000), PASSWORD_RIGHT);
    }
    expect_line("Cannot allocate memory; what was read before stays in force");
    look(file, "", 53000);
    expect_line("has changed and was read again");
    assert_int_equal(check(file, "berta:geheim", 53000), PASSWORD_RIGHT);
    password_file_free(file);
}

/* ---- What is in use stays ----------------------------------------------------------------------------------- */

static struct password_file *in_use;

static void replace_and_reclaim(void)
{
    write_file(BERTA);
    look(in_use, "", 60000);
    expect_line("has changed and was read again");
    qsbr_announce(qsbr, 0);
    assert_int_equal(qsbr_reclaim(qsbr), 0);
}

static void a_check_goes_on_with_what_it_began(void **state)
{
    (void)state;
    in_use = must_open(ANNA);
    while_hashed = replace_and_reclaim;
    assert_int_equal(check(in_use, "anna:secret", 50000), PASSWORD_RIGHT);
    assert_false(remembers(in_use, "anna:secret", 50000)); /* by those that are gone */
    password_file_free(in_use);
}

static void goes_when_no_worker_sees_it(void **state)
{
    (void)state;
    struct password_file *file = must_open(ANNA);
    write_file(BERTA);
    look(file, "", 50000);
    assert_int_equal(qsbr_reclaim(qsbr), 1);
    qsbr_announce(qsbr, 0);
    look(file, "", 50001); /* reclaims */
    assert_int_equal(qsbr_reclaim(qsbr), 0);
    password_file_free(file);
}

/* ---- Threads ------------------------------------------------------------------------------------------------ */

static atomic_bool enough;

/* The worker, who may not hold what it saw beyond a turn. */
static void *turn(void *user)
{
    struct password_file *file = user;
    for (uint64_t now_ms = 0; !atomic_load(&enough); now_ms++) {
        password_file_stale(file, now_ms);
        remembers(file, "anna:secret", now_ms);
        qsbr_announce(qsbr, 0);
    }
    return NULL;
}

static void *look_often(void *user)
{
    struct password_file *file = user;
    for (uint64_t i = 0; i < 40; i++) {
        look(file, "anna:secret", 50000 + 500 * i);
        assert_int_not_equal(check(file, "anna:secret", 50000 + 500 * i), PASSWORD_FAILED);
    }
    return NULL;
}

static void is_used_by_many(void **state)
{
    (void)state;
    pthread_t worker, others[2];
    struct password_file *file = must_open(ANNA);
    atomic_store(&enough, false);
    assert_int_equal(pthread_create(&worker, NULL, turn, file), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&others[i], NULL, look_often, file), 0);
    for (unsigned i = 0; i < 10; i++) {
        put_in_place(i % 2 ? ANNA : ANNA BERTA);
        usleep(5000);
    }
    for (size_t i = 0; i < 2; i++)
        pthread_join(others[i], NULL);
    atomic_store(&enough, true);
    pthread_join(worker, NULL);
    password_file_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_what_is_wrong_at_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_without_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checks_and_remembers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_stale_after_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_looked_at_once_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_takes_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_looks_the_same_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_one_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_gone_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_being_written_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_changes_at_the_start_is_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_may_fail_at_a_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_check_goes_on_with_what_it_began, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_when_no_worker_sees_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_used_by_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
