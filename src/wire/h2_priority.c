/* The two parameters of a priority out of a dictionary (RFC 9651 3.2), and sixteen lists.
 *
 * Of the same urgency, those that are of use only as a whole go one after the other, the others share what there is,
 * and where there are both kinds each gets every other turn, so that neither waits for all of the other one. */
#include "wire/h2_priority.h"

/* ---- The field ---------------------------------------------------------------------------------------------- */

/* Takes the next member of the dictionary: a key, and its value or what stands for true. Parameters are dropped. It
 * is less than a parser for structured fields, which could hold strings with commas in them: no key that is known here
 * has such a value. */
static bool next_member(struct slice *rest, struct slice *key, struct slice *value)
{
    if (rest->size == 0)
        return false;
    size_t comma = slice_find(*rest, ',');
    struct slice member = slice_part(*rest, 0, comma);
    *rest = slice_skip(*rest, comma < rest->size ? comma + 1 : comma);
    member = slice_trim(slice_part(member, 0, slice_find(member, ';')));
    size_t equals = slice_find(member, '=');
    *key = slice_part(member, 0, equals);
    *value = equals < member.size ? slice_skip(member, equals + 1) : SLICE("?1");
    return true;
}

struct h2_priority h2_priority_read(struct slice text)
{
    struct h2_priority priority = h2_priority_default();
    struct slice key, value;
    while (next_member(&text, &key, &value)) {
        bool digit = value.size == 1 && value.data[0] >= '0' && value.data[0] < '0' + H2_URGENCIES;
        bool boolean = slice_equal(value, SLICE("?0")) || slice_equal(value, SLICE("?1"));
        if (slice_equal(key, SLICE("u")) && digit)
            priority.urgency = (uint8_t)(value.data[0] - '0');
        if (slice_equal(key, SLICE("i")) && boolean)
            priority.incremental = value.data[1] == '1';
    }
    return priority;
}

/* ---- The queue ---------------------------------------------------------------------------------------------- */

void h2_queue_init(struct h2_queue *queue)
{
    queue->occupied = queue->parts_next = 0;
    for (unsigned u = 0; u < H2_URGENCIES; u++) {
        list_init(&queue->whole[u]);
        list_init(&queue->parts[u]);
    }
}

static struct h2_turn *turn_of(struct link *link)
{
    return LINK_OWNER(link, struct h2_turn, link);
}

/* In the order of the streams' numbers; most come last. */
static void insert_by_id(struct link *list, struct h2_turn *turn)
{
    struct link *before = list->prev;
    while (before != list && turn_of(before)->id > turn->id)
        before = before->prev;
    list_append(before->next, &turn->link);
}

void h2_queue_add(struct h2_queue *queue, struct h2_turn *turn)
{
    unsigned u = turn->priority.urgency;
    if (turn->queued)
        return;
    turn->queued = true;
    queue->occupied |= (uint8_t)(1u << u);
    if (turn->priority.incremental)
        list_append(&queue->parts[u], &turn->link);
    else
        insert_by_id(&queue->whole[u], turn);
}

void h2_queue_remove(struct h2_queue *queue, struct h2_turn *turn)
{
    unsigned u = turn->priority.urgency;
    if (!turn->queued)
        return;
    turn->queued = false;
    list_remove(&turn->link);
    if (list_empty(&queue->whole[u]) && list_empty(&queue->parts[u]))
        queue->occupied &= (uint8_t)~(1u << u);
}

struct h2_turn *h2_queue_first(const struct h2_queue *queue)
{
    if (queue->occupied == 0)
        return NULL;
    unsigned u = (unsigned)__builtin_ctz(queue->occupied);
    bool parts = list_empty(&queue->whole[u]) || (queue->parts_next >> u & 1 && !list_empty(&queue->parts[u]));
    return turn_of(parts ? queue->parts[u].next : queue->whole[u].next);
}

void h2_queue_rotate(struct h2_queue *queue, struct h2_turn *turn)
{
    unsigned u = turn->priority.urgency;
    if (turn->priority.incremental) {
        list_remove(&turn->link);
        list_append(&queue->parts[u], &turn->link);
        queue->parts_next &= (uint8_t)~(1u << u);
    } else {
        queue->parts_next |= (uint8_t)(1u << u);
    }
}
