/* Sidecars of a page that is read into the store: good, old, bad and too large ones, those that change meanwhile; and
 * missing memory at every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader_fixture.h"

enum { TEXT_SIZE = 4000 };
static char *text;

static void sidecar_path(char *path, size_t size, enum coding coding)
{
    snprintf(path, size, "root/x.txt%s", coding_suffix(coding).data);
}

/* "x.txt", beside it what holds it in every coding that can be made here. */
static void make_sidecars(size_t size)
{
    char path[64];
    text = compressible(size);
    old_file("root/x.txt", text);
    page = page_of_file("x.txt");
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        size_t encoded_size = 0;
        char *encoded = compress_content(coding, slice_text(text), &encoded_size);
        if (!encoded)
            continue;
        sidecar_path(path, sizeof path, coding);
        scratch_write_bytes(&scratch, path, encoded, encoded_size);
        scratch_date(&scratch, path, OLD, 0);
        page->sidecars |= (uint8_t)coding_bit(coding);
        free(encoded);
    }
    assert_int_equal(page->sidecars, compress_codings());
}

static unsigned codings_there(void)
{
    unsigned there = 0;
    for (unsigned coding = 1; coding < CODING_COUNT; coding++)
        if (content_in(content_of_page(page), coding))
            there |= coding_bit(coding);
    return there;
}

/* Another try, with what is beside it now. */
static void again(void)
{
    uint8_t sidecars = page->sidecars;
    leave(page);
    fixture_settle();
    page = page_of_file("x.txt");
    page->sidecars = sidecars;
    loads(text);
}

static void sidecars_are_used(void **state)
{
    (void)state;
    make_sidecars(TEXT_SIZE);
    loads(text);
    assert_int_equal(codings_there(), compress_codings());
    assert_int_equal(content_of_page(page)->wanted, 0);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        const struct representation *made = content_in(content_of_page(page), coding);
        if (made)
            assert_true(compress_holds(coding, slice_make(made->bytes, made->size), slice_text(text)));
    }
    expect_silence();
    free(text);
}

static void only_those_that_the_page_knows_of(void **state)
{
    (void)state;
    make_sidecars(TEXT_SIZE);
    page->sidecars = 0;
    loads(text);
    assert_int_equal(codings_there(), 0);
    assert_int_equal(content_of_page(page)->wanted, compress_codings());
    free(text);
}

static void for_each_sidecar(void (*spoil)(const char *path), const char *line)
{
    char path[64], full[128];

    make_sidecars(TEXT_SIZE);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        if (!(page->sidecars & coding_bit(coding)))
            continue;
        sidecar_path(path, sizeof path, coding);
        spoil(path);
        again();
        assert_int_equal(codings_there() & coding_bit(coding), 0);
        assert_int_equal(content_of_page(page)->wanted & coding_bit(coding), coding_bit(coding)); /* is made instead */
        if (line) {
            snprintf(full, sizeof full, "%s: /%s\n", line, path + 5);
            expect_line(full);
            page->sidecars &= (uint8_t)~coding_bit(coding);
        }
    }
    expect_silence();
    free(text);
}

static void become_older(const char *path)
{
    scratch_date(&scratch, path, OLD - 1, 999999999);
}

static void older_than_the_page(void **state)
{
    (void)state;
    for_each_sidecar(become_older, NULL);
}

static void become_newer(const char *path)
{
    scratch_date(&scratch, path, OLD + 1000000, 0);
}

static void newer_than_the_page(void **state)
{
    char path[64];
    (void)state;

    make_sidecars(TEXT_SIZE);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        sidecar_path(path, sizeof path, coding);
        if (page->sidecars & coding_bit(coding))
            become_newer(path);
    }
    loads(text);
    assert_int_equal(codings_there(), compress_codings());
    free(text);
}

static void go(const char *path)
{
    assert_int_equal(unlinkat(scratch.fd, path, 0), 0);
}

static void gone_since(void **state)
{
    (void)state;
    for_each_sidecar(go, NULL);
}

static void become_folder(const char *path)
{
    go(path);
    scratch_mkdir(&scratch, path);
}

static void folders_now(void **state)
{
    (void)state;
    for_each_sidecar(become_folder, NULL);
}

static void become_fifo(const char *path)
{
    go(path);
    assert_int_equal(mkfifoat(scratch.fd, path, 0644), 0);
}

static void fifos_now(void **state)
{
    (void)state;
    for_each_sidecar(become_fifo, NULL);
}

static void lead_out(const char *path)
{
    go(path);
    scratch_link(&scratch, path, "/etc/passwd");
}

static void links_that_lead_out(void **state)
{
    (void)state;
    for_each_sidecar(lead_out, NULL);
}

/* As large as the page: it would be of no use. */
static void swell(const char *path)
{
    int fd = openat(scratch.fd, path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, TEXT_SIZE), 0);
    close(fd);
}

static void no_smaller_than_the_page(void **state)
{
    (void)state;
    for_each_sidecar(swell, NULL);
}

static void truncate_it(const char *path)
{
    struct stat st;
    int fd = openat(scratch.fd, path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
    close(fd);
}

static void truncated(void **state)
{
    (void)state;
    for_each_sidecar(truncate_it, "not used, it does not hold what the file beside it does");
}

static void append(const char *path)
{
    int fd = openat(scratch.fd, path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "rubbish", 7), 7);
    close(fd);
}

static void with_rubbish_behind_it(void **state)
{
    (void)state;
    for_each_sidecar(append, "not used, it does not hold what the file beside it does");
}

static void be_emptied(const char *path)
{
    scratch_write(&scratch, path, "");
}

static void empty_ones(void **state)
{
    (void)state;
    for_each_sidecar(be_emptied, "not used, it does not hold what the file beside it does");
}

/* What `zstd --long=24` makes of a run of 4000 times "a": a frame with a window of 16 MiB, for which browsers have no
 * memory. */
static void with_a_window_that_is_too_large(void **state)
{
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\x70\x03\x7d\x00" "a";
    (void)state;
    if (!(compress_codings() & coding_bit(CODING_ZSTD)))
        skip();
    text = compressible(TEXT_SIZE);
    memset(text, 'a', TEXT_SIZE);
    old_file("root/x.txt", text);
    scratch_write_bytes(&scratch, "root/x.txt.zst", frame, sizeof frame - 1);
    scratch_date(&scratch, "root/x.txt.zst", OLD, 0);
    page = page_of_file("x.txt");
    page->sidecars = coding_bit(CODING_ZSTD);
    loads(text);
    assert_int_equal(codings_there(), 0);
    assert_int_equal(content_of_page(page)->wanted, compress_codings()); /* is made instead */
    expect_line("not used, browsers have no window of more than 8 MiB (zstd without --ultra or --long makes a smaller "
                "one): /x.txt.zst\n");
    scratch_write_bytes(&scratch, "root/x.txt.zst", "\x28\xb5\x2f\xfd\x00\x68\x03\x7d\x00" "a", sizeof frame - 1);
    scratch_date(&scratch, "root/x.txt.zst", OLD, 0);
    again();
    assert_int_equal(codings_there(), coding_bit(CODING_ZSTD));
    expect_silence();
    free(text);
}

/* Well-formed, but of another text. */
static void of_another_page(void **state)
{
    char *other = compressible(TEXT_SIZE), path[64];
    (void)state;

    other[TEXT_SIZE / 2] = '!';
    make_sidecars(TEXT_SIZE);
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        size_t size = 0;
        char *encoded = compress_content(coding, slice_text(other), &size);
        sidecar_path(path, sizeof path, coding);
        if (encoded)
            scratch_write_bytes(&scratch, path, encoded, size);
        free(encoded);
    }
    loads(text);
    assert_int_equal(codings_there(), 0);
    assert_int_equal(content_of_page(page)->wanted, compress_codings());
    free(other);
    free(text);
}

static void grow_sidecars(void)
{
    char path[64];
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        sidecar_path(path, sizeof path, coding);
        if (page->sidecars & coding_bit(coding))
            append(path);
    }
}

static void sidecars_that_do_not_hold_still(void **state)
{
    (void)state;
    make_sidecars(TEXT_SIZE);
    quiet_reads = 2; /* the page's: its content, and its end */
    events_left = INT_MAX;
    event = grow_sidecars;
    loads(text);
    events_left = 0;
    assert_int_equal(codings_there(), 0);
    expect_silence(); /* next time it will be different */
    free(text);
}

/* Where there is room for the page and one sidecar only, that is what is kept. */
static void sidecars_that_do_not_fit(void **state)
{
    size_t size = BUDGET / PAGE_CACHE_SHARE / 2;
    char path[64], *noise = malloc(size);
    uint32_t number = 1;
    (void)state;

    assert_non_null(noise);
    for (size_t i = 0; i < size; i++) { /* which becomes smaller by a quarter: three bytes out of four */
        number = number * 1664525 + 1013904223;
        noise[i] = (char)(number >> 26);
    }
    scratch_write_bytes(&scratch, "root/x.txt", noise, size);
    page = page_of_file("x.txt");
    for (unsigned coding = 1; coding < CODING_COUNT; coding++) {
        size_t encoded_size = 0;
        char *encoded = compress_content(coding, slice_make(noise, size), &encoded_size);
        if (!encoded)
            continue;
        sidecar_path(path, sizeof path, coding);
        scratch_write_bytes(&scratch, path, encoded, encoded_size);
        page->sidecars |= (uint8_t)coding_bit(coding);
        free(encoded);
    }
    struct content *content;
    assert_int_equal(load(&content), LOADED);
    assert_ptr_equal(content_of_page(page), content);
    unsigned there = codings_there();
    assert_true(content->cached.size <= BUDGET / PAGE_CACHE_SHARE);
    assert_int_equal(content->cached.size, content_weight_all(content));
    assert_true(page->sidecars == 0 || (there != 0 && (there & (there - 1)) == 0));
    hold_unref(&content->hold);
    free(noise);
}

/* ---- No memory ---------------------------------------------------------------------------------------------- */

static void every_allocation_may_fail(void **state)
{
    bool complete = false;
    long most = 0;
    (void)state;

    make_sidecars(TEXT_SIZE);
    for (; !complete; most++) {
        struct content *content;
        uint8_t sidecars = page->sidecars;

        leave(page);
        fixture_settle();
        page = page_of_file("x.txt");
        page->sidecars = sidecars;
        allocations_left = most;
        enum loaded loaded = load(&content);
        complete = allocations_left > 0;
        allocations_left = -1;
        if (loaded == LOADED) {
            assert_memory_equal(content->identity.bytes, text, TEXT_SIZE);
            hold_unref(&content->hold);
        } else {
            assert_int_equal(loaded, LOADED_NOT);
            assert_true(most < 4); /* the bytes, the content and its answers; without the rest it is a page, too */
        }
    }
    assert_int_equal(codings_there(), compress_codings());
    assert_true(most > 4);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sidecars_are_used, start, end),
        cmocka_unit_test_setup_teardown(only_those_that_the_page_knows_of, start, end),
        cmocka_unit_test_setup_teardown(older_than_the_page, start, end),
        cmocka_unit_test_setup_teardown(newer_than_the_page, start, end),
        cmocka_unit_test_setup_teardown(gone_since, start, end),
        cmocka_unit_test_setup_teardown(folders_now, start, end),
        cmocka_unit_test_setup_teardown(fifos_now, start, end),
        cmocka_unit_test_setup_teardown(links_that_lead_out, start, end),
        cmocka_unit_test_setup_teardown(no_smaller_than_the_page, start, end),
        cmocka_unit_test_setup_teardown(truncated, start, end),
        cmocka_unit_test_setup_teardown(with_rubbish_behind_it, start, end),
        cmocka_unit_test_setup_teardown(empty_ones, start, end),
        cmocka_unit_test_setup_teardown(with_a_window_that_is_too_large, start, end),
        cmocka_unit_test_setup_teardown(of_another_page, start, end),
        cmocka_unit_test_setup_teardown(sidecars_that_do_not_hold_still, start, end),
        cmocka_unit_test_setup_teardown(sidecars_that_do_not_fit, start, end),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
