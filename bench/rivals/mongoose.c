/* GET /json/{count}?m= and a WebSocket echo at /ws by mongoose, with epoll, logging off, and its buffers grown in
 * larger steps. JSON by its own printer, or with "text" by snprintf.
 *
 *     mongoose 8080 items.json own|text */
#include "mongoose.h"
#include "text.h"

struct program {
    struct items items;
    bool text;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

static size_t print_tags(void (*out)(char, void *), void *to, va_list *arguments)
{
    const struct item *item = va_arg(*arguments, const struct item *);
    size_t size = 0;
    for (size_t i = 0; i < item->tag_count; i++)
        size += mg_xprintf(out, to, i == 0 ? "%m" : ",%m", MG_ESC(item->tags[i]));
    return size;
}

static size_t print_items(void (*out)(char, void *), void *to, va_list *arguments)
{
    const struct items *items = va_arg(*arguments, const struct items *);
    size_t count = va_arg(*arguments, size_t), size = 0;
    long long m = va_arg(*arguments, long long);
    for (size_t i = 0; i < count; i++) {
        const struct item *item = &items->at[i];
        size += mg_xprintf(out, to,
            "%s{%m:%d,%m:%m,%m:%m,%m:%d,%m:%d,%m:%s,%m:{%m:%d,%m:%d},%m:%lld,%m:[%M]}", i == 0 ? "" : ",", MG_ESC("id"),
            item->id, MG_ESC("name"), MG_ESC(item->name), MG_ESC("category"), MG_ESC(item->category), MG_ESC("price"),
            item->price, MG_ESC("quantity"), item->quantity, MG_ESC("active"), item->active ? "true" : "false",
            MG_ESC("rating"), MG_ESC("score"), item->score, MG_ESC("count"), item->ratings, MG_ESC("total"),
            item->price * m * item->quantity, MG_ESC("tags"), print_tags, item);
    }
    return size;
}

static void json(struct mg_connection *connection, const struct program *program, const struct mg_http_message *message)
{
    static const char head[] = "Content-Type: application/json\r\n";
    char factor[24] = "1";
    mg_http_get_var(&message->query, "m", factor, sizeof factor);
    size_t size, count = strtoul(message->uri.buf + 6, NULL, 10);
    count = count < program->items.count ? count : program->items.count;
    if (!program->text) {
        mg_http_reply(connection, 200, head, "{%m:%lu,%m:[%M]}", MG_ESC("count"), (unsigned long)count, MG_ESC("items"),
                      print_items, &program->items, count, atoll(factor));
        return;
    }
    char *text = text_make(&program->items, count, atoll(factor), &size);
    mg_printf(connection, "HTTP/1.1 200 OK\r\n%sContent-Length: %lu\r\n\r\n", head, (unsigned long)size);
    mg_send(connection, text, size);
    free(text);
    connection->is_resp = 0;
}

static void handle(struct mg_connection *connection, int event, void *data)
{
    if (event == MG_EV_WS_MSG) {
        const struct mg_ws_message *message = data;
        mg_ws_send(connection, message->data.buf, message->data.len, message->flags & 15);
        return;
    }
    if (event != MG_EV_HTTP_MSG)
        return;
    struct mg_http_message *message = data;
    if (mg_match(message->uri, mg_str("/ws"), NULL))
        mg_ws_upgrade(connection, message, NULL);
    else if (mg_match(message->uri, mg_str("/json/*"), NULL))
        json(connection, connection->fn_data, message);
    else
        mg_http_reply(connection, 404, "", "");
}

int main(int count, char **words)
{
    struct program program = { 0 };
    struct mg_mgr manager;
    char url[64];
    if (count != 4 || !items_read(words[2], &program.items))
        return 2;
    program.text = strcmp(words[3], "text") == 0;
    signal(SIGTERM, end);
    mg_log_set(MG_LL_NONE);
    mg_mgr_init(&manager);
    snprintf(url, sizeof url, "http://127.0.0.1:%s", words[1]);
    if (mg_http_listen(&manager, url, handle, &program) == NULL)
        return 1;
    while (!ended)
        mg_mgr_poll(&manager, 1000);
    mg_mgr_free(&manager);
    return 0;
}
