/* The access log: a line for each exchange, formatted into the worker's own buffer; one thread of the log's own writes.
 * No request ever waits for the disk: when it is too slow or full, lines are lost, counted, and reported once.
 *
 * Two forms: JSON lines, and coloured ones for a person at a terminal. */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "base/clock.h"
#include "base/log.h"
#include "observe/access_line.h"

enum access_log_form { ACCESS_LOG_JSON, ACCESS_LOG_COLOUR };

struct access_log;        /* one for the server */
struct access_log_writer; /* one for each worker */

/* Writes to `fd`, which stays the caller's, until access_log_free. NULL: no memory, no thread (errno). */
struct access_log *access_log_new(int fd, enum access_log_form form, unsigned writers, const struct log *log);
struct access_log_writer *access_log_writer(struct access_log *access_log, unsigned index);
void access_log_free(struct access_log *access_log); /* writes what is left first; no writer may be in use */

/* The worker's thread; never blocks, never fails. The time of the entry is the clock's: its now_ms and stamp are
 * set. */
void access_log_line(struct access_log_writer *writer, struct access_entry *entry, const struct clock *clock);

/* Lines lost so far. */
uint64_t access_log_lost(const struct access_log *access_log);

#endif
