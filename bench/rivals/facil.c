/* GET /json/{count}?m= and a WebSocket echo at /ws by facil.io, one thread in each process. JSON by its own objects,
 * whose keys are made once, or with "text" by snprintf.
 *
 *     facil 8080 WORKERS items.json own|text */
#include "text.h"

#include <fio.h>
#include <http.h>
#include <websockets.h>

static const char *const names[] = { "count", "items", "id", "name", "category", "price", "quantity", "active",
    "rating", "score", "total", "tags" };
enum { COUNT, ITEMS, ID, NAME, CATEGORY, PRICE, QUANTITY, ACTIVE, RATING, SCORE, TOTAL, TAGS, KEYS };

struct program {
    struct items items;
    FIOBJ keys[KEYS], m;
    bool text;
};

static FIOBJ string(const char *text)
{
    return fiobj_str_new(text, strlen(text));
}

static FIOBJ make_item(const struct program *program, const struct item *item, long long m)
{
    const FIOBJ *keys = program->keys;
    FIOBJ object = fiobj_hash_new(), rating = fiobj_hash_new(), tags = fiobj_ary_new2(item->tag_count);
    fiobj_hash_set(object, keys[ID], fiobj_num_new(item->id));
    fiobj_hash_set(object, keys[NAME], string(item->name));
    fiobj_hash_set(object, keys[CATEGORY], string(item->category));
    fiobj_hash_set(object, keys[PRICE], fiobj_num_new(item->price));
    fiobj_hash_set(object, keys[QUANTITY], fiobj_num_new(item->quantity));
    fiobj_hash_set(object, keys[ACTIVE], item->active ? fiobj_true() : fiobj_false());
    fiobj_hash_set(rating, keys[SCORE], fiobj_num_new(item->score));
    fiobj_hash_set(rating, keys[COUNT], fiobj_num_new(item->ratings));
    fiobj_hash_set(object, keys[RATING], rating);
    fiobj_hash_set(object, keys[TOTAL], fiobj_num_new(item->price * m * item->quantity));
    for (size_t i = 0; i < item->tag_count; i++)
        fiobj_ary_push(tags, string(item->tags[i]));
    fiobj_hash_set(object, keys[TAGS], tags);
    return object;
}

static FIOBJ make_list(const struct program *program, size_t count, long long m)
{
    FIOBJ list = fiobj_hash_new(), items = fiobj_ary_new2(count);
    fiobj_hash_set(list, program->keys[COUNT], fiobj_num_new((intptr_t)count));
    for (size_t i = 0; i < count; i++)
        fiobj_ary_push(items, make_item(program, &program->items.at[i], m));
    fiobj_hash_set(list, program->keys[ITEMS], items);
    return list;
}

static void json(http_s *request, const struct program *program, size_t count)
{
    http_parse_query(request);
    FIOBJ factor = fiobj_hash_get(request->params, program->m);
    long long m = factor ? fiobj_obj2num(factor) : 1;
    http_set_header(request, HTTP_HEADER_CONTENT_TYPE, http_mimetype_find((char *)"json", 4));
    if (program->text) {
        size_t size;
        char *text = text_make(&program->items, count, m, &size);
        http_send_body(request, text, size);
        free(text);
        return;
    }
    FIOBJ list = make_list(program, count, m), text = fiobj_obj2json(list, 0);
    fio_str_info_s bytes = fiobj_obj2cstr(text);
    http_send_body(request, bytes.data, bytes.len);
    fiobj_free(text);
    fiobj_free(list);
}

static void answer(http_s *request)
{
    const struct program *program = request->udata;
    fio_str_info_s path = fiobj_obj2cstr(request->path);
    if (path.len < 7 || memcmp(path.data, "/json/", 6) != 0) {
        http_send_error(request, 404);
        return;
    }
    size_t count = strtoul(path.data + 6, NULL, 10);
    json(request, program, count < program->items.count ? count : program->items.count);
}

static void echo(ws_s *socket, fio_str_info_s message, uint8_t is_text)
{
    websocket_write(socket, message, is_text);
}

static void upgrade(http_s *request, char *protocol, size_t size)
{
    if (size >= 9 && memcmp(protocol, "websocket", 9) == 0)
        http_upgrade2ws(request, .on_message = echo);
    else
        http_send_error(request, 400);
}

int main(int count, char **words)
{
    struct program program = { 0 };
    if (count != 5 || !items_read(words[3], &program.items))
        return 2;
    program.text = strcmp(words[4], "text") == 0;
    program.m = string("m");
    for (size_t i = 0; i < KEYS; i++)
        program.keys[i] = string(names[i]);
    if (http_listen(words[1], "127.0.0.1", .on_request = answer, .on_upgrade = upgrade, .udata = &program,
                    .timeout = 60, .ws_timeout = 250) == -1)
        return 1;
    fio_start(.threads = 1, .workers = (int16_t)atoi(words[2]));
    return 0;
}
