/* A page and a request's conditions become a response. What is in memory has its answers ready; for a file the
 * response is made here: HEAD and 304 from what the page knows, and GET around an open descriptor.
 *
 * A range is chosen after the conditions, an encoding before them: both will join in static_answer. It sees no
 * socket. */
#include "serve/static.h"

#include <errno.h>
#include <unistd.h>

#include "http/conditional.h"

/* False: no memory; the exchange has no response then. */
static bool set_head(struct exchange *exchange, unsigned status, const struct page_fields *fields)
{
    exchange->response.status = status;
    for (unsigned i = 0; i < fields->count; i++) {
        if (!exchange_add_field(exchange, fields->at[i].name, fields->at[i].value)) {
            exchange_clear_response(exchange);
            return false;
        }
    }
    return true;
}

static enum static_result answer_not_modified(const struct page *page, struct exchange *exchange)
{
    struct page_fields fields;

    if (page->not_modified) {
        exchange_use(exchange, page->not_modified);
        return STATIC_ANSWERED;
    }
    page_fields_not_modified(&fields, page_etag(page), page->modified_s);
    return set_head(exchange, 304, &fields) ? STATIC_ANSWERED : STATIC_FILE;
}

/* HEAD of a file: its body is the whole file, of which nothing is sent; so nothing is opened. */
static enum static_result answer_head(const struct page *page, struct exchange *exchange)
{
    struct page_fields fields;

    if (page->etag_size == 0)
        return STATIC_FILE;
    page_fields_ok(&fields, page->type, page_etag(page), page->modified_s);
    if (!set_head(exchange, 200, &fields))
        return STATIC_FILE;
    exchange->response.body = (struct body){ .kind = BODY_FILE, .size = page->size, .fd = -1 };
    return STATIC_ANSWERED;
}

enum static_result static_answer(const struct page *page, struct exchange *exchange, int64_t now_s)
{
    const struct request *request = &exchange->request;

    switch (conditional_evaluate(&request->fields, page_etag(page), page->modified_s, true, now_s)) {
    case VERDICT_FAILED:
        return STATIC_FAILED;
    case VERDICT_NOT_MODIFIED:
        return answer_not_modified(page, exchange);
    case VERDICT_SEND:
        break;
    }
    if (page->ok) {
        exchange_use(exchange, page->ok);
        return STATIC_ANSWERED;
    }
    return request->method == METHOD_HEAD ? answer_head(page, exchange) : STATIC_FILE;
}

/* Errors that say: there is no such page any more. A new walk would skip it. */
static bool gone(int error)
{
    static const int errors[] = { ENOENT, ENOTDIR, EISDIR, ENXIO, EXDEV, ELOOP, EACCES, EPERM };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (error == errors[i])
            return true;
    return false;
}

struct static_file static_open(const struct files *files, const struct page *page)
{
    struct static_file file = { .fd = files_open(files, page->path.data) };
    struct stat st;

    if (file.fd < 0) {
        file.error = gone(errno) ? ENOENT : errno;
        return file;
    }
    if (fstat(file.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(file.fd);
        return (struct static_file){ .fd = -1, .error = ENOENT };
    }
    file.size = (uint64_t)st.st_size;
    file.modified_s = page->modified_s;
    file.changed = page->etag_size == 0 || file.size != page->size || files_modified_ns(&st) != page->modified_ns;
    if (file.changed) {
        struct clock clock = { .now_ms = 0 };
        clock_update(&clock);
        file.modified_s = page_last_modified(&st, clock.unix_s);
    }
    return file;
}

static void close_file(void *user)
{
    close((int)(intptr_t)user);
}

/* A prepared answer of one exchange: its count is what keeps the descriptor open until the last byte has gone out. */
bool static_answer_file(const struct page *page, const struct static_file *file, struct exchange *exchange)
{
    struct page_fields fields;
    struct slice etag = file->changed ? SLICE("") : page_etag(page);

    page_fields_ok(&fields, page->type, etag, file->modified_s);
    struct answer *answer = answer_new(&(struct answer_parts){ .status = 200, .fields = fields.at,
                                                               .field_count = fields.count, .release = close_file,
                                                               .release_user = (void *)(intptr_t)file->fd });
    if (!answer) {
        close(file->fd);
        return false;
    }
    answer->body = (struct body){ .kind = BODY_FILE, .size = file->size, .fd = file->fd, .hold = &answer->hold };
    exchange_clear_response(exchange);
    exchange->held = answer;
    exchange_use(exchange, answer);
    return true;
}
