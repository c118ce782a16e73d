/* A password file that is followed while the server runs: it is looked at again at most once a second, when somebody
 * asks, and what it says then takes over, if it can be used; else what was in force stays, and a log line says why.
 * With the old passwords goes what was remembered of them.
 *
 * It reads no clock and has no thread: whoever asks says when. Workers see what is in force without a lock. */
#ifndef SERVE_PASSWORD_FILE_H
#define SERVE_PASSWORD_FILE_H

#include "base/log.h"
#include "base/qsbr.h"
#include "serve/passwords.h"

/* On a file that has been changed a worker relies no longer than that. */
enum { PASSWORD_FILE_LOOK_MS = 1000 };

struct password_file;

/* `path` is copied. NULL: `why`, as that of passwords_read. Blocks. */
struct password_file *password_file_new(struct slice path, struct qsbr *qsbr, const struct log *log, struct why why);

/* Workers and background threads have ended. */
void password_file_free(struct password_file *file);

/* It is time to look again, before anything that is remembered is relied on. Any thread. */
bool password_file_stale(const struct password_file *file, uint64_t now_ms);

/* passwords_remembers, of what is in force. A worker, while the file is not stale. */
bool password_file_remembers(struct password_file *file, struct slice token, uint64_t now_ms);

/* Looks whether the file has changed, unless that was done for a request of this time; `now_ms` is the request's. Then
 * as password_file_remembers. Blocks. */
bool password_file_look(struct password_file *file, struct slice token, uint64_t now_ms);

/* passwords_check, with what is in force. Blocks for as long as the hash takes. */
enum password_result password_file_check(struct password_file *file, struct slice token, uint64_t now_ms)
    __attribute__((warn_unused_result));

#endif
