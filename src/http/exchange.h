/* One request and its response, the same whatever wire it came over.
 *
 * A session fills the request part and hands it up; whoever answers fills the response part; the session sends it.
 * It knows no socket and no version-specific syntax. It belongs to one worker, or, while an answer is deferred, to
 * the one thread that will complete it. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/hold.h"
#include "base/list.h"
#include "base/mailbox.h"
#include "http/answer.h"
#include "http/fields.h"
#include "http/target.h"

struct session;

struct request {
    enum method method;
    uint8_t version;          /* 10 or 11 (later 20): for the log and for the session, not for handlers */
    bool persistent;          /* the client lets the connection go on */
    bool secure;              /* it came over TLS */
    uint16_t cipher;          /* with this suite: session.cipher */
    struct slice method_name; /* as sent */
    struct slice raw_target;  /* as sent */
    struct target target;
    struct slice path;        /* the normal path: in the head where it is plain, else in the arena */
    struct slice body;        /* whole, in memory of the exchange */
    uint64_t body_bytes;      /* received, discarded ones included */
    struct slice peer;        /* "192.0.2.1" or "unix", without port */
    struct fields fields;     /* last: see exchange_renew */
};

/* Text that is put together piece by piece, in the arena. */
struct reply_text {
    char *data;
    size_t used, room;
};

/* How a connection goes on with another protocol (RFC 9110 7.8): after the 101 has been written, `become` puts another
 * session in the place of the one that wrote it, in the same memory and in the phase OPEN. Then the exchange is
 * over. */
struct upgrade {
    void (*become)(struct upgrade *upgrade, struct session *session);
};

/* Where in a JSON text that is put together call by call the next value will stand. */
struct json_place {
    uint64_t objects; /* bit i: what is open at depth i is an object, not an array */
    uint8_t depth;    /* how many are open */
    bool begun;       /* there was a first value */
    bool follows;     /* the next one stands behind another */
    bool whole;       /* there can be no next one */
};

struct response {
    unsigned status;          /* 0: not answered yet */
    struct answer *answer;    /* prepared; not counted: valid for this turn, or held below */
    struct body body;         /* where there is no answer */
    struct field_pair *fields;
    unsigned field_count, field_room;
    struct field_pair *trailers; /* behind content that is made while it is sent, where the wire has a place for them */
    unsigned trailer_count;
    struct upgrade *upgrade;  /* with status 101 */
    struct reply_text text;   /* JSON that is being collected */
    struct json_place place;  /* in it */
    struct slice detail;      /* of the error, where that is late */
    unsigned chosen;          /* the status for the response that is being built; 0: the usual one */
    bool pulled;              /* the content that is made while it is sent has ended */
    bool late;                /* an error, `status`, whose response is made when the exchange is home */
    bool refused;             /* a field could not be added: what was built is not sent */
    bool starved;             /* a call of the handler's had no memory, and made this a 503 */
    bool close;               /* the connection ends after this response */
};

enum {
    EXCHANGE_FIELDS_FEW = 8,    /* what most responses have: there is room from the beginning */
    EXCHANGE_FIELDS_MAX = 100,
    EXCHANGE_INLINE = 6 * 1024 - EXCHANGE_FIELDS_FEW * (int)sizeof(struct field_pair),
    EXCHANGE_TRAILERS_MAX = 8,  /* all of them fit into one piece of content */
    EXCHANGE_TRAILER_MAX = 1024 /* bytes of name and value */
};

typedef void exchange_call(void *user);

struct exchange {
    struct hold hold;         /* the session's reference, and one for each span in flight */
    void *worker;             /* server's: whose exchange this is */
    struct pages *pages;      /* the worker's */
    struct arena arena;
    void *body_block;         /* request.body lies here; a block of pages */
    size_t body_room;
    struct answer *held;      /* reference on response.answer, where it has to outlive the turn */
    void (*done)(void *user); /* called once when all is over: what a BODY_PULL draws from can go; may be NULL */
    void *done_user;

    /* From here to the request all is zero when a request begins; of the request, what says that a head and a body were
     * read. What is in a head is the session's to set or to forget. */
    struct session *session;  /* NULL: the connection has gone, nobody waits for the answer */
    void *route;              /* server's: the route that was found when only the head was there */
    void *params;             /* server's: the values of its parameters */
    void *beside;             /* server's: what few requests have; in the arena, or NULL */
    void *receiver;           /* server's: who takes the pieces of the body */
    uint64_t body_max;        /* bytes of the body that are wanted; 0: what is usual */
    struct letter letter;     /* home, when another thread has answered */
    void (*finish)(struct exchange *exchange); /* what its worker does first when it is home; may be NULL */
    bool deferred;            /* somebody else will complete it */
    bool streaming;           /* the body is handed on as it comes, and has not ended */
    bool settled;             /* head and peer have been copied into the arena */
    /* What a completing thread may touch meanwhile: */
    atomic_bool lost;         /* the client sends no more */
    atomic_bool abandoned;    /* its connection has gone, too */
    _Atomic(exchange_call *) on_gone; /* called when it goes while this is deferred; NULL: nobody asks */
    void *gone_user;
    uint32_t head_size;       /* bytes of the head from fields.base: what exchange_settle has to copy */
    uint64_t begun_ms;        /* when its head was whole (clock.now_ms) */
    struct response response;
    struct request request;
    struct field_pair few[EXCHANGE_FIELDS_FEW];
    _Alignas(16) char first[EXCHANGE_INLINE];
};

/* Once, when the exchange's memory is made. */
void exchange_init(struct exchange *exchange, struct pages *pages, size_t arena_ceiling, void (*gone)(struct hold *));

/* Before each request: everything as new, but for worker. The session is the taker's to set. The hold is set to one
 * reference. */
void exchange_reset(struct exchange *exchange);

/* The same for one that has been released since its last request. */
void exchange_renew(struct exchange *exchange);

/* Its request was answered with something prepared, and nothing was kept or taken for it: nearly every page is served
 * like this. It needs no release, and to be as new only exchange_freshen, all in all 70 instructions less. */
static inline bool exchange_untouched(const struct exchange *exchange)
{
    return !exchange->settled && exchange->response.answer && arena_untouched(&exchange->arena);
}

static inline void exchange_freshen(struct exchange *exchange)
{
    exchange->response.status = 0;
    exchange->response.answer = NULL;
    exchange->response.close = false;
}

/* Gives back all memory taken for the request; the exchange can be reset and used again. */
void exchange_release(struct exchange *exchange);

/* The client sends no more, and has probably gone: who makes a deferred answer is told, once. It is sent anyway. */
void exchange_lose(struct exchange *exchange);

/* The connection has gone, too: nobody waits for the answer any more. */
void exchange_abandon(struct exchange *exchange);

/* Copies the head and the peer into the arena, so that slices of them live as long as the exchange does; needed before
 * a handler sees it; a second call does nothing. False: no memory (503), nothing has changed. */
bool exchange_settle(struct exchange *exchange, size_t head_size);

/* The one spelling of the path under which everyone above knows it: request.path, from a target that was parsed. 0, or
 * the status that it comes to. */
unsigned exchange_place_path(struct exchange *exchange);

/* Appends to the request's body. False: no memory. The limit is the caller's to check. */
bool exchange_body_append(struct exchange *exchange, struct slice bytes);

/* A field as a response may have it, its strings in the arena. False: not valid, or no memory. */
bool exchange_copy_field(struct exchange *exchange, struct field_pair field, struct field_pair *copy);

/* Response building for dynamic answers. Names and values are copied. False: not valid, no memory, or too many; the
 * response is then a 500 (or 503) that the caller has to set. */
bool exchange_add_field(struct exchange *exchange, struct slice name, struct slice value);

/* Where there is no room for another one: makes some. */
bool exchange_add_further(struct exchange *exchange, struct field_pair field);

/* The same for constants of the program's own, which outlive the exchange and are known to be valid: nothing is checked
 * or copied. */
static inline bool exchange_add_constant(struct exchange *exchange, struct slice name, struct slice value)
{
    struct response *response = &exchange->response;
    if (response->field_count == response->field_room)
        return exchange_add_further(exchange, (struct field_pair){ name, value });
    response->fields[response->field_count++] = (struct field_pair){ name, value };
    return true;
}

/* A field behind the content. False: not valid, not one that may stand there, no memory, or too many. */
bool exchange_add_trailer(struct exchange *exchange, struct slice name, struct slice value);

/* Drops whatever response was begun, but not the decision to close. */
void exchange_clear_response(struct exchange *exchange);

/* What was prepared becomes a response that is built: it keeps status and body, and has no fields yet. Those lie in the
 * answer, which is returned, and held from now on. NULL: it is built already, and stays as it is. */
const struct answer *exchange_unfold(struct exchange *exchange);

/* The same with its fields, so that others can be added. False: no memory. */
bool exchange_reopen(struct exchange *exchange) __attribute__((warn_unused_result));

/* Whether one of the first `count` fields of the response has this name. */
bool response_has_field(const struct response *response, unsigned count, struct slice name);

static inline void exchange_use(struct exchange *exchange, struct answer *answer)
{
    exchange->response.status = answer->status;
    exchange->response.answer = answer;
}

static inline bool exchange_lost(const struct exchange *exchange)
{
    return atomic_load_explicit(&exchange->lost, memory_order_relaxed);
}

/* Nobody waits for the answer: what a thread that makes it may ask. */
static inline bool exchange_abandoned(const struct exchange *exchange)
{
    return atomic_load_explicit(&exchange->abandoned, memory_order_relaxed);
}

static inline bool exchange_answered(const struct exchange *exchange)
{
    return exchange->response.status != 0;
}

#endif
