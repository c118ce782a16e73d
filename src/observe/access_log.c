/* Between each worker and the log's thread lies a ring of bytes: the worker puts whole lines in, the thread takes whole
 * lines out into its one chunk and writes that. Neither waits for the other, and a line costs the worker no system
 * call.
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
    CHUNK_SIZE = 64 * 1024,
    TURN_MS = 100,           /* how late a line may be */
    CALM_TURNS = 10,         /* turns without trouble after which it is over */
    FAREWELL_TURNS = 20,     /* turns for which a reader that is too slow is waited for at the end */
    CACHE_LINE = 64
};

_Static_assert((RING_SIZE & (RING_SIZE - 1)) == 0, "a position in the ring is a mask of bytes ever written");
_Static_assert((int)ACCESS_LINE_MAX <= (int)CHUNK_SIZE, "a chunk holds at least one line");

struct access_log_writer {
    /* The worker's, on a cache line of its own. */
    _Alignas(CACHE_LINE) atomic_size_t head; /* bytes ever put in */
    atomic_uint_fast64_t lost;
    struct access_log *access_log;
    char *ring;               /* and behind it room for a line, so that each can be made in one piece */
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
    int error;                /* errno of the last write; 0: it succeeded; EAGAIN: the reader is slow */
    bool awaited;             /* poll tells when the reader goes on */
    bool troubled;            /* and that has been told */
    unsigned calm_turns;
    uint64_t lost_at_end;     /* lines never written */
    uint64_t lost_seen, lost_told;
    size_t chunk_at, chunk_end;
    char chunk[CHUNK_SIZE];

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

/* Fills the empty chunk with whole lines from this ring, up to the position `upto`. */
static void refill(struct access_log *access_log, struct access_log_writer *writer, size_t upto)
{
    size_t tail = atomic_load_explicit(&writer->tail, memory_order_relaxed);
    size_t size = upto - tail < CHUNK_SIZE ? upto - tail : CHUNK_SIZE;
    size_t at = tail & (RING_SIZE - 1);
    size_t first = size < RING_SIZE - at ? size : RING_SIZE - at;
    memcpy(access_log->chunk, writer->ring + at, first);
    memcpy(access_log->chunk + first, writer->ring, size - first);

    const char *last = memrchr(access_log->chunk, '\n', size);
    access_log->chunk_at = 0;
    access_log->chunk_end = (size_t)(last - access_log->chunk) + 1;
    atomic_store_explicit(&writer->tail, tail + access_log->chunk_end, memory_order_release);
}

/* What to hand to one write. Pipes take up to PIPE_BUF bytes whole, between the lines of other processes. */
static struct slice next_piece(const struct access_log *access_log)
{
    struct slice piece = slice_make(access_log->chunk + access_log->chunk_at,
                                    access_log->chunk_end - access_log->chunk_at);
    if (!access_log->piecewise || piece.size <= PIPE_BUF)
        return piece;
    piece.size = PIPE_BUF;
    const char *last = memrchr(piece.data, '\n', piece.size);
    if (last)
        piece.size = (size_t)(last - piece.data) + 1;
    return piece;
}

static bool reader_ready(const struct access_log *access_log, int timeout_ms)
{
    struct pollfd out = { .fd = access_log->fd, .events = POLLOUT };
    return poll(&out, 1, timeout_ms) != 0;
}

/* False: not all of the chunk could be written; `error` says why. */
static bool flush(struct access_log *access_log)
{
    while (access_log->chunk_at < access_log->chunk_end) {
        access_log->awaited = access_log->piecewise && !reader_ready(access_log, 0);
        if (access_log->awaited) {
            access_log->error = EAGAIN;
            return false;
        }
        struct slice piece = next_piece(access_log);
        ssize_t written = write(access_log->fd, piece.data, piece.size);
        if (written < 0 && errno == EINTR)
            continue;
        access_log->error = written > 0 ? 0 : written == 0 ? ENOSPC : errno;
        if (access_log->error)
            return false;
        access_log->chunk_at += (size_t)written;
    }
    return true;
}

/* Writes what was there when the turn began. False: something is left. */
static bool sweep(struct access_log *access_log)
{
    if (!flush(access_log))
        return false;
    for (unsigned i = 0; i < access_log->count; i++) {
        struct access_log_writer *writer = &access_log->writers[i];
        size_t upto = atomic_load_explicit(&writer->head, memory_order_acquire);
        while (atomic_load_explicit(&writer->tail, memory_order_relaxed) != upto) {
            refill(access_log, writer, upto);
            if (!flush(access_log))
                return false;
        }
    }
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

static void drop_chunk(struct access_log *access_log)
{
    for (; access_log->chunk_at < access_log->chunk_end; access_log->chunk_at++)
        access_log->lost_at_end += access_log->chunk[access_log->chunk_at] == '\n';
}

/* No more lines come. A reader that takes nothing is waited for a while, not for ever. */
static void take_leave(struct access_log *access_log)
{
    unsigned vain_turns = 0;
    while (!sweep(access_log) && !is_error(access_log->error) && vain_turns < FAREWELL_TURNS)
        vain_turns += rest(access_log);

    drop_chunk(access_log);
    for (unsigned i = 0; i < access_log->count; i++) {
        struct access_log_writer *writer = &access_log->writers[i];
        while (atomic_load_explicit(&writer->tail, memory_order_relaxed) != writer->head) {
            refill(access_log, writer, writer->head);
            drop_chunk(access_log);
        }
    }
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
