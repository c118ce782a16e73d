/* What benchmarks of HTTP servers ask for: sums, JSON made for each request, uploads counted, a WebSocket echo.
 *
 *     ./dev build examples/bench && build/examples/bench     and curl 'localhost:8080/json/3?m=2'
 *
 * Arguments: the address to listen on (:8080 is all interfaces), the data set (examples/bench/items.json), and the
 * number of workers. */
#include "items.h"

#include <rawhttp.h>
#include <stdlib.h>

static void add_item(rh_request *request, const char *comma, const struct item *item, int64_t total)
{
    rh_json_add(request, "%j{\"id\":%d,\"name\":%s,\"category\":%s,\"price\":%d,\"quantity\":%d,\"active\":%b,"
                         "\"rating\":{\"score\":%d,\"count\":%d},\"total\":%lld,\"tags\":[",
                comma, item->id, item->name, item->category, item->price, item->quantity, item->active, item->score,
                item->ratings, (long long)total);
    for (size_t i = 0; i < item->tag_count; i++)
        rh_json_add(request, i == 0 ? "%s" : ",%s", item->tags[i]);
    rh_json_add(request, "]}");
}

static void json(rh_request *request, void *user)
{
    const struct items *items = user;
    uint64_t count, m = 1;
    rh_slice factor = rh_query(request, "m");
    bool known = rh_slice_uint(rh_param(request, "count"), &count) && (!factor.data || rh_slice_uint(factor, &m));
    if (!known || m > 1000000) {
        rh_fail(request, 400, "count and m are numbers, m at most a million");
        return;
    }
    count = count < items->count ? count : items->count;
    rh_json_add(request, "{\"count\":%llu,\"items\":[", (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++) {
        const struct item *item = &items->at[i];
        add_item(request, i > 0 ? "," : "", item, item->price * (int64_t)m * item->quantity);
    }
    rh_json_add(request, "]}");
    rh_json_send(request);
}

/* By hand: of the instructions of a request, a fifth was snprintf's. */
static void say_number(rh_request *request, int64_t number)
{
    char text[24], *end = text + sizeof text, *at = end;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--at = '-';
    rh_bytes(request, "text/plain", at, (size_t)(end - at));
}

static void baseline(rh_request *request, void *unused)
{
    int64_t a, b, more = 0;
    rh_slice body = rh_body(request);
    (void)unused;
    if (!rh_slice_int(rh_query(request, "a"), &a) || !rh_slice_int(rh_query(request, "b"), &b) ||
        (body.size > 0 && !rh_slice_int(body, &more))) {
        rh_fail(request, 400, "a and b, and the body if there is one, are numbers");
        return;
    }
    say_number(request, (int64_t)((uint64_t)a + (uint64_t)b + (uint64_t)more)); /* defined, even where it wraps */
}

static void count(rh_request *request, void *user, rh_slice piece, bool last)
{
    int64_t *bytes = user;
    *bytes += (int64_t)piece.size;
    if (last)
        say_number(request, *bytes);
}

static void upload(rh_request *request, void *unused)
{
    (void)unused;
    int64_t *bytes = rh_memory(request, sizeof *bytes);
    if (bytes == NULL)
        rh_fail(request, 503, NULL);
    else
        rh_receive(request, count, bytes);
}

static void pipeline(rh_request *request, void *answer)
{
    rh_send(request, answer);
}

static void echo_message(rh_socket *socket, void *unused, enum rh_message_kind kind, rh_slice bytes)
{
    (void)unused;
    rh_socket_send(socket, kind, bytes.data, bytes.size);
}

static void echo(rh_request *request, void *unused)
{
    rh_websocket(request, &(rh_websocket_options){ .message = echo_message }, unused);
}

int main(int count_of_words, char **words)
{
    struct items items = { 0 };
    if (!items_read(count_of_words > 2 ? words[2] : "examples/bench/items.json", &items))
        return 1;
    const char *listen = count_of_words > 1 ? words[1] : "localhost:8080";
    unsigned workers = count_of_words > 3 ? (unsigned)strtoul(words[3], NULL, 10) : 0; /* 0: one for each CPU */
    rh_server *server = rh_server_new((rh_options){ .listen = listen, .workers = workers, .log = rh_log_stderr });
    rh_route(server, "GET /json/{count}", json, &items);
    rh_route(server, "GET /baseline11", baseline, NULL);
    rh_route(server, "POST /baseline11", baseline, NULL);
    rh_route(server, "GET /pipeline", pipeline, rh_answer_new(200, "text/plain", "ok", 2, NULL));
    rh_route(server, "GET /ws", echo, NULL);
    rh_route_with(server, (rh_route_options){ .pattern = "POST /upload", .handler = upload, .stream = true });
    return rh_run(server);
}
