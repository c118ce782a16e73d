/* Between each worker and the log's thread lies a ring of bytes: the worker puts whole lines in, and the thread writes
 * whole lines from there. Neither waits for the other, and a line costs the worker no system call.
 *
 * What cannot be written stays where it is until it can, so no line is ever torn, not even by a full disk; meanwhile
 * the rings fill, and lines that find no room are lost and counted. */
#include "observe/access_log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/thread.h"

enum {
    RING_SIZE = 256 * 1024,  /* a power of two; some 1,000 lines of an ordinary kind */
    WRITE_SIZE = 64 * 1024,  /* what is handed to one write at most, so that room comes back soon */
    TURN_MS = 100,           /* how late a line may be */
    CALM_TURNS = 10,         /* turns without trouble after which it is over */
    FAREWELL_TURNS = 20,     /* turns for which a reader that is too slow is waited for at the end */
    CACHE_LINE = 64
};

_Static_assert((RING_SIZE & (RING_SIZE - 1)) == 0, "a position in the ring is a mask of bytes ever written");
_Static_assert((int)ACCESS_LINE_MAX <= (int)WRITE_SIZE, "a line can be written whole");

struct access_log_writer {
    /* The worker's, on a cache line of its own. */
    _Alignas(CACHE_LINE) atomic_size_t head; /* bytes ever put in */
    atomic_uint_fast64_t lost;
    struct access_log *access_log;
    char *ring;               /* and behind it room for a line, so that each lies in one piece */
    int64_t stamp_s;
    uint32_t stamp_ms;
    char stamp[CLOCK_STAMP_SIZE];

    /* The thread's. */
    _Alignas(CACHE_LINE) atomic_size_t tail; /* bytes ever taken out */
};

struct access_log {
    int fd, bell_fd;
    enum access_log_form form;
    const struct log *log;
    bool piecewise;           /* a write to a pipe or a terminal blocks unless it is small and poll allowed it */
    pthread_t thread;
    atomic_bool ending;

    /* The thread's. */
    struct access_log_writer *torn; /* of whose line a part is written: nobody else's may come between */
    int error;                /* errno of the last write; 0: it succeeded; EAGAIN: the reader is slow */
    bool awaited;             /* poll tells when the reader goes on */
    bool troubled;            /* and that has been told */
    unsigned calm_turns;
    uint64_t lost_at_end;     /* lines never written */
    uint64_t lost_seen, lost_told;

    unsigned count;
    struct access_log_writer writers[];
};

/* ---- The worker's side ---- */

static void ring_bell(const struct access_log *access_log)
{
    uint64_t one = 1;
    ssize_t ignored = write(access_log->bell_fd, &one, sizeof one); /* fails only where it rings already */
    (void)ignored;
}

static const char *stamp(struct access_log_writer *writer, const struct clock *clock)
{
    if (writer->stamp_s != clock->unix_s || writer->stamp_ms != clock->unix_ms) {
        clock_format_stamp(clock->unix_s, clock->unix_ms, writer->stamp);
        writer->stamp_s = clock->unix_s;
        writer->stamp_ms = clock->unix_ms;
    }
    return writer->stamp;
}

static void lose(struct access_log_writer *writer)
{
    uint64_t lost = atomic_load_explicit(&writer->lost, memory_order_relaxed);
    atomic_store_explicit(&writer->lost, lost + 1, memory_order_relaxed);
}

/* Not inlined where it is called: its frame would be set up even where there is no log. */
__attribute__((noinline)) void access_log_line(struct access_log_writer *writer, struct access_entry *entry,
                                               const struct clock *clock)
{
    struct access_log *access_log = writer->access_log;
    size_t head = atomic_load_explicit(&writer->head, memory_order_relaxed);
    size_t waiting = head - atomic_load_explicit(&writer->tail, memory_order_acquire);
    size_t at = head & (RING_SIZE - 1), room = RING_SIZE - waiting;

    struct writer line = writer_on(writer->ring + at, room < ACCESS_LINE_MAX ? room : ACCESS_LINE_MAX);
    entry->now_ms = clock->now_ms;
    entry->stamp = stamp(writer, clock);
    if (access_log->form == ACCESS_LOG_JSON)
        access_line_json(&line, entry);
    else
        access_line_colour(&line, entry);
    if (line.overflowed) {
        lose(writer);
        return;
    }

    size_t size = writer_used(&line);
    if (at + size > RING_SIZE)
        memcpy(writer->ring, writer->ring + RING_SIZE, at + size - RING_SIZE);
    atomic_store_explicit(&writer->head, head + size, memory_order_release);
    if (waiting < RING_SIZE / 2 && waiting + size >= RING_SIZE / 2)
        ring_bell(access_log);
}

uint64_t access_log_lost(const struct access_log *access_log)
{
    uint64_t lost = access_log->lost_at_end;
    for (unsigned i = 0; i < access_log->count; i++)
        lost += atomic_load_explicit(&access_log->writers[i].lost, memory_order_relaxed);
    return lost;
}

/* ---- The thread's side ---- */

static size_t tail_of(const struct access_log_writer *writer)
{
    return atomic_load_explicit(&writer->tail, memory_order_relaxed);
}

/* What lies in one piece from the tail on: up to `upto`, or up to the end of the line that crosses the ring's end. */
static struct slice find_piece(const struct access_log_writer *writer, size_t upto)
{
    size_t at = tail_of(writer) & (RING_SIZE - 1), size = upto - tail_of(writer);
    const char *end = writer->ring + RING_SIZE;
    if (at + size > RING_SIZE)
        size = (size_t)((const char *)memchr(end - 1, '\n', 1 + ACCESS_LINE_MAX) + 1 - (writer->ring + at));
    return slice_make(writer->ring + at, size);
}

/* What to hand to one write: whole lines. Pipes take up to PIPE_BUF bytes whole, between the lines of other processes;
 * a line that is longer goes in parts. */
static struct slice next_piece(const struct access_log *access_log, const struct access_log_writer *writer, size_t upto)
{
    struct slice piece = find_piece(writer, upto);
    size_t most = access_log->piecewise ? PIPE_BUF : WRITE_SIZE;
    if (piece.size <= most)
        return piece;
    const char *last = memrchr(piece.data, '\n', most);
    return slice_make(piece.data, last ? (size_t)(last - piece.data) + 1 : most);
}

static bool reader_ready(const struct access_log *access_log, int timeout_ms)
{
    struct pollfd out = { .fd = access_log->fd, .events = POLLOUT };
    return poll(&out, 1, timeout_ms) != 0;
}

/* False: nothing could be written; `error` says why. */
static bool write_piece(struct access_log *access_log, struct access_log_writer *writer, struct slice piece)
{
    ssize_t written;
    access_log->awaited = access_log->piecewise && !reader_ready(access_log, 0);
    if (access_log->awaited) {
        access_log->error = EAGAIN;
        return false;
    }
    do {
        written = write(access_log->fd, piece.data, piece.size);
    } while (written < 0 && errno == EINTR);
    access_log->error = written > 0 ? 0 : written == 0 ? ENOSPC : errno;
    if (access_log->error)
        return false;
    access_log->torn = piece.data[written - 1] == '\n' ? NULL : writer;
    atomic_store_explicit(&writer->tail, tail_of(writer) + (size_t)written, memory_order_release);
    return true;
}

/* Writes what was there when it began. False: something is left. */
static bool drain(struct access_log *access_log, struct access_log_writer *writer)
{
    size_t upto = atomic_load_explicit(&writer->head, memory_order_acquire);
    while (tail_of(writer) != upto)
        if (!write_piece(access_log, writer, next_piece(access_log, writer, upto)))
            return false;
    return true;
}

static bool sweep(struct access_log *access_log)
{
    if (access_log->torn && !drain(access_log, access_log->torn))
        return false;
    for (unsigned i = 0; i < access_log->count; i++)
        if (!drain(access_log, &access_log->writers[i]))
            return false;
    return true;
}

static bool is_error(int error)
{
    return error != 0 && error != EAGAIN && error != EWOULDBLOCK;
}

static void tell_trouble(const struct access_log *access_log)
{
    errno = access_log->error;
    if (is_error(access_log->error))
        log_write(access_log->log, LOG_LEVEL_WARN,
                  "The access log cannot be written (%m); its lines are lost until that is mended");
    else
        log_write(access_log->log, LOG_LEVEL_WARN,
                  "The access log cannot be written as fast as requests come in; some of its lines are lost");
}

static void tell_lost(struct access_log *access_log, const char *what)
{
    uint64_t lost = access_log->lost_seen - access_log->lost_told;
    access_log->lost_told = access_log->lost_seen;
    log_write(access_log->log, LOG_LEVEL_WARN, "The access log %s; %llu line%s lost", what, (unsigned long long)lost,
              lost == 1 ? " was" : "s were");
}

/* One line when trouble begins and one when it is over, however many lines are lost in between. */
static void report(struct access_log *access_log)
{
    uint64_t lost = access_log_lost(access_log);
    bool trouble = is_error(access_log->error) || lost != access_log->lost_seen;
    access_log->lost_seen = lost;
    if (trouble) {
        access_log->calm_turns = 0;
        if (!access_log->troubled)
            tell_trouble(access_log);
        access_log->troubled = true;
    } else if (access_log->troubled && ++access_log->calm_turns >= CALM_TURNS) {
        access_log->troubled = false;
        tell_lost(access_log, "can be written again");
    }
}

/* Until a ring is half full, the reader goes on, or the turn is over; true where it just was over. */
static bool rest(const struct access_log *access_log)
{
    struct pollfd polled[] = {
        { .fd = access_log->bell_fd, .events = POLLIN },
        { .fd = access_log->awaited ? access_log->fd : -1, .events = POLLOUT },
    };
    bool over = poll(polled, 2, TURN_MS) == 0;
    uint64_t rings;
    ssize_t ignored = read(access_log->bell_fd, &rings, sizeof rings);
    (void)ignored;
    return over;
}

static void drop(struct access_log *access_log, struct access_log_writer *writer)
{
    for (; tail_of(writer) != writer->head; writer->tail++)
        access_log->lost_at_end += writer->ring[tail_of(writer) & (RING_SIZE - 1)] == '\n';
}

/* No more lines come. A reader that takes nothing is waited for a while, not for ever. */
static void take_leave(struct access_log *access_log)
{
    unsigned vain_turns = 0;
    while (!sweep(access_log) && !is_error(access_log->error) && vain_turns < FAREWELL_TURNS)
        vain_turns += rest(access_log);

    for (unsigned i = 0; i < access_log->count; i++)
        drop(access_log, &access_log->writers[i]);
    access_log->lost_seen = access_log_lost(access_log);
    if (access_log->lost_seen != access_log->lost_told)
        tell_lost(access_log, "has ended");
}

static void *run(void *user)
{
    struct access_log *access_log = user;
    while (!atomic_load_explicit(&access_log->ending, memory_order_acquire)) {
        sweep(access_log);
        report(access_log);
        rest(access_log);
    }
    take_leave(access_log);
    return NULL;
}

/* ---- Beginning and end ---- */

static bool init_writer(struct access_log *access_log, struct access_log_writer *writer)
{
    writer->access_log = access_log;
    writer->stamp_s = INT64_MIN;
    writer->ring = malloc(RING_SIZE + ACCESS_LINE_MAX);
    return writer->ring != NULL;
}

static void free_all(struct access_log *access_log)
{
    for (unsigned i = 0; i < access_log->count; i++)
        free(access_log->writers[i].ring);
    if (access_log->bell_fd >= 0)
        close(access_log->bell_fd);
    free(access_log);
}

static int begin(struct access_log *access_log)
{
    access_log->bell_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (access_log->bell_fd < 0)
        return errno;
    for (unsigned i = 0; i < access_log->count; i++)
        if (!init_writer(access_log, &access_log->writers[i]))
            return ENOMEM;

    struct stat stat;
    if (fstat(access_log->fd, &stat) < 0)
        return errno;
    access_log->piecewise = !S_ISREG(stat.st_mode);
    return thread_start(&access_log->thread, "rawhttp-log", run, access_log);
}

struct access_log *access_log_new(int fd, enum access_log_form form, unsigned writers, const struct log *log)
{
    size_t size = sizeof(struct access_log) + writers * sizeof(struct access_log_writer);
    struct access_log *access_log = aligned_alloc(CACHE_LINE, size);
    if (!access_log)
        return NULL;
    memset(access_log, 0, size);
    access_log->fd = fd;
    access_log->form = form;
    access_log->log = log;
    access_log->count = writers;

    int error = begin(access_log);
    if (!error)
        return access_log;
    free_all(access_log);
    errno = error;
    return NULL;
}

struct access_log_writer *access_log_writer(struct access_log *access_log, unsigned index)
{
    return &access_log->writers[index];
}

void access_log_free(struct access_log *access_log)
{
    if (!access_log)
        return;
    atomic_store_explicit(&access_log->ending, true, memory_order_release);
    ring_bell(access_log);
    pthread_join(access_log->thread, NULL);
    free_all(access_log);
}
