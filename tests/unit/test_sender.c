/* The way out, against a transport that takes any number of bytes at a time: nothing is lost, doubled or out of
 * order, every hold is let go of once, and a failure anywhere leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <limits.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/sender.h"

enum { SINK = 64 * 1024, FILE_SIZE = 5000 };

/* Takes `most` bytes a call and then, every other call, none; fails at call number `fail_at`. */
struct sink {
    struct transport transport;
    char bytes[SINK];
    size_t size, most;
    unsigned calls, fail_at;
    bool balks, file_ends;
};

static char file_bytes[FILE_SIZE];

static struct io verdict(struct sink *sink)
{
    sink->calls++;
    if (sink->fail_at != 0 && sink->calls == sink->fail_at)
        return (struct io){ IO_FAILED, 0 };
    return (struct io){ sink->balks && sink->calls % 2 == 0 ? IO_AGAIN : IO_DONE, 0 };
}

static size_t take(struct sink *sink, const char *data, size_t size, size_t left)
{
    size_t step = size < left ? size : left;
    assert_true(sink->size + step <= SINK);
    memcpy(sink->bytes + sink->size, data, step);
    sink->size += step;
    return step;
}

static struct io sink_writev(struct transport *transport, const struct iovec *pieces, unsigned count, int more)
{
    struct sink *sink = (struct sink *)transport;
    struct io io = verdict(sink);
    (void)more;
    for (unsigned i = 0; i < count && io.state == IO_DONE; i++)
        io.size += take(sink, pieces[i].iov_base, pieces[i].iov_len, sink->most - io.size);
    return io;
}

static struct io sink_write(struct transport *transport, const void *bytes, size_t size)
{
    struct iovec piece = { (void *)bytes, size };
    return sink_writev(transport, &piece, 1, false);
}

static struct io sink_sendfile(struct transport *transport, int fd, uint64_t offset, size_t size)
{
    struct sink *sink = (struct sink *)transport;
    struct io io = verdict(sink);
    assert_int_equal(fd, 77);
    if (io.state == IO_DONE && sink->file_ends)
        return (struct io){ IO_END, 0 };
    if (io.state == IO_DONE)
        io.size = take(sink, file_bytes + offset, size, sink->most);
    return io;
}

static const struct transport_ops sink_ops = { .write = sink_write, .writev = sink_writev, .sendfile = sink_sendfile };

static unsigned gone;

static void count_gone(struct hold *hold)
{
    (void)hold;
    gone++;
}

/* Holds so many times. */
struct promise {
    struct steady steady;
    unsigned times;
};

static bool holds(const struct steady *steady)
{
    return ((struct promise *)steady)->times-- > 0;
}

struct scene {
    struct sink sink;
    struct promise promise;
    struct pages pages;
    struct outbox out;
    char buffer[8192], big[3000];
    struct hold memory, file;
    struct backlog *backlog;
};

/* "head", 3000 bytes of memory, "tail", 4000 bytes of a file from 1000 on, "end". */
static void fill(struct scene *scene)
{
    pages_init(&scene->pages, 1 << 20);
    outbox_init(&scene->out, scene->buffer, sizeof scene->buffer);
    for (size_t i = 0; i < sizeof scene->big; i++)
        scene->big[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < FILE_SIZE; i++)
        file_bytes[i] = (char)('0' + i % 10);
    scene->sink.transport = (struct transport){ .ops = &sink_ops, .fd = -1 };
    hold_init(&scene->memory, count_gone);
    hold_init(&scene->file, count_gone);
    gone = 0;
    memcpy(outbox_reserve(&scene->out, 4), "head", 4);
    outbox_commit(&scene->out, 4);
    assert_true(outbox_memory(&scene->out, slice_make(scene->big, 3000), &scene->memory));
    memcpy(outbox_reserve(&scene->out, 4), "tail", 4);
    outbox_commit(&scene->out, 4);
    scene->promise = (struct promise){ { holds }, UINT_MAX };
    assert_true(outbox_file(&scene->out, &(struct body){ .kind = BODY_FILE, .fd = 77, .offset = 1000, .size = 4000,
                                                         .hold = &scene->file, .steady = &scene->promise.steady }));
    memcpy(outbox_reserve(&scene->out, 3), "end", 3);
    outbox_commit(&scene->out, 3);
    hold_unref(&scene->memory);
    hold_unref(&scene->file);
    assert_int_equal(gone, 0);
}

static void check(const struct scene *scene)
{
    const char *at = scene->sink.bytes;
    assert_int_equal(scene->sink.size, 4 + 3000 + 4 + 4000 + 3);
    assert_memory_equal(at, "head", 4);
    assert_memory_equal(at + 4, scene->big, 3000);
    assert_memory_equal(at + 3004, "tail", 4);
    assert_memory_equal(at + 3008, file_bytes + 1000, 4000);
    assert_memory_equal(at + 7008, "end", 3);
    assert_int_equal(gone, 2);
}

static enum sent send_all(struct scene *scene)
{
    uint64_t moved = 0;
    enum sent sent = sender_send(&scene->sink.transport, &scene->out, &scene->pages, &scene->backlog, &moved);
    assert_int_equal(scene->out.count, 0);
    memset(scene->buffer, '?', sizeof scene->buffer); /* the buffer is the next connection's now */
    for (unsigned rounds = 0; sent == SENT_BLOCKED || sent == SENT_PAUSED; rounds++) {
        assert_true(rounds < 100000);
        moved = 0;
        sent = sender_resume(&scene->sink.transport, &scene->pages, &scene->backlog, &moved);
    }
    return sent;
}

static void any_number_of_bytes_at_a_time(void **state)
{
    (void)state;
    for (size_t most = 1; most < 8000; most = most < 20 ? most + 1 : most * 3 / 2) {
        for (int balks = 0; balks < 2; balks++) {
            struct scene *scene = calloc(1, sizeof *scene);
            fill(scene);
            scene->sink.most = most;
            scene->sink.balks = balks != 0;
            assert_int_equal(send_all(scene), SENT_ALL);
            assert_null(scene->backlog);
            check(scene);
            assert_int_equal(scene->pages.taken_bytes, 0);
            pages_fini(&scene->pages);
            free(scene);
        }
    }
}

static void fails_at_every_call(void **state)
{
    (void)state;
    for (unsigned fail_at = 1; fail_at < 40; fail_at++) {
        struct scene *scene = calloc(1, sizeof *scene);
        fill(scene);
        scene->sink.most = 400;
        scene->sink.balks = true;
        scene->sink.fail_at = fail_at;
        enum sent sent = send_all(scene);
        if (sent == SENT_ALL)
            check(scene);
        else
            assert_int_equal(sent, SENT_BROKEN);
        backlog_free(&scene->pages, scene->backlog);
        assert_int_equal(gone, 2);
        assert_int_equal(scene->pages.taken_bytes, 0);
        pages_fini(&scene->pages);
        free(scene);
    }
}

static void breaks_where_a_file_has_shrunk(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    (void)state;
    fill(scene);
    scene->sink.most = SINK;
    scene->sink.file_ends = true;
    assert_int_equal(send_all(scene), SENT_BROKEN);
    assert_int_equal(gone, 2);
    assert_int_equal(scene->sink.size, 3008);
    pages_fini(&scene->pages);
    free(scene);
}

/* Nothing more of it goes out, wherever in it that is. */
static void breaks_where_a_file_is_another(void **state)
{
    (void)state;
    for (unsigned times = 0; times < 10; times++) {
        struct scene *scene = calloc(1, sizeof *scene);
        fill(scene);
        scene->promise.times = times;
        scene->sink.most = 400;
        scene->sink.balks = true;
        assert_int_equal(send_all(scene), SENT_BROKEN);
        backlog_free(&scene->pages, scene->backlog);
        assert_int_equal(gone, 2);
        assert_true(scene->sink.size >= 3008 && scene->sink.size <= 3008 + 400 * times);
        pages_fini(&scene->pages);
        free(scene);
    }
}

static void small_ones_go_at_once(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    uint64_t moved = 0;
    (void)state;
    pages_init(&scene->pages, 0);
    outbox_init(&scene->out, scene->buffer, sizeof scene->buffer);
    scene->sink.transport = (struct transport){ .ops = &sink_ops, .fd = -1 };
    scene->sink.most = 5;
    memcpy(outbox_reserve(&scene->out, 5), "whole", 5);
    outbox_commit(&scene->out, 5);
    enum sent sent = sender_send(&scene->sink.transport, &scene->out, &scene->pages, &scene->backlog, &moved);
    assert_int_equal(sent, SENT_ALL);
    assert_int_equal(moved, 5);
    assert_int_equal(scene->sink.calls, 1);
    assert_int_equal(scene->out.count, 0);
    memcpy(outbox_reserve(&scene->out, 9), "not whole", 9);
    outbox_commit(&scene->out, 9);
    scene->sink.balks = true;
    assert_int_equal(send_all(scene), SENT_ALL);
    assert_int_equal(scene->sink.size, 14);
    assert_memory_equal(scene->sink.bytes, "wholenot whole", 14);
    pages_fini(&scene->pages);
    free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_bytes_at_a_time),
        cmocka_unit_test(fails_at_every_call),
        cmocka_unit_test(breaks_where_a_file_has_shrunk),
        cmocka_unit_test(breaks_where_a_file_is_another),
        cmocka_unit_test(small_ones_go_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
