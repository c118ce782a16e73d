/* What responses of handlers can be beside all of some bytes: not modified, a part, compressed, a file. What conditions
 * and ranges mean is tested where they are; here, that handlers get it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <zlib.h>

#include "api_fixture.h"

#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"

enum { MODIFIED_S = 784111777, LONG = 5000, PIECES = 40 };

static const char digits[] = "0123456789";

static void validated(rh_request *request, void *user)
{
    rh_set(request, "Cache-Control", "max-age=1");
    if (rh_validate(request, user, MODIFIED_S))
        rh_text(request, digits);
}

static void pass(rh_request *request, void *user)
{
    (void)user;
    rh_next(request);
}

static void validated_late(rh_request *request, void *user)
{
    rh_background(request, validated, user);
}

static void dated(rh_request *request, void *user)
{
    (void)user;
    if (rh_validate(request, NULL, MODIFIED_S))
        rh_text(request, digits);
}

static void refused(rh_request *request, void *user)
{
    if (rh_validate(request, user, -1))
        rh_text(request, digits);
}

static void another_status(rh_request *request, void *user)
{
    rh_status(request, 201);
    validated(request, user);
}

/* ---- Compressed --------------------------------------------------------------------------------------------- */

static char long_text[LONG + 1]; /* from the start on */

static void make_long_text(void)
{
    for (size_t i = 0; i < LONG; i++)
        long_text[i] = digits[(i + i / 100) % 10];
}

static void compressed(rh_request *request, void *user)
{
    rh_compress(request);
    if (user == NULL || rh_validate(request, user, -1))
        rh_text(request, long_text);
}

static void too_short(rh_request *request, void *user)
{
    (void)user;
    rh_compress(request);
    rh_text(request, digits);
}

static void encoded_already(rh_request *request, void *user)
{
    (void)user;
    rh_compress(request);
    rh_set(request, "Content-Encoding", "br");
    rh_text(request, long_text);
}

struct maker {
    atomic_uint pieces;
    atomic_bool freed;
};

static long make(void *user, char *out, size_t size)
{
    struct maker *maker = user;
    unsigned made = atomic_fetch_add(&maker->pieces, 1);
    if (made == PIECES)
        return 0;
    memset(out, 'a' + (int)(made + 1) % 26, size < 3000 ? size : 3000);
    return size < 3000 ? (long)size : 3000;
}

static void free_maker(void *user)
{
    atomic_store(&((struct maker *)user)->freed, true);
}

static void streamed(rh_request *request, void *user)
{
    struct maker *maker = user;
    atomic_store(&maker->pieces, 0);
    rh_compress(request);
    if (!rh_validate(request, "\"t1\"", -1))
        return;
    rh_stream(request, "text/csv", make, free_maker, maker);
}

static void piped(rh_request *request, void *user)
{
    (void)user;
    rh_compress(request);
    rh_pipe *pipe = rh_pipe_open(request, (rh_pipe_options){ .type = "text/plain" });
    rh_pipe_write(pipe, "first ", 6);
    rh_pipe_write(pipe, "second", 6);
    rh_pipe_close(pipe);
}

/* ---- Files -------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/rawhttp-output-XXXXXX", page[64], secret[64];

static void file(rh_request *request, void *user)
{
    rh_file(request, NULL, user);
}

static void file_late(rh_request *request, void *user)
{
    rh_background(request, file, user);
}

static void validated_file(rh_request *request, void *user)
{
    if (rh_validate(request, "\"mine\"", -1))
        rh_file(request, "text/x-mine", user);
}

static void descriptor(rh_request *request, void *user)
{
    rh_descriptor(request, NULL, open(user, O_RDONLY | O_CLOEXEC));
    rh_descriptor(request, NULL, open(user, O_RDONLY | O_CLOEXEC)); /* a second answer: closed */
}

static rh_server *server;
static struct maker maker;

static void write_file(const char *path)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(digits, out);
    fclose(out);
}

static int set_up(void **state)
{
    static char tag[] = "\"v1\"", weak[] = "W/\"v1\"", bad[] = "v1", worse[] = "\"a b\"", nothing[] = "/nowhere/x";
    const struct api_route routes[] = {
        { "GET /validated", validated, tag },     { "PUT /validated", validated, tag },
        { "GET /through", validated, tag },
        { "GET /late", validated_late, tag },     { "GET /weak", validated, weak },
        { "GET /dated", dated, NULL },            { "GET /bad", refused, bad },
        { "GET /worse", refused, worse },         { "GET /created", another_status, tag },
        { "GET /compressed", compressed, NULL },  { "GET /tagged", compressed, tag },
        { "GET /short", too_short, NULL },        { "GET /encoded", encoded_already, NULL },
        { "GET /streamed", streamed, (char *)&maker }, { "GET /piped", piped, NULL },
        { "GET /file", file, page },              { "GET /file/late", file_late, page },
        { "GET /file/mine", validated_file, page }, { "GET /file/none", file, nothing },
        { "GET /file/folder", file, folder },     { "GET /file/open", descriptor, page },
    };
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(page, sizeof page, "%s/page.css", folder);
    snprintf(secret, sizeof secret, "%s/secret", folder);
    write_file(page);
    make_long_text();
    server = make_server(NULL);
    assert_int_equal(rh_use(server, "/through", pass, NULL), 0);
    assert_int_equal(rh_use(server, "/through", pass, NULL), 0);
    add_routes(server, routes, sizeof routes / sizeof routes[0]);
    start_server(server);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rh_server_free(server);
    unlink(page);
    rmdir(folder);
    return 0;
}

struct row {
    const char *line, *fields;
    int status;
    const char *body, *field;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct reply *reply = ask_with(server, row->line, row->fields, "");
        if (reply->status != row->status || (row->body && strcmp(reply->body, row->body) != 0) ||
            (row->field && !has_line(reply, row->field)))
            fail_msg("%s, %s: %d \"%s\"\n%s", row->line, row->fields, reply->status, reply->body, reply->head);
    }
}

static void sees_to_conditions(void **state)
{
    static const struct row rows[] = {
        { "GET /validated", "", 200, digits, "ETag: \"v1\"" },
        { "GET /validated", "", 200, digits, "Last-Modified: " MODIFIED },
        { "GET /validated", "", 200, digits, "Accept-Ranges: bytes" },
        { "HEAD /validated", "", 200, "", "Content-Length: 10" },
        { "GET /validated", "If-None-Match: \"v1\"\r\n", 304, "", "ETag: \"v1\"" },
        { "GET /validated", "If-None-Match: W/\"v1\"\r\n", 304, "", "Cache-Control: max-age=1" },
        { "GET /late", "If-None-Match: \"v1\"\r\n", 304, "", "ETag: \"v1\"" },
        { "GET /validated", "If-None-Match: \"v2\"\r\nIf-Modified-Since: " MODIFIED "\r\n", 200, digits, NULL },
        { "GET /validated", "If-Modified-Since: " MODIFIED "\r\n", 304, "", NULL },
        { "GET /dated", "If-Modified-Since: " MODIFIED "\r\n", 304, "", NULL },
        { "GET /dated", "If-None-Match: *\r\n", 304, "", NULL },
        { "GET /validated", "If-Match: \"v2\"\r\n", 412, NULL, NULL },
        { "GET /late", "If-Match: \"v2\"\r\n", 412, NULL, NULL },
        { "PUT /validated", "If-Match: \"v2\"\r\nContent-Length: 0\r\n", 412, NULL, NULL },
        { "PUT /validated", "If-Match: \"v1\"\r\nContent-Length: 0\r\n", 200, digits, NULL },
        { "PUT /validated", "If-None-Match: \"v1\"\r\nContent-Length: 0\r\n", 412, NULL, NULL },
        { "GET /weak", "If-None-Match: \"v1\"\r\n", 304, "", "ETag: W/\"v1\"" },
        { "GET /bad", "", 500, NULL, NULL },
        { "GET /worse", "", 500, NULL, NULL },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
    assert_null(strstr(ask_with(server, "PUT /validated", "Content-Length: 0\r\n", "")->head, "ETag"));
    const char *ranges = strstr(ask(server, "GET /through")->head, "Accept-Ranges: bytes"); /* once, however often */
    assert_non_null(ranges);
    assert_null(strstr(ranges + 1, "Accept-Ranges"));
}

static void sends_what_is_asked_for(void **state)
{
    static const struct row rows[] = {
        { "GET /validated", "Range: bytes=2-4\r\n", 206, "234", "Content-Range: bytes 2-4/10" },
        { "GET /validated", "Range: bytes=2-4\r\n", 206, "234", "Content-Type: text/plain; charset=utf-8" },
        { "GET /late", "Range: bytes=-1\r\n", 206, "9", "ETag: \"v1\"" },
        { "GET /through", "Range: bytes=2-4\r\n", 206, "234", "Content-Range: bytes 2-4/10" },
        { "GET /validated", "Range: bytes=20-\r\n", 416, NULL, "Content-Range: bytes */10" },
        { "GET /validated", "Range: bytes=2-4\r\nIf-Range: \"v1\"\r\n", 206, "234", NULL },
        { "GET /validated", "Range: bytes=2-4\r\nIf-Range: \"v2\"\r\n", 200, digits, NULL },
        { "GET /weak", "Range: bytes=2-4\r\nIf-Range: W/\"v1\"\r\n", 200, digits, NULL },
        { "GET /created", "Range: bytes=2-4\r\n", 201, digits, NULL },
        { "PUT /validated", "Range: bytes=2-4\r\nContent-Length: 0\r\n", 200, digits, NULL },
        { "HEAD /validated", "Range: bytes=2-4\r\n", 200, "", "Content-Length: 10" },
        { "GET /short", "Range: bytes=2-4\r\n", 200, digits, NULL },
    };
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
    struct reply *reply = ask_with(server, "GET /validated", "Range: bytes=0-1,8-\r\n", "");
    assert_int_equal(reply->status, 206);
    assert_non_null(strstr(reply->head, "Content-Type: multipart/byteranges; boundary="));
    assert_null(strstr(reply->head, "text/plain"));
    assert_non_null(strstr(reply->body, "Content-Range: bytes 8-9/10\r\n\r\n89\r\n"));
}

/* ---- Codings ------------------------------------------------------------------------------------------------ */

/* Returns how many bytes come out. */
static size_t gunzip(const char *from, size_t size, char *out, size_t room)
{
    z_stream zlib = { .next_in = (Bytef *)from, .avail_in = (uInt)size, .next_out = (Bytef *)out,
                      .avail_out = (uInt)room };
    assert_int_equal(inflateInit2(&zlib, 15 + 16), Z_OK);
    assert_int_equal(inflate(&zlib, Z_FINISH), Z_STREAM_END);
    size_t got = room - zlib.avail_out;
    inflateEnd(&zlib);
    return got;
}

static void compresses_where_allowed(void **state)
{
    static const struct row rows[] = {
        { "GET /compressed", "Accept-Encoding: gzip\r\n", 200, NULL, "Content-Encoding: gzip" },
        { "GET /compressed", "Accept-Encoding: gzip, br\r\n", 200, NULL, "Content-Encoding: br" },
        { "GET /compressed", "Accept-Encoding: gzip, br, zstd\r\n", 200, NULL, "Content-Encoding: zstd" },
        { "GET /compressed", "Accept-Encoding: gzip;q=1, br;q=0.5\r\n", 200, NULL, "Content-Encoding: gzip" },
        { "GET /compressed", "", 200, NULL, "Vary: Accept-Encoding" },
        { "GET /compressed", "Accept-Encoding: gzip\r\n", 200, NULL, "Vary: Accept-Encoding" },
        { "GET /compressed", "Accept-Encoding: identity;q=0\r\n", 200, NULL, NULL },
        { "GET /short", "Accept-Encoding: gzip\r\n", 200, digits, NULL },
        { "GET /encoded", "Accept-Encoding: gzip\r\n", 200, NULL, "Content-Encoding: br" },
        { "GET /tagged", "Accept-Encoding: gzip\r\n", 200, NULL, "ETag: \"v1-gzip\"" },
        { "GET /tagged", "", 200, NULL, "ETag: \"v1\"" },
        { "GET /tagged", "Accept-Encoding: gzip\r\nIf-None-Match: \"v1-gzip\"\r\n", 304, "", "Vary: Accept-Encoding" },
        { "GET /tagged", "Accept-Encoding: gzip\r\nIf-None-Match: \"v1\"\r\n", 200, NULL, NULL },
        { "GET /tagged", "Accept-Encoding: gzip\r\nIf-Match: \"v1\"\r\n", 412, NULL, "Vary: Accept-Encoding" },
        { "GET /tagged", "Accept-Encoding: gzip\r\nRange: bytes=99999-\r\n", 416, NULL, "Vary: Accept-Encoding" },
        { "GET /tagged", "Accept-Encoding: gzip\r\nRange: bytes=0-1\r\n", 206, "\x1f\x8b", "Content-Encoding: gzip" },
    };
    char plain[2 * LONG];
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
    struct reply *reply = ask_with(server, "GET /compressed", "Accept-Encoding: gzip\r\n", "");
    assert_in_range(reply->body_size, 20, LONG / 2);
    assert_int_equal(gunzip(reply->body, reply->body_size, plain, sizeof plain), LONG);
    assert_memory_equal(plain, long_text, LONG);
    assert_null(strstr(ask(server, "GET /compressed")->head, "Content-Encoding"));
}

static void compresses_streams(void **state)
{
    static char plain[PIECES * 3000 + 1];
    (void)state;
    struct reply *reply = ask_with(server, "GET /streamed", "Accept-Encoding: gzip, br\r\n", "");
    assert_true(has_line(reply, "Content-Encoding: gzip"));
    for (int i = 0; !atomic_load(&maker.freed) && i < PATIENCE_S * 1000; i++)
        usleep(1000); /* it is, a moment after the last byte */
    assert_true(atomic_load(&maker.freed));
    char *end, *from = reply->body, *to = reply->body; /* the chunks, joined */
    for (size_t size; (size = strtoul(from, &end, 16)) > 0; from = end + 2 + size + 2) {
        memmove(to, end + 2, size);
        to += size;
        end = from + (end - from);
    }
    size_t got = gunzip(reply->body, (size_t)(to - reply->body), plain, sizeof plain);
    assert_int_equal(got, PIECES * 3000);
    for (size_t i = 0; i < got; i++)
        assert_int_equal(plain[i], 'a' + (int)(i / 3000 + 1) % 26);
    assert_null(strstr(ask_with(server, "GET /streamed", "Accept-Encoding: br\r\n", "")->head, "Content-Encoding"));

    /* One tag for one sequence of bytes, and no ranges of what is made on the way. */
    assert_true(has_line(ask_with(server, "GET /streamed", "Accept-Encoding: br\r\n", ""), "ETag: W/\"t1-br\""));
    assert_true(has_line(ask_with(server, "GET /streamed", "Accept-Encoding: br, gzip\r\n", ""), "ETag: W/\"t1-br\""));
    assert_true(has_line(ask(server, "GET /streamed"), "ETag: \"t1\""));
    assert_null(strstr(ask(server, "GET /streamed")->head, "Accept-Ranges"));
    reply = ask_with(server, "GET /streamed", "Accept-Encoding: br\r\nIf-None-Match: W/\"t1-br\"\r\n", "");
    assert_int_equal(reply->status, 304);

    static struct reply old;
    int fd = client_connect(server);
    client_send(fd, "GET /piped HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    client_read(fd, &old);
    got = gunzip(old.body, old.body_size, plain, sizeof plain);
    assert_int_equal(got, 12);
    assert_memory_equal(plain, "first second", 12);
}

/* A compressor is memory: where the worker may lend no more, a stream goes as it is. */
static void waits(rh_request *request, void *user)
{
    _Atomic(rh_pipe *) *pipe = user;
    rh_compress(request);
    *pipe = rh_pipe_open(request, (rh_pipe_options){ .type = "text/plain" });
}

static void compressors_count_as_memory_of_the_worker(void **state)
{
    enum { STREAMS = 4, CEILING = (1 << 20) + 3 * 1000 };
    static _Atomic(rh_pipe *) pipes[STREAMS];
    static struct reply reply;
    char pattern[] = "GET /0";
    int fds[STREAMS], encoded = 0;
    (void)state;
    rh_server *small = rh_server_new((rh_options){ .listen = "127.0.0.1:0", .workers = 1, .body_max = 1000,
                                                   .buffer_memory = CEILING });
    for (unsigned i = 0; i < STREAMS; i++, pattern[5]++)
        add_route(small, pattern, waits, &pipes[i]);
    start_server(small);
    for (unsigned i = 0; i < STREAMS; i++) {
        char request[96];
        snprintf(request, sizeof request, "GET /%u HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
                                          "Connection: close\r\n\r\n", i);
        fds[i] = client_connect(small);
        client_send(fds[i], request);
        assert_int_equal(recv(fds[i], (char[1]){ 0 }, 1, MSG_PEEK), 1); /* its head: it has been opened */
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        rh_pipe_close(pipes[i]);
        client_read(fds[i], &reply);
        encoded += has_line(&reply, "Content-Encoding: gzip");
    }
    assert_int_equal(encoded, 2); /* of 270 KiB each, three quarters of the ceiling have room for two */
    rh_server_free(small);
}

static void sends_files(void **state)
{
    static const struct row rows[] = {
        { "GET /file", "", 200, digits, "Content-Type: text/css; charset=utf-8" },
        { "GET /file/late", "", 200, digits, "Content-Type: text/css; charset=utf-8" },
        { "HEAD /file", "", 200, "", "Content-Length: 10" },
        { "GET /file", "Range: bytes=3-\r\n", 206, "3456789", "Content-Range: bytes 3-9/10" },
        { "GET /file/open", "Range: bytes=3-3\r\n", 206, "3", "Content-Type: application/octet-stream" },
        { "GET /file/open", "", 200, digits, NULL },
        { "GET /file/mine", "", 200, digits, "ETag: \"mine\"" },
        { "GET /file/mine", "If-None-Match: \"mine\"\r\n", 304, "", NULL },
        { "GET /file/none", "", 404, NULL, NULL },
        { "GET /file/folder", "", 404, NULL, NULL },
    };
    char fields[200];
    (void)state;
    check(rows, sizeof rows / sizeof rows[0]);
    const char *tag = strstr(ask(server, "GET /file")->head, "ETag: ");
    assert_non_null(tag);
    snprintf(fields, sizeof fields, "If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"), tag + 6);
    assert_int_equal(ask_with(server, "GET /file", fields, "")->status, 304);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_to_conditions),     cmocka_unit_test(sends_what_is_asked_for),
        cmocka_unit_test(compresses_where_allowed), cmocka_unit_test(compresses_streams),
        cmocka_unit_test(compressors_count_as_memory_of_the_worker),
        cmocka_unit_test(sends_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
