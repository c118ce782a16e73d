/* Makes a prepared response out of its parts, in one block: the struct, its fields, their bytes, the body's bytes. It
 * knows no wire; the encoded heads hang on it and go with it. */
#include "http/answer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/writer.h"
#include "http/fields.h"
#include "http/status.h"

static void ref_parts(const struct body *body)
{
    for (unsigned i = 0; i < body->part_count; i++)
        hold_ref(body->parts[i].hold);
}

static void unref_parts(const struct body *body)
{
    for (unsigned i = 0; i < body->part_count; i++)
        hold_unref(body->parts[i].hold);
}

void body_ref(const struct body *body)
{
    if (body->kind == BODY_PARTS)
        ref_parts(body);
    hold_ref(body->hold);
}

/* Its own hold last: the body and the list of its parts may lie in that. */
void body_unref(const struct body *body)
{
    struct hold *hold = body->hold;
    if (body->kind == BODY_PARTS)
        unref_parts(body);
    hold_unref(hold);
}

void answer_free(struct answer *answer)
{
    if (!answer)
        return;
    for (int wire = 0; wire < ANSWER_WIRES; wire++)
        free(atomic_load_explicit(&answer->heads[wire], memory_order_relaxed));
    if (answer->release)
        answer->release(answer->release_user);
    free(answer);
}

static void gone(struct hold *hold)
{
    answer_free(LINK_OWNER(hold, struct answer, hold));
}

void answer_adopt(struct answer *answer, struct hold *hold)
{
    assert(answer->life == &answer->hold && hold_sole(&answer->hold));
    answer->life = hold;
    answer->body.hold = hold;
}

/* Servers of one process share an answer, and each puts its Server, or none, into the copy that it sends. */
static bool preparable(struct slice name)
{
    return field_settable(name) && !slice_equal_nocase(name, SLICE("server"));
}

static bool valid(const struct answer_parts *parts)
{
    if (!status_valid(parts->status) || parts->field_count > UINT16_MAX)
        return false;
    for (size_t i = 0; i < parts->field_count; i++)
        if (!preparable(parts->fields[i].name) || !field_value_valid(parts->fields[i].value))
            return false;
    return true;
}

/* How many bytes the strings of the answer take behind its fields. */
static size_t text_size(const struct answer_parts *parts)
{
    size_t size = parts->borrow ? 0 : parts->body.size;
    for (size_t i = 0; i < parts->field_count; i++)
        size += parts->fields[i].name.size + parts->fields[i].value.size;
    return size;
}

static struct slice copy(struct writer *w, struct slice s)
{
    const char *at = w->at;
    writer_put(w, s);
    return slice_make(at, s.size);
}

static void fill_body(struct answer *answer, struct slice bytes)
{
    if (bytes.size == 0 || status_contentless(answer->status))
        return;
    answer->body = (struct body){ .kind = BODY_SPAN, .data = bytes.data, .size = bytes.size, .fd = -1,
                                  .hold = answer->life };
}

struct answer *answer_new(const struct answer_parts *parts)
{
    if (!valid(parts)) {
        errno = EINVAL;
        return NULL;
    }
    size_t text = text_size(parts);
    struct answer *answer = malloc(sizeof *answer + parts->field_count * sizeof(struct field_pair) + text);
    if (!answer)
        return NULL;
    struct field_pair *fields = (struct field_pair *)(answer + 1);
    struct writer w = writer_on(fields + parts->field_count, text);
    for (size_t i = 0; i < parts->field_count; i++) {
        fields[i].name = copy(&w, parts->fields[i].name);
        fields[i].value = copy(&w, parts->fields[i].value);
    }
    *answer = (struct answer){ .status = (uint16_t)parts->status, .field_count = (uint16_t)parts->field_count,
                               .length_omitted = status_bodiless(parts->status), .body = { .fd = -1 },
                               .fields = fields, .release = parts->release, .release_user = parts->release_user };
    hold_init(&answer->hold, gone);
    answer->life = &answer->hold;
    fill_body(answer, parts->borrow ? parts->body : copy(&w, parts->body));
    return answer;
}
