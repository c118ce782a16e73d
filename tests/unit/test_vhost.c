/* A virtual host's generations: loaded, warmed, replaced as its folder changes, and kept where something goes wrong.
 * The test is its only worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "scratch.h"
#include "server/vhost.h"
#include "stored.h"

enum { PATIENCE_MS = 20000 };

static struct scratch scratch;
static struct store store;
static struct vhost *vhost;
static atomic_int site_error; /* what building a site fails with */
static atomic_bool without_errors;

struct site *__real_site_build(const struct site_config *config, struct store *in, const struct site *before,
                               const struct changes *changes);
struct site *__wrap_site_build(const struct site_config *config, struct store *in, const struct site *before,
                               const struct changes *changes);
struct site *__wrap_site_build(const struct site_config *config, struct store *in, const struct site *before,
                               const struct changes *changes)
{
    errno = atomic_load(&site_error);
    return errno != 0 ? NULL : __real_site_build(config, in, before, changes);
}

struct errors *__real_errors_new(const struct site *site);
struct errors *__wrap_errors_new(const struct site *site);
struct errors *__wrap_errors_new(const struct site *site)
{
    return atomic_load(&without_errors) ? NULL : __real_errors_new(site);
}

static void nap(void *user, unsigned worker)
{
    (void)user, (void)worker;
}

static int start(void **state)
{
    (void)state;
    atomic_store(&site_error, 0);
    atomic_store(&without_errors, false);
    scratch_open(&scratch);
    scratch_write(&scratch, "root/a.txt", "first");
    scratch_mkdir(&scratch, "root/docs");
    scratch_write(&scratch, "root/docs/index.html", "docs");
    stored_open(&store, 1 << 20, &scratch.log);
    qsbr_free(store.qsbr);
    store.qsbr = qsbr_new(1, nap, NULL);
    assert_non_null(store.qsbr);
    vhost = vhost_new(&store);
    assert_non_null(vhost);
    vhost->config.root = scratch.root;
    return 0;
}

static int end(void **state)
{
    (void)state;
    qsbr_end(store.qsbr, 0);
    vhost_stop(vhost);
    vhost_free(vhost);
    stored_close(&store);
    scratch_close(&scratch);
    return 0;
}

static bool said(const char *text)
{
    pthread_mutex_lock(&scratch.lock);
    bool found = strstr(scratch.lines, text) != NULL;
    pthread_mutex_unlock(&scratch.lock);
    return found;
}

/* A turn of the worker: what the page's file holds as the current generation knows it; 0: no such page. */
static uint64_t size_of(const char *path)
{
    const struct generation *generation = vhost_generation(vhost);
    const struct page *page = site_page(generation->site, slice_text(path));
    uint64_t size = page ? page->size : 0;
    qsbr_announce(store.qsbr, 0);
    return size;
}

static void await_size(const char *path, uint64_t size)
{
    for (int i = 0; size_of(path) != size && i < PATIENCE_MS; i++)
        usleep(1000);
    assert_int_equal(size_of(path), size);
}

static void await_said(const char *text)
{
    for (int i = 0; !said(text) && i < PATIENCE_MS; i++) {
        usleep(1000);
        qsbr_announce(store.qsbr, 0);
    }
    assert_true(said(text));
}

static void without_pages(void **state)
{
    struct vhost *none = vhost_new(&store);
    (void)state;
    assert_non_null(none);
    assert_true(vhost_load(none));
    assert_null(vhost_generation(none)->site);
    assert_non_null(vhost_generation(none)->errors);
    vhost_warm(none, 2, 1000);
    assert_true(vhost_follow(none, VHOST_WATCH_AUTO));
    assert_int_equal(vhost_stats(none).pages, 0);
    vhost_stop(none);
    vhost_free(none);
    assert_true(vhost_load(vhost));
}

static void a_root_that_is_not_there(void **state)
{
    struct vhost *lost = vhost_new(&store);
    (void)state;
    assert_non_null(lost);
    lost->config.root = "/nowhere/at/all";
    assert_false(vhost_load(lost));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(vhost_stats(lost).pages, 0);
    vhost_stop(lost);
    vhost_free(lost);
    vhost_free(NULL);
}

static void no_memory_at_the_start(void **state)
{
    (void)state;
    atomic_store(&without_errors, true);
    assert_false(vhost_load(vhost));
    assert_int_equal(errno, ENOMEM);
}

static void is_warm_when_it_says_so(void **state)
{
    (void)state;
    assert_true(vhost_load(vhost));
    assert_int_equal(vhost_stats(vhost).pages_in_memory, 0);
    vhost_warm(vhost, 2, PATIENCE_MS);
    struct site_stats stats = vhost_stats(vhost);
    assert_int_equal(stats.pages, 2);
    assert_int_equal(stats.pages_in_memory, 2);
    assert_int_equal(stats.bytes_in_memory, 9);
}

static void follows(enum vhost_watch watch)
{
    assert_true(vhost_load(vhost));
    vhost_warm(vhost, 1, PATIENCE_MS);
    assert_true(vhost_follow(vhost, watch));
    scratch_write(&scratch, "root/a.txt", "changed");
    await_size("/a.txt", 7);
    scratch_write(&scratch, "root/b.txt", "new");
    await_size("/b.txt", 3);
    assert_int_equal(unlinkat(scratch.fd, "root/b.txt", 0), 0);
    await_size("/b.txt", 0);
    assert_int_equal(size_of("/docs/index.html"), 4);
    for (int i = 0; vhost_stats(vhost).pages_in_memory < 2 && i < PATIENCE_MS; i++)
        usleep(1000);
    assert_int_equal(vhost_stats(vhost).pages_in_memory, 2); /* those that are new have been read before */
}

static void follows_by_inotify(void **state)
{
    (void)state;
    follows(VHOST_WATCH_AUTO);
}

static void follows_by_rescan(void **state)
{
    (void)state;
    follows(VHOST_WATCH_RESCAN);
}

static void what_has_not_changed_is_taken_over(void **state)
{
    (void)state;
    assert_true(vhost_load(vhost));
    vhost_warm(vhost, 1, PATIENCE_MS);
    const struct page *docs = site_page(vhost_generation(vhost)->site, SLICE("/docs/index.html"));
    struct cached *cached = page_cache_find(&docs->slot);
    assert_non_null(cached);
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    for (unsigned i = 1; i < 5; i++) {
        scratch_write_bytes(&scratch, "root/a.txt", "xxxxx", i);
        await_size("/a.txt", i);
        assert_ptr_equal(site_page(vhost_generation(vhost)->site, SLICE("/docs/index.html")), docs);
        assert_ptr_equal(page_cache_find(&docs->slot), cached);
    }
}

/* The worker has turns, and somebody reclaims. */
static void await_objects(size_t count)
{
    struct page_cache_stats stats = page_cache_stats(&store.cache);
    for (int i = 0; (stats.leaving > 0 || stats.objects != count) && i < PATIENCE_MS; i++) {
        qsbr_announce(store.qsbr, 0);
        qsbr_reclaim(store.qsbr);
        usleep(1000);
        stats = page_cache_stats(&store.cache);
    }
    assert_int_equal(stats.leaving, 0);
    assert_int_equal(stats.objects, count);
}

/* Whoever holds an old generation finds in it what was there, until he lets go; its memory goes with it. */
static void an_old_generation_can_be_held(void **state)
{
    (void)state;
    assert_true(vhost_load(vhost));
    vhost_warm(vhost, 1, PATIENCE_MS);
    struct site *held = vhost_generation(vhost)->site;
    hold_ref(&held->hold);
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    for (uint64_t i = 1; i < 5; i++) {
        scratch_write_bytes(&scratch, "root/a.txt", "xxxxx", i);
        await_size("/a.txt", i);
    }
    struct page *page = site_page(held, SLICE("/a.txt"));
    assert_int_equal(page->size, 5);
    assert_non_null(page_cache_find(&page->slot));
    site_unref(held);
    await_objects(2);
}

/* ---- Who has just read a page ---- */

/* When its grace ends, once that has begun, which is a moment after it can be seen. */
static uint64_t grace_end(void)
{
    uint64_t until;
    while ((until = atomic_load(&vhost_generation(vhost)->before_until_ms)) == UINT64_MAX)
        usleep(100);
    return until;
}

static struct page *before_at(const char *path, uint64_t now_ms)
{
    struct site *site = NULL;
    struct page *page = vhost_find_before(vhost, slice_text(path), now_ms, &site);
    assert_true(page == NULL ? site == NULL : site != vhost_generation(vhost)->site);
    qsbr_announce(store.qsbr, 0);
    return page;
}

static void remove_file(const char *path)
{
    assert_int_equal(unlinkat(scratch.fd, path, 0), 0);
}

static void follow_with_grace(unsigned grace_ms)
{
    vhost->grace_ms = grace_ms;
    assert_true(vhost_load(vhost));
    vhost_warm(vhost, 1, PATIENCE_MS);
    assert_null(before_at("/a.txt", 0)); /* nothing is before the first one */
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
}

/* Not what another generation may have made of a path, nor addresses that redirect: pages. */
static void what_has_just_gone_is_found(void **state)
{
    (void)state;
    follow_with_grace(PATIENCE_MS * 10);
    remove_file("root/a.txt");
    await_size("/a.txt", 0);
    uint64_t until = grace_end();
    struct page *page = before_at("/a.txt", until - 1);
    assert_non_null(page);
    assert_string_equal(page->path, "/a.txt");
    assert_non_null(page_cache_find(&page->slot));
    assert_null(before_at("/a.txt", until));
    assert_non_null(before_at("/docs/", until - 1));
    assert_null(before_at("/docs", until - 1));
    assert_null(before_at("/nothing", until - 1));
}

/* Deploys that follow one another closely do not cut one another's grace short. */
static void each_has_its_own_grace(void **state)
{
    (void)state;
    follow_with_grace(PATIENCE_MS * 10);
    remove_file("root/a.txt");
    await_size("/a.txt", 0);
    for (uint64_t i = 1; i <= 3; i++) {
        scratch_write_bytes(&scratch, "root/b.txt", "xxxxx", i);
        await_size("/b.txt", i);
    }
    remove_file("root/docs/index.html");
    await_size("/docs/index.html", 0);
    uint64_t now = grace_end() - 1;
    assert_non_null(before_at("/docs/index.html", now));
    assert_null(before_at("/a.txt", now));
    assert_non_null(before_at("/a.txt", 0));
    assert_int_equal(before_at("/b.txt", 0)->size, 3); /* the latest */
}

static bool nothing_is_before(void)
{
    bool nothing = atomic_load(&vhost_generation(vhost)->before) == NULL;
    qsbr_announce(store.qsbr, 0);
    return nothing;
}

static void its_end_comes_by_itself(void **state)
{
    (void)state;
    follow_with_grace(1);
    for (uint64_t i = 1; i <= 3; i++) {
        scratch_write_bytes(&scratch, "root/b.txt", "xxxxx", i);
        await_size("/b.txt", i);
    }
    remove_file("root/a.txt");
    await_size("/a.txt", 0);
    for (int i = 0; !nothing_is_before() && i < PATIENCE_MS; i++)
        usleep(1000);
    assert_true(nothing_is_before());
    assert_null(before_at("/a.txt", 0));
    await_objects(2);
}

/* The one before is kept whatever it takes; of the others as many as there are pages left for. */
static void large_ones_are_not_kept_beside_one_another(void **state)
{
    static const struct {
        size_t pages;
        bool found;
    } rows[] = { { 3, false }, { 4, true } }; /* the two before the current one have three */
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        vhost->grace_pages = rows[i].pages;
        follow_with_grace(PATIENCE_MS * 10);
        remove_file("root/a.txt");
        await_size("/a.txt", 0);
        scratch_write(&scratch, "root/b.txt", "new");
        await_size("/b.txt", 3);
        remove_file("root/docs/index.html");
        await_size("/docs/index.html", 0);
        assert_non_null(before_at("/docs/index.html", 0));
        assert_int_equal(before_at("/a.txt", 0) != NULL, rows[i].found);
        end(state);
        start(state);
    }
}

/* Read ahead, but for what had no room beside the generation before: that is read when there is. */
static void room_that_comes_when_it_is_over(void **state)
{
    static char half[90 << 10];
    char path[64];
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "root/%u.dat", i);
        scratch_write_bytes(&scratch, path, half, sizeof half);
    }
    follow_with_grace(VHOST_GRACE_MS);
    assert_int_equal(vhost_stats(vhost).pages_in_memory, 12);
    scratch_mkdir(&scratch, "next");
    for (unsigned i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "next/%u.dat", i);
        scratch_write_bytes(&scratch, path, half, sizeof half);
    }
    assert_int_equal(renameat(scratch.fd, "root", scratch.fd, "last"), 0);
    assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "root"), 0);
    await_size("/a.txt", 0);
    for (int i = 0; vhost_stats(vhost).pages_in_memory < 10 && i < PATIENCE_MS; i++) {
        qsbr_announce(store.qsbr, 0);
        usleep(1000);
    }
    assert_int_equal(vhost_stats(vhost).pages_in_memory, 10);
}

/* ---- Who waits for the next generation ---- */

struct patient {
    struct vhost_waiter waiter;
    atomic_uint woken;
};

static void count_woken(struct vhost_waiter *waiter)
{
    atomic_fetch_add(&((struct patient *)waiter)->woken, 1);
}

static struct patient patient_until(uint64_t until_ms)
{
    return (struct patient){ .waiter = { .until_ms = until_ms, .wake = count_woken } };
}

static void await_woken(struct patient *patient)
{
    for (int i = 0; atomic_load(&patient->woken) == 0 && i < PATIENCE_MS; i++) {
        qsbr_announce(store.qsbr, 0);
        usleep(1000);
    }
    assert_int_equal(atomic_load(&patient->woken), 1);
}

static void nobody_waits_where_nobody_follows(void **state)
{
    struct patient patient = patient_until(0);
    (void)state;
    assert_true(vhost_load(vhost));
    assert_false(vhost_await(vhost, &patient.waiter, vhost_generation(vhost)));
    assert_false(vhost_await(vhost, &patient.waiter, NULL));
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    assert_true(vhost_await(vhost, &patient.waiter, vhost_generation(vhost)));
    vhost_stop(vhost);
    assert_int_equal(patient.woken, 1);
    assert_false(vhost_await(vhost, &patient.waiter, NULL));
    assert_int_equal(patient.woken, 1);
}

static void the_next_one_wakes_all(void **state)
{
    struct patient patients[3] = { patient_until(UINT64_MAX), patient_until(UINT64_MAX), patient_until(UINT64_MAX) };
    (void)state;
    assert_true(vhost_load(vhost));
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    const struct generation *seen = vhost_generation(vhost);
    for (size_t i = 0; i < 3; i++)
        assert_true(vhost_await(vhost, &patients[i].waiter, seen));
    assert_int_equal(atomic_load(&patients[0].woken), 0);
    scratch_write(&scratch, "root/a.txt", "changed");
    for (size_t i = 0; i < 3; i++)
        await_woken(&patients[i]);
    assert_int_equal(size_of("/a.txt"), 7);
    assert_true(vhost_await(vhost, &patients[0].waiter, seen)); /* it is there already */
    assert_int_equal(atomic_load(&patients[0].woken), 2);
}

static void patience_ends(void **state)
{
    struct patient hasty = patient_until(0), patient = patient_until(UINT64_MAX);
    (void)state;
    assert_true(vhost_load(vhost));
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    assert_true(vhost_await(vhost, &patient.waiter, vhost_generation(vhost)));
    assert_true(vhost_await(vhost, &hasty.waiter, vhost_generation(vhost)));
    await_woken(&hasty);
    assert_int_equal(atomic_load(&patient.woken), 0);
    vhost_stop(vhost);
    assert_int_equal(atomic_load(&patient.woken), 1);
}

/* What is wrong is said, what was served goes on being served, and the next change is seen as ever. */
static void what_cannot_be_read(void **state)
{
    (void)state;
    assert_true(vhost_load(vhost));
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    scratch_write(&scratch, "root/a.txt", "1");
    await_size("/a.txt", 1);
    atomic_store(&site_error, EACCES);
    scratch_write(&scratch, "root/a.txt", "22");
    await_said("cannot be read: Permission denied; what was served goes on being served");
    assert_int_equal(size_of("/a.txt"), 1);
    atomic_store(&site_error, 0);
    scratch_write(&scratch, "root/a.txt", "333");
    await_size("/a.txt", 3);

    atomic_store(&without_errors, true);
    scratch_write(&scratch, "root/a.txt", "4444");
    await_said("out of memory; what was served goes on being served");
    assert_int_equal(size_of("/a.txt"), 3);
    atomic_store(&without_errors, false);
    scratch_write(&scratch, "root/a.txt", "55555");
    await_size("/a.txt", 5);
}

static void the_root_is_replaced(void **state)
{
    (void)state;
    scratch_mkdir(&scratch, "next");
    scratch_write(&scratch, "next/a.txt", "of the next");
    assert_true(vhost_load(vhost));
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    scratch_write(&scratch, "root/a.txt", "1");
    await_size("/a.txt", 1);
    assert_int_equal(renameat(scratch.fd, "root", scratch.fd, "last"), 0);
    assert_int_equal(renameat(scratch.fd, "next", scratch.fd, "root"), 0);
    await_size("/a.txt", 11);
    assert_int_equal(size_of("/docs/index.html"), 0);
}

static void a_folder_that_is_empty(void **state)
{
    (void)state;
    assert_int_equal(unlinkat(scratch.fd, "root/a.txt", 0), 0);
    assert_int_equal(unlinkat(scratch.fd, "root/docs/index.html", 0), 0);
    assert_true(vhost_load(vhost));
    vhost_warm(vhost, 2, PATIENCE_MS);
    assert_int_equal(vhost_stats(vhost).pages, 0);
    assert_true(vhost_follow(vhost, VHOST_WATCH_AUTO));
    scratch_write(&scratch, "root/a.txt", "1");
    await_size("/a.txt", 1);
    assert_int_equal(unlinkat(scratch.fd, "root/a.txt", 0), 0);
    await_size("/a.txt", 0);
    scratch_write(&scratch, "root/a.txt", "22");
    await_size("/a.txt", 2);
}

static void does_not_follow_when_told(void **state)
{
    (void)state;
    assert_true(vhost_load(vhost));
    assert_true(vhost_follow(vhost, VHOST_WATCH_OFF));
    assert_null(vhost->watcher);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_pages),
        TEST(a_root_that_is_not_there),
        TEST(no_memory_at_the_start),
        TEST(is_warm_when_it_says_so),
        TEST(follows_by_inotify),
        TEST(follows_by_rescan),
        TEST(what_has_not_changed_is_taken_over),
        TEST(an_old_generation_can_be_held),
        TEST(what_has_just_gone_is_found),
        TEST(each_has_its_own_grace),
        TEST(its_end_comes_by_itself),
        TEST(large_ones_are_not_kept_beside_one_another),
        TEST(room_that_comes_when_it_is_over),
        TEST(nobody_waits_where_nobody_follows),
        TEST(the_next_one_wakes_all),
        TEST(patience_ends),
        TEST(what_cannot_be_read),
        TEST(the_root_is_replaced),
        TEST(a_folder_that_is_empty),
        TEST(does_not_follow_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
