/* The heap holds indices, and each place knows where in the heap it is, so that one can be taken out of the middle. A
 * number is a place and the round in which that was used: 20 and 44 bits, of which the latter would be used up after
 * 500 years of a thousand alarms a second, all in one place. */
#include "net/alarms.h"

#include <assert.h>
#include <stdlib.h>

enum { PLACE_BITS = 20, ROOM_FIRST = 16, NONE = ALARMS_MAX };

_Static_assert(1 << PLACE_BITS == ALARMS_MAX, "a number has bits for every place");

void alarms_init(struct alarms *alarms)
{
    *alarms = (struct alarms){ .free = NONE, .next_ms = UINT64_MAX };
}

void alarms_fini(struct alarms *alarms)
{
    free(alarms->places);
    free(alarms->heap);
    alarms_init(alarms);
}

/* ---- The heap ----------------------------------------------------------------------------------------------- */

static bool sooner(const struct alarms *alarms, uint32_t a, uint32_t b)
{
    const struct alarm *left = &alarms->places[a], *right = &alarms->places[b];
    if (left->due_ms != right->due_ms)
        return left->due_ms < right->due_ms;
    return left->order < right->order;
}

static void put(struct alarms *alarms, uint32_t at, uint32_t place)
{
    alarms->heap[at] = place;
    alarms->places[place].at = at;
}

static void rise(struct alarms *alarms, uint32_t at, uint32_t place)
{
    while (at > 0 && sooner(alarms, place, alarms->heap[(at - 1) / 2])) {
        put(alarms, at, alarms->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(alarms, at, place);
}

static void sink(struct alarms *alarms, uint32_t at, uint32_t place)
{
    for (uint32_t child; (child = 2 * at + 1) < alarms->count; at = child) {
        if (child + 1 < alarms->count && sooner(alarms, alarms->heap[child + 1], alarms->heap[child]))
            child++;
        if (!sooner(alarms, alarms->heap[child], place))
            break;
        put(alarms, at, alarms->heap[child]);
    }
    put(alarms, at, place);
}

static void look_ahead(struct alarms *alarms)
{
    alarms->next_ms = alarms->count > 0 ? alarms->places[alarms->heap[0]].due_ms : UINT64_MAX;
}

/* The last one takes the gap, and goes up or down from there. */
static void take_out(struct alarms *alarms, uint32_t at)
{
    uint32_t last = alarms->heap[--alarms->count];
    if (at == alarms->count)
        return;
    if (at > 0 && sooner(alarms, last, alarms->heap[(at - 1) / 2]))
        rise(alarms, at, last);
    else
        sink(alarms, at, last);
}

/* ---- The places --------------------------------------------------------------------------------------------- */

static bool grow(struct alarms *alarms)
{
    if (alarms->room == ALARMS_MAX)
        return false;
    uint32_t room = alarms->room > 0 ? 2 * alarms->room : ROOM_FIRST;
    struct alarm *places = reallocarray(alarms->places, room, sizeof *places);
    if (places == NULL)
        return false;
    alarms->places = places;
    uint32_t *heap = reallocarray(alarms->heap, room, sizeof *heap);
    if (heap == NULL)
        return false;
    alarms->heap = heap;
    alarms->room = room;
    return true;
}

/* NONE: no memory, or too many. */
static uint32_t take_place(struct alarms *alarms)
{
    uint32_t place = alarms->free;
    if (place != NONE) {
        alarms->free = alarms->places[place].at;
        return place;
    }
    if (alarms->used == alarms->room && !grow(alarms))
        return NONE;
    alarms->places[alarms->used].round = 0;
    return alarms->used++;
}

static void give_place(struct alarms *alarms, uint32_t place)
{
    alarms->places[place].at = alarms->free;
    alarms->free = place;
}

static void end(struct alarms *alarms, uint32_t place)
{
    take_out(alarms, alarms->places[place].at);
    give_place(alarms, place);
    alarms->places[place].round++; /* its number is nobody's from now on */
    alarms->places[place].call = NULL;
}

/* ---- The calls ---------------------------------------------------------------------------------------------- */

static uint64_t number_of(const struct alarms *alarms, uint32_t place)
{
    return alarms->places[place].round << PLACE_BITS | place;
}

uint64_t alarms_add(struct alarms *alarms, uint64_t due_ms, uint32_t every_ms, alarm_call *call, void *user)
{
    uint32_t place = take_place(alarms);
    if (place == NONE)
        return 0;
    struct alarm *alarm = &alarms->places[place];
    if (alarm->round == 0)
        alarm->round = 1; /* so that no number is 0 */
    alarm->due_ms = due_ms;
    alarm->order = alarms->order++;
    alarm->every_ms = every_ms;
    alarm->call = call;
    alarm->user = user;
    rise(alarms, alarms->count++, place);
    look_ahead(alarms);
    return number_of(alarms, place);
}

bool alarms_cancel(struct alarms *alarms, uint64_t number)
{
    uint32_t place = (uint32_t)(number & (ALARMS_MAX - 1));
    if (place >= alarms->used || alarms->places[place].call == NULL || number_of(alarms, place) != number)
        return false;
    end(alarms, place);
    look_ahead(alarms);
    return true;
}

static void put_off(struct alarms *alarms, uint32_t place, uint64_t now_ms)
{
    struct alarm *alarm = &alarms->places[place];
    uint64_t missed = (now_ms - alarm->due_ms) / alarm->every_ms;
    alarm->due_ms += (missed + 1) * alarm->every_ms;
    alarm->order = alarms->order++;
    sink(alarms, alarm->at, place);
}

/* What comes next is settled before the call, which may add and cancel. */
void alarms_run(struct alarms *alarms, uint64_t now_ms)
{
    while (alarms->next_ms <= now_ms) {
        uint32_t place = alarms->heap[0];
        struct alarm alarm = alarms->places[place];
        if (alarm.every_ms > 0)
            put_off(alarms, place, now_ms);
        else
            end(alarms, place);
        look_ahead(alarms);
        assert(alarm.call != NULL); /* it was in the heap */
        alarm.call(alarm.user);
    }
}
