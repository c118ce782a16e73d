/* First the representation is chosen, then the conditions are asked about it, then a range is taken out of it (RFC 9110
 * 13.2.2). What is in memory has its answers ready; the others are made here. */
#include "serve/static.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "http/conditional.h"
#include "serve/partial.h"

enum { CLOCK_TICK_MS = 20 };

/* ---- From memory -------------------------------------------------------------------------------------------- */

static struct whole whole_of(const struct answer *ok)
{
    struct whole whole = { .fields = ok->fields, .field_count = ok->field_count, .body = ok->body };
    for (unsigned i = 0; i < ok->field_count; i++)
        if (slice_equal(ok->fields[i].name, SLICE("Content-Type")))
            whole.type = ok->fields[i].value;
    return whole;
}

static bool answer_part(const struct answer *ok, struct exchange *exchange, enum static_result *result)
{
    struct whole whole = whole_of(ok);
    return partial_take(exchange, &whole, result);
}

enum static_result static_answer(const struct content *content, struct exchange *exchange, int64_t now_s)
{
    const struct fields *fields = &exchange->request.fields;
    const struct representation *chosen = &content->identity;
    enum static_result result;

    if (fields_has(fields, FIELD_ACCEPT_ENCODING)) {
        unsigned coding = coding_choose(fields, content_order(content));
        if (coding == CODING_REFUSED)
            return STATIC_NOT_ACCEPTABLE;
        chosen = content_in(content, coding);
    }
    switch (conditional_evaluate(fields, representation_etag(chosen), content->modified_s, true, now_s)) {
    case VERDICT_FAILED:
        return STATIC_FAILED;
    case VERDICT_NOT_MODIFIED:
        exchange_use(exchange, chosen->not_modified);
        return STATIC_ANSWERED;
    case VERDICT_SEND:
        break;
    }
    if (partial_wanted(exchange, representation_etag(chosen), content->modified_s, now_s) &&
        answer_part(chosen->ok, exchange, &result))
        return result;
    exchange_use(exchange, chosen->ok);
    return STATIC_ANSWERED;
}

/* ---- From the file ------------------------------------------------------------------------------------------ */

/* Errors that say: there is no such page any more. A new walk would skip it. */
static bool gone(int error)
{
    static const int errors[] = { ENOENT, ENOTDIR, EISDIR, ENXIO, EXDEV, ELOOP };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (error == errors[i])
            return true;
    return false;
}

/* One that is open already, of a file that may have been replaced since. */
static struct descriptor *find_open(struct store *store, const struct page *page, uint64_t stamp, struct stat *st)
{
    struct descriptor *found = descriptors_find(&store->descriptors, page, stamp);

    if (!found || (fstat(found->fd, st) == 0 && page_matches(page, st) && st->st_nlink > 0))
        return found;
    descriptors_forget(&store->descriptors, page);
    hold_unref(&found->hold);
    return NULL;
}

static struct descriptor *open_anew(struct store *store, const struct files *files, const struct page *page,
                                    uint64_t stamp, struct stat *st)
{
    int fd = files_open(files, page_file(page));
    if (fd < 0)
        return NULL;
    bool regular = fstat(fd, st) == 0 && S_ISREG(st->st_mode);
    struct descriptor *descriptor = regular ? descriptors_add(&store->descriptors, page, fd, stamp) : NULL;
    if (descriptor)
        return descriptor;
    close(fd);
    errno = regular ? ENOMEM : ENOENT;
    return NULL;
}

/* A time that is still to come was not written down when it was, unless it is the tick by which clocks differ: such a
 * file may be of any age. */
static unsigned age_ms(const struct stat *st, const struct clock *clock)
{
    int64_t age = clock->unix_s * 1000 + clock->unix_ms - files_modified_ns(st) / 1000000;
    if (age < 0 && age >= -CLOCK_TICK_MS)
        return 0;
    return age >= 0 && age < UINT_MAX ? (unsigned)age : UINT_MAX;
}

struct static_file static_open(struct store *store, const struct files *files, const struct page *page)
{
    struct static_file file = { .descriptor = NULL, .log = store->log };
    struct clock clock = { .now_ms = 0 };
    struct stat st;

    clock_update(&clock);
    uint64_t stamp = descriptors_stamp(&store->descriptors, clock.now_ms);
    file.descriptor = find_open(store, page, stamp, &st);
    if (!file.descriptor)
        file.descriptor = open_anew(store, files, page, stamp, &st);
    if (!file.descriptor) {
        file.error = gone(errno) ? ENOENT : errno == EPERM ? EACCES : errno;
        return file;
    }
    clock_update(&clock); /* opening may have taken a while, in which somebody wrote */
    file.size = (uint64_t)st.st_size;
    file.changed = !page_matches(page, &st);
    file.modified_s = page_modified_s(files_modified_ns(&st), clock.unix_s);
    file.age_ms = age_ms(&st, &clock);
    file_print_take(&file.print, file.descriptor->fd, &st);
    return file;
}

void static_close(struct static_file *file)
{
    if (file->descriptor)
        hold_unref(&file->descriptor->hold);
    file->descriptor = NULL;
}

/* An answer of this one exchange, which keeps the descriptor open until the last byte has gone out. */
static struct answer *make_answer(unsigned status, const struct page_fields *fields, const struct page *page,
                                  struct static_file *file)
{
    struct sent_file *sent = sent_file_new(file->descriptor, &file->print, page->path, file->log);
    if (!sent)
        return NULL;
    struct answer *answer = answer_new(&(struct answer_parts){ .status = status, .fields = fields->at,
        .field_count = fields->count, .release = sent_file_free, .release_user = sent });
    if (!answer) {
        free(sent); /* the descriptor is still the caller's */
        return NULL;
    }
    if (status != 304)
        answer->body = (struct body){ .kind = BODY_FILE, .size = file->size, .fd = file->descriptor->fd,
                                      .steady = &sent->steady, .hold = &answer->hold };
    file->descriptor = NULL;
    return answer;
}

static enum static_result use_own(struct exchange *exchange, struct answer *answer)
{
    if (!answer)
        return STATIC_NO_MEMORY;
    exchange->held = answer;
    exchange_use(exchange, answer);
    return STATIC_ANSWERED;
}

/* A range of a file is a response that is built, around an answer that is held for its fields and its file. */
static enum static_result answer_file(struct exchange *exchange, struct answer *ok, bool ranged)
{
    struct whole whole;
    enum static_result result;

    if (!ok || !ranged)
        return use_own(exchange, ok);
    whole = whole_of(ok);
    if (!partial_take(exchange, &whole, &result))
        return use_own(exchange, ok);
    exchange->held = ok;
    return result;
}

enum static_result static_answer_file(const struct page *page, const struct dress *dress, struct static_file *file,
                                      struct exchange *exchange, int64_t now_s)
{
    const struct fields *fields = &exchange->request.fields;
    char tag[PAGE_ETAG_SIZE];
    uint64_t hash = file->changed ? 0 : atomic_load_explicit(&((struct page *)page)->hash, memory_order_acquire);
    struct slice etag = slice_make(tag, page_write_etag(tag, hash));
    int64_t modified_s = file->changed ? -1 : file->modified_s;
    struct page_fields made;

    if (fields_has(fields, FIELD_ACCEPT_ENCODING) &&
        coding_choose(fields, (struct coding_order){ 0 }) == CODING_REFUSED)
        return STATIC_NOT_ACCEPTABLE;
    switch (conditional_evaluate(fields, etag, modified_s, true, now_s)) {
    case VERDICT_FAILED:
        return STATIC_FAILED;
    case VERDICT_NOT_MODIFIED:
        page_fields_not_modified(&made, page, dress, etag, modified_s);
        return use_own(exchange, make_answer(304, &made, page, file));
    case VERDICT_SEND:
        break;
    }
    page_fields_ok(&made, page, dress, etag, file->modified_s);
    struct answer *ok = make_answer(200, &made, page, file);
    return answer_file(exchange, ok, partial_wanted(exchange, etag, modified_s, now_s));
}

enum static_result static_send_file(const struct page *page, const struct dress *dress, struct static_file *file,
                                    struct exchange *exchange, unsigned status)
{
    struct page_fields made;

    page_fields_ok(&made, page, dress, SLICE(""), file->modified_s);
    return use_own(exchange, make_answer(status, &made, page, file));
}
