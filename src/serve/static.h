/* A page and a request's conditions become a response: 200, 206, 304, or what has to be said by an error. It sees no
 * socket and no version. */
#ifndef SERVE_STATIC_H
#define SERVE_STATIC_H

#include "http/exchange.h"
#include "serve/content.h"
#include "serve/files.h"
#include "serve/sent_file.h"
#include "serve/store.h"
#include "serve/watcher.h"

enum static_result {
    STATIC_ANSWERED,
    STATIC_FAILED,         /* a precondition: 412 */
    STATIC_UNSATISFIABLE,  /* no range of it is there: 416; Content-Range has been added */
    STATIC_NOT_ACCEPTABLE, /* the client refuses every coding that there is: 406 */
    STATIC_NO_MEMORY
};

/* A request that says nothing of codings, conditions or ranges gets what is there. False: it says something. */
static inline bool static_answer_plain(const struct content *content, struct exchange *exchange)
{
    const uint32_t fields = field_bit(FIELD_ACCEPT_ENCODING) | field_bit(FIELD_RANGE) |
                            field_bit(FIELD_IF_MATCH) | field_bit(FIELD_IF_NONE_MATCH) |
                            field_bit(FIELD_IF_MODIFIED_SINCE) | field_bit(FIELD_IF_UNMODIFIED_SINCE);
    if (fields_have(&exchange->request.fields, fields))
        return false;
    exchange_use(exchange, content->identity.ok);
    return true;
}

/* From memory. The content is the caller's until the end of the turn, or held by the exchange. */
enum static_result static_answer(const struct content *content, struct exchange *exchange, int64_t now_s)
    __attribute__((warn_unused_result));

/* A file that nobody has written to for so long holds still. */
enum { STATIC_STILL_MS = WATCHER_QUIET_MS };

/* A page that is sent from its file. */
struct static_file {
    struct descriptor *descriptor; /* NULL: `error` */
    int error;                     /* ENOENT: there is no such page any more; EACCES: it may not be read */
    uint64_t size;
    int64_t modified_s;
    bool changed;                  /* since the table was made: it has no validators then */
    unsigned age_ms;               /* since somebody wrote to it: see STATIC_STILL_MS */
    struct file_print print;       /* of what is going to be sent */
    const struct log *log;
};

/* Opens it, or finds it open. It blocks: a background thread. The descriptor is held. */
struct static_file static_open(struct store *store, const struct files *files, const struct page *page);

/* Takes over the descriptor's reference. What is said with the page comes along. Any thread that has the exchange. */
enum static_result static_answer_file(const struct page *page, const struct dress *dress, struct static_file *file,
                                      struct exchange *exchange, int64_t now_s) __attribute__((warn_unused_result));

/* The same, but the whole file under this status, which is an error's: conditions and ranges are for a 200 (RFC 9110
 * 13.2.1, 14.2). */
enum static_result static_send_file(const struct page *page, const struct dress *dress, struct static_file *file,
                                    struct exchange *exchange, unsigned status) __attribute__((warn_unused_result));

/* For a file that nobody answered with. */
void static_close(struct static_file *file);

#endif
