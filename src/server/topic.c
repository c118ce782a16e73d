/* Topics: each worker has a list of its own members, which only its thread touches. To join, to leave and to send are
 * letters to workers, so that their order is that of the mailbox, and nothing is locked. */
#include <stdlib.h>

#include "base/utf8.h"
#include "rawhttp/topic.h"
#include "server/listener.h"
#include "server/packer.h"
#include "server/sized.h"

/* A topic's members on one worker. */
struct row {
    _Alignas(CACHE_LINE) struct link members;
    atomic_size_t count;      /* of them, and of those whose letter is on its way: none, and the worker is not woken */
    struct letter disband;
    rh_topic *topic;
};

struct rh_topic {
    struct hold hold;         /* the program's, each membership's, and each letter's on its way */
    rh_server *server;
    bool close_slow;
    atomic_size_t packers;    /* members that take compressed frames */
    _Atomic uint64_t missed;
    unsigned row_count;
    struct row rows[];
};

/* Made by who lets join, and then in both lists. An errand to leave is one as well, which is never in any. */
struct membership {
    struct letter letter;
    struct link in_topic, in_listener;
    struct listener *listener;
    rh_topic *topic;
};

static void gone(struct hold *hold)
{
    free(LINK_OWNER(hold, rh_topic, hold));
}

static struct row *row_of(rh_topic *topic, const struct listener *listener)
{
    return &topic->rows[listener->worker->net.index];
}

static struct mailbox *mailbox_of(const rh_topic *topic, unsigned worker)
{
    return &topic->server->workers[worker].net.mailbox;
}

/* ---- Members ------------------------------------------------------------------------------------------------ */

static struct membership *find(const struct listener *listener, const rh_topic *topic)
{
    for (struct link *link = listener->memberships.next; link != &listener->memberships; link = link->next) {
        struct membership *membership = LINK_OWNER(link, struct membership, in_listener);
        if (membership->topic == topic)
            return membership;
    }
    return NULL;
}

/* It is in neither list. */
static void drop(struct membership *membership)
{
    rh_topic *topic = membership->topic;
    struct listener *listener = membership->listener;
    atomic_fetch_sub(&row_of(topic, listener)->count, 1);
    if (listener->packs)
        atomic_fetch_sub(&topic->packers, 1);
    free(membership);
    hold_unref(&listener->hold);
    hold_unref(&topic->hold);
}

static void end(struct membership *membership)
{
    list_remove(&membership->in_topic);
    list_remove(&membership->in_listener);
    drop(membership);
}

static void join(struct letter *letter)
{
    struct membership *membership = LINK_OWNER(letter, struct membership, letter);
    struct listener *listener = membership->listener;
    if (atomic_load(&listener->closed) || find(listener, membership->topic) != NULL) {
        drop(membership);
        return;
    }
    list_append(&row_of(membership->topic, listener)->members, &membership->in_topic);
    list_append(&listener->memberships, &membership->in_listener);
}

static void leave(struct letter *letter)
{
    struct membership *errand = LINK_OWNER(letter, struct membership, letter);
    struct membership *membership = find(errand->listener, errand->topic);
    if (membership != NULL)
        end(membership);
    drop(errand);
}

/* Counts from now on, so that whatever its thread sends next wakes the worker. */
static bool send_errand(struct listener *listener, rh_topic *topic, void (*open)(struct letter *letter))
{
    struct membership *membership = malloc(sizeof *membership);
    if (membership == NULL)
        return false;
    *membership = (struct membership){ .letter.open = open, .listener = listener, .topic = topic };
    hold_ref(&listener->hold);
    hold_ref(&topic->hold);
    atomic_fetch_add(&row_of(topic, listener)->count, 1);
    if (listener->packs)
        atomic_fetch_add(&topic->packers, 1);
    mailbox_post(&listener->worker->net.mailbox, &membership->letter);
    return true;
}

bool listener_join(struct listener *listener, rh_topic *topic)
{
    return !atomic_load(&listener->closed) && send_errand(listener, topic, join);
}

bool listener_leave(struct listener *listener, rh_topic *topic)
{
    return atomic_load(&listener->closed) || send_errand(listener, topic, leave);
}

void listener_close(struct listener *listener)
{
    atomic_store(&listener->closed, true);
    for (struct link *link = listener->memberships.next, *next; link != &listener->memberships; link = next) {
        next = link->next;
        end(LINK_OWNER(link, struct membership, in_listener));
    }
}

/* ---- Sending ------------------------------------------------------------------------------------------------ */

struct delivery {
    struct letter letter;
    struct shipment *shipment;
    struct row *row;
};

/* One message on its way to several workers. */
struct shipment {
    struct broadcast broadcast;
    rh_topic *topic;
    atomic_uint left; /* deliveries */
    struct delivery deliveries[];
};

static void drop_shipment(struct shipment *shipment)
{
    if (atomic_fetch_sub(&shipment->left, 1) > 1)
        return;
    hold_unref(&shipment->broadcast.plain->hold);
    if (shipment->broadcast.packed != NULL)
        hold_unref(&shipment->broadcast.packed->hold);
    hold_unref(&shipment->topic->hold);
    free(shipment);
}

static void hand_over(struct membership *membership, const struct broadcast *broadcast)
{
    rh_topic *topic = membership->topic;
    struct listener *listener = membership->listener;
    hold_ref(&listener->hold); /* it may close, and its membership end */
    if (listener->type->hear(listener, broadcast) == HEARD_NOT) {
        atomic_fetch_add_explicit(&topic->missed, 1, memory_order_relaxed);
        if (topic->close_slow)
            listener->type->cut(listener);
    }
    hold_unref(&listener->hold);
}

/* Any member may leave meanwhile, and so may others. */
static void deliver(struct letter *letter)
{
    struct delivery *delivery = LINK_OWNER(letter, struct delivery, letter);
    struct link rest;
    list_init(&rest);
    list_splice(&rest, &delivery->row->members);
    while (!list_empty(&rest)) {
        struct link *link = rest.next;
        list_remove(link);
        list_append(&delivery->row->members, link);
        hand_over(LINK_OWNER(link, struct membership, in_topic), &delivery->shipment->broadcast);
    }
    drop_shipment(delivery->shipment);
}

/* It goes to all workers, so any of them may pay for it. */
static bool charge(const rh_server *server, struct ws_parcel *parcel)
{
    for (unsigned i = 0; i < server->workers_made; i++)
        if (ws_parcel_charge(parcel, &server->workers[i].net.pages))
            return true;
    return false;
}

/* Compressed as well, where anybody takes that; without memory for it, it goes as it is. */
static struct ws_parcel *pack(rh_topic *topic, enum ws_opcode kind, struct slice bytes)
{
    if (atomic_load(&topic->packers) == 0)
        return NULL;
    struct ws_parcel *packed = packer_pack(topic->server, 0, kind, bytes);
    if (packed == NULL || charge(topic->server, packed))
        return packed;
    hold_unref(&packed->hold);
    return NULL;
}

static bool encode(rh_topic *topic, struct broadcast *broadcast, enum ws_opcode kind, struct slice bytes)
{
    *broadcast = (struct broadcast){ .kind = kind, .plain = ws_parcel_new(kind, bytes) };
    if (broadcast->plain == NULL)
        return false;
    if (!charge(topic->server, broadcast->plain)) {
        hold_unref(&broadcast->plain->hold);
        return false;
    }
    struct slice frame = broadcast->plain->frame;
    broadcast->payload = slice_skip(frame, frame.size - bytes.size);
    broadcast->packed = pack(topic, kind, bytes);
    return true;
}

/* Only where members are. Its own share keeps it until all letters have been posted. */
static void ship(struct shipment *shipment)
{
    rh_topic *topic = shipment->topic;
    hold_ref(&topic->hold);
    atomic_init(&shipment->left, 1);
    for (unsigned i = 0; i < topic->row_count; i++) {
        if (atomic_load(&topic->rows[i].count) == 0)
            continue;
        atomic_fetch_add(&shipment->left, 1);
        shipment->deliveries[i] = (struct delivery){ { .open = deliver }, shipment, &topic->rows[i] };
        mailbox_post(mailbox_of(topic, i), &shipment->deliveries[i].letter);
    }
    drop_shipment(shipment);
}

bool rh_topic_send(rh_topic *topic, enum rh_message_kind kind, const void *data, size_t size)
{
    struct slice bytes = slice_make(data, size);
    if (kind == RH_TEXT && !utf8_valid(bytes))
        return false;
    struct shipment *shipment = malloc(sizeof *shipment + topic->row_count * sizeof *shipment->deliveries);
    if (shipment == NULL || !encode(topic, &shipment->broadcast, (enum ws_opcode)kind, bytes)) {
        free(shipment);
        return false;
    }
    shipment->topic = topic;
    ship(shipment);
    return true;
}

/* ---- Its life ----------------------------------------------------------------------------------------------- */

static void disband(struct letter *letter)
{
    struct row *row = LINK_OWNER(letter, struct row, disband);
    rh_topic *topic = row->topic;
    for (struct link *link = row->members.next, *next; link != &row->members; link = next) {
        next = link->next;
        end(LINK_OWNER(link, struct membership, in_topic));
    }
    hold_unref(&topic->hold);
}

rh_topic *rh_topic_create(rh_server *server, const rh_topic_options *options, size_t options_size)
{
    rh_topic_options known;
    if (server == NULL)
        return NULL;
    if (!sized_read(&known, sizeof known, options, options_size)) {
        log_write(&server->log, LOG_LEVEL_ERROR, "a topic sets " SIZED_UNKNOWN);
        return NULL;
    }
    unsigned count = server->config.workers;
    rh_topic *topic = aligned_alloc(CACHE_LINE, sizeof *topic + count * sizeof topic->rows[0]);
    if (topic == NULL)
        return NULL;
    *topic = (rh_topic){ .server = server, .close_slow = known.close_slow, .row_count = count };
    hold_init(&topic->hold, gone);
    for (unsigned i = 0; i < count; i++) {
        topic->rows[i] = (struct row){ .disband.open = disband, .topic = topic };
        list_init(&topic->rows[i].members);
    }
    return topic;
}

size_t rh_topic_members(const rh_topic *topic)
{
    size_t sum = 0;
    for (unsigned i = 0; i < topic->row_count; i++)
        sum += atomic_load(&topic->rows[i].count);
    return sum;
}

uint64_t rh_topic_missed(const rh_topic *topic)
{
    return atomic_load(&topic->missed);
}

void rh_topic_free(rh_topic *topic)
{
    if (topic == NULL)
        return;
    for (unsigned i = 0; i < topic->row_count; i++) {
        if (atomic_load(&topic->rows[i].count) == 0)
            continue;
        hold_ref(&topic->hold);
        mailbox_post(mailbox_of(topic, i), &topic->rows[i].disband);
    }
    hold_unref(&topic->hold);
}
