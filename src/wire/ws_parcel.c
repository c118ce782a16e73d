/* The head is written right before the payload once the payload's size is known. */
#include "wire/ws_parcel.h"

#include <assert.h>
#include <stdlib.h>

/* Nearly: the head may be shorter than the room for it. */
static size_t cost_of(const struct ws_parcel *parcel)
{
    return sizeof *parcel + parcel->frame.size + sizeof(struct ws_post);
}

static void gone(struct hold *hold)
{
    struct ws_parcel *parcel = (struct ws_parcel *)((char *)hold - offsetof(struct ws_parcel, hold));
    if (parcel->payer != NULL)
        pages_discharge(parcel->payer, cost_of(parcel));
    free(parcel);
}

static struct ws_parcel *make(size_t room)
{
    size_t whole = sizeof(struct ws_parcel) + WS_HEAD_MAX + room;
    struct ws_parcel *parcel = whole > room ? malloc(whole) : NULL;
    if (parcel == NULL)
        return NULL;
    parcel->payer = NULL;
    hold_init(&parcel->hold, gone);
    return parcel;
}

/* Its payload of `size` bytes lies behind the room for the longest head. */
static void put_head(struct ws_parcel *parcel, enum ws_opcode opcode, bool compressed, size_t size)
{
    char head[WS_HEAD_MAX];
    struct writer w = writer_on(head, sizeof head);
    ws_frame_write(&w, opcode, compressed, size);
    char *from = parcel->bytes + WS_HEAD_MAX - writer_used(&w);
    memcpy(from, head, writer_used(&w));
    parcel->frame = slice_make(from, writer_used(&w) + size);
}

struct ws_parcel *ws_parcel_new(enum ws_opcode opcode, struct slice payload)
{
    if (ws_is_control(opcode) && payload.size > WS_CONTROL_MAX)
        return NULL;
    struct ws_parcel *parcel = make(payload.size);
    if (parcel == NULL)
        return NULL;
    if (payload.size > 0)
        memcpy(parcel->bytes + WS_HEAD_MAX, payload.data, payload.size);
    put_head(parcel, opcode, false, payload.size);
    return parcel;
}

struct ws_parcel *ws_parcel_close(unsigned code, struct slice reason)
{
    struct ws_parcel *parcel = make(WS_CONTROL_MAX);
    if (parcel == NULL)
        return NULL;
    struct writer w = writer_on(parcel->bytes, WS_HEAD_MAX + WS_CONTROL_MAX);
    ws_close_write(&w, code, reason);
    parcel->frame = writer_slice(&w);
    return parcel;
}

struct ws_parcel *ws_parcel_deflated(struct ws_deflater *deflater, enum ws_opcode opcode, struct slice payload)
{
    struct ws_parcel *parcel = make(payload.size);
    size_t size = parcel ? ws_deflate(deflater, payload, parcel->bytes + WS_HEAD_MAX, payload.size) : 0;
    if (size == 0) {
        free(parcel);
        return NULL;
    }
    struct ws_parcel *shorter = realloc(parcel, sizeof *parcel + WS_HEAD_MAX + size);
    if (shorter != NULL)
        parcel = shorter;
    put_head(parcel, opcode, true, size);
    return parcel;
}

bool ws_parcel_charge(struct ws_parcel *parcel, struct pages *payer)
{
    assert(parcel->payer == NULL);
    bool charged = pages_charge(payer, cost_of(parcel));
    parcel->payer = charged ? payer : NULL;
    return charged;
}

struct ws_post *ws_post_new(struct ws_parcel *parcel)
{
    struct ws_post *post = malloc(sizeof *post);
    if (post != NULL)
        *post = (struct ws_post){ .parcel = parcel };
    return post;
}

bool ws_post_charge(struct ws_post *post, struct pages *payer)
{
    assert(post->payer == NULL);
    bool charged = pages_charge(payer, sizeof *post);
    post->payer = charged ? payer : NULL;
    return charged;
}

void ws_post_free(struct ws_post *post)
{
    if (post->payer != NULL)
        pages_discharge(post->payer, sizeof *post);
    hold_unref(&post->parcel->hold);
    free(post);
}

void ws_queue_append(struct ws_queue *queue, struct ws_post *post)
{
    post->next = NULL;
    if (queue->last != NULL)
        queue->last->next = post;
    else
        queue->first = post;
    queue->last = post;
}

struct ws_post *ws_queue_take(struct ws_queue *queue)
{
    struct ws_post *post = queue->first;
    if (post == NULL)
        return NULL;
    queue->first = post->next;
    if (queue->first == NULL)
        queue->last = NULL;
    return post;
}
