/* Bodies in pieces. What has come of one lies in the exchange's arena, where a limit of the test keeps it small. */
#include "pieces.h"

#include "base/writer.h"

enum { ROOM = 400, DROPS = 10 };

struct collected {
    struct slice way; /* the query */
    struct writer text;
    char bytes[ROOM];
};

static void answer(struct exchange *exchange, unsigned status, struct slice text)
{
    exchange->response.status = status;
    exchange->response.body = (struct body){ .kind = BODY_SPAN, .data = text.data, .size = text.size,
                                             .hold = &exchange->hold };
}

static void defer(struct stage *stage, struct exchange *exchange)
{
    hold_ref(&exchange->hold);
    exchange->deferred = true;
    stage->later = exchange;
}

static void answer_with(struct exchange *exchange, struct collected *collected)
{
    writer_byte(&collected->text, ']');
    answer(exchange, 200, writer_slice(&collected->text));
}

static bool goes(const struct collected *collected, const char *way)
{
    return slice_equal(collected->way, slice_text(way));
}

void pieces_asked(struct stage *stage, struct exchange *exchange)
{
    struct collected *collected = arena_take(&exchange->arena, sizeof *collected);
    (void)stage;
    if (collected == NULL) {
        answer(exchange, 503, SLICE("refused\n"));
        return;
    }
    collected->way = exchange->request.target.query;
    collected->text = writer_on(collected->bytes, sizeof collected->bytes);
    writer_byte(&collected->text, '[');
    exchange->receiver = collected;
    if (goes(collected, "early") || !exchange->streaming)
        answer_with(exchange, collected);
    else if (goes(collected, "later"))
        defer(stage, exchange);
}

void pieces_received(struct session_host *host, struct exchange *exchange, struct slice piece, bool last)
{
    struct stage *stage = (struct stage *)host;
    struct collected *collected = exchange->receiver;
    size_t before = writer_used(&collected->text), wanted = 1 + 3;
    bool three = goes(collected, "three");
    if (three && piece.size > wanted - before)
        piece.size = wanted - before;
    writer_put(&collected->text, piece);
    if (goes(collected, "later") || (goes(collected, "slow") && !last))
        defer(stage, exchange);
    else if (last || (three && writer_used(&collected->text) == wanted))
        answer_with(exchange, collected);
}

bool pieces_return(struct exchange *exchange)
{
    struct collected *collected = exchange->receiver;
    if (collected == NULL)
        return false;
    if (!exchange->streaming)
        answer_with(exchange, collected);
    return true;
}

static long drop(void *user, char *out, size_t size)
{
    struct exchange *exchange = user;
    uint64_t *asked = &exchange->response.body.offset, turn = (*asked)++;
    (void)size;
    if (turn % 2 == 0)
        return BODY_PULL_LATER;
    if (turn / 2 == DROPS) {
        exchange_add_trailer(exchange, SLICE("X-Drops"), SLICE("10"));
        exchange_add_trailer(exchange, SLICE("Content-Length"), SLICE("10"));
        return 0;
    }
    *out = (char)('a' + turn / 2);
    return 1;
}

void pieces_drip(struct stage *stage, struct exchange *exchange)
{
    (void)stage;
    exchange->response.status = 200;
    exchange->response.body = (struct body){ .kind = BODY_PULL, .pull = drop, .user = exchange };
}
