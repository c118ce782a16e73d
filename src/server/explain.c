/* Two journeys: on the first one whatever comes later by itself is begun (pages are read and encoded, passwords
 * remembered); when that has come to its end, the second one shows what a client gets from then on. See explain.h. */
#include "server/explain.h"

#include <errno.h>
#include <poll.h>

#include "serve/encoder.h"
#include "serve/loader.h"
#include "server/explain_way.h"
#include "server/journey.h"

enum {
    ENCODING_MS = 20000, /* what takes longer is told as still being made */
    POLL_MS = 5
};

static const uint64_t hashed_max = UINT64_C(1) << 30; /* of one page that is not for the memory; read for its ETag */

struct explanation {
    struct journey journey;
    struct sheet *sheet;
    struct page *page;  /* what was answered with; NULL: no page */
    struct site *site;
    unsigned status;    /* 0: there was no response */
};

static void look(struct journey *journey, struct exchange *exchange)
{
    struct explanation *explanation = journey->user;
    struct way way;
    way_find(&way, exchange, journey->refused);
    explanation->page = way.page;
    explanation->site = way.site;
}

static void tell(struct journey *journey, struct exchange *exchange)
{
    struct explanation *explanation = journey->user;
    struct way way;
    explanation->status = exchange->response.status;
    way_find(&way, exchange, journey->refused);
    way_tell(&way, explanation->sheet);
}

/* ---- What goes out ------------------------------------------------------------------------------------------ */

static void tell_head(const struct journey *journey, struct sheet *sheet)
{
    struct slice rest = writer_slice(&journey->head);
    sheet_step(sheet, "response");
    while (rest.size > 0) {
        size_t end = slice_find(rest, '\n');
        struct slice line = slice_part(rest, 0, end);
        if (slice_ends(line, SLICE("\r")))
            line.size--;
        if (line.size > 0)
            sheet_line(sheet, line);
        rest = slice_skip(rest, end < rest.size ? end + 1 : end);
    }
}

static void tell_amount(struct sheet *sheet, uint64_t bytes, const char *how)
{
    if (bytes > 0)
        sheet_fact(sheet, "sent", "%llu bytes, %s", (unsigned long long)bytes, how);
}

static void tell_content(const struct journey *journey, struct sheet *sheet)
{
    sheet_step(sheet, "content");
    if (journey->copied + journey->memory + journey->file == 0)
        sheet_fact(sheet, "sent", "none");
    const char *copied = journey->pulled ? "made while it is sent, framing included" : "copied behind the head";
    tell_amount(sheet, journey->copied, copied);
    tell_amount(sheet, journey->memory, "from the memory in which it lies");
    tell_amount(sheet, journey->file, "from its file, by sendfile");
}

/* ---- The two journeys --------------------------------------------------------------------------------------- */

static bool travel(struct explanation *explanation, rh_server *server, struct slice request)
{
    explanation->journey.user = explanation;
    if (journey_make(&explanation->journey, &server->workers[0], request))
        return true;
    log_write(&server->log, LOG_LEVEL_ERROR, "cannot explain: %s", strerror(errno));
    journey_fini(&explanation->journey);
    return false;
}

/* What the server would do by and by. */
static void settle(const rh_server *server, const struct explanation *first)
{
    for (unsigned waited = 0; waited < ENCODING_MS && !encoder_idle(server->store.encoder); waited += POLL_MS)
        poll(NULL, 0, POLL_MS);
    struct page *page = first->page;
    if (page && !page_cache_find(&page->slot) && page->size <= hashed_max)
        loader_hash(&first->site->files, page);
}

static bool rehearse(rh_server *server, struct slice request)
{
    struct explanation first = { .journey.arrived = look };
    if (!travel(&first, server, request))
        return false;
    settle(server, &first);
    journey_fini(&first.journey);
    return true;
}

static bool perform(rh_server *server, struct slice request, struct sheet *sheet)
{
    struct explanation second = { .journey.arrived = tell, .sheet = sheet };
    if (!travel(&second, server, request))
        return false;
    if (second.journey.head.at != second.journey.head.start)
        tell_head(&second.journey, sheet);
    if (second.status != 0)
        tell_content(&second.journey, sheet);
    journey_fini(&second.journey);
    return true;
}

bool server_explain(rh_server *server, struct slice request, FILE *out, bool colour)
{
    struct sheet sheet = { .out = out, .colour = colour };
    return server_start_apart(server) && rehearse(server, request) && perform(server, request, &sheet);
}
