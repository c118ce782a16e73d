/* Forms with files through the public header: part by part, at once or slowly, and into files. How a form is read is in
 * test_multipart.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>

#include "api_fixture.h"

#define TYPE "Content-Type: multipart/form-data; boundary=b\r\n"
#define PART(head, content) "--b\r\nContent-Disposition: form-data; " head "\r\n\r\n" content "\r\n"
#define END "--b--\r\n"

enum { LARGE = 3 << 20 };

/* ---- Part by part ------------------------------------------------------------------------------------------- */

/* What a form told: "name|filename|type=content;" for each part. */
struct record {
    char text[1000];
    size_t bytes;
    bool slow;
};

static void put(struct record *record, const char *before, rh_slice text)
{
    size_t used = strlen(record->text);
    snprintf(record->text + used, sizeof record->text - used, "%s%.*s", before, (int)text.size, text.data);
}

static void nap(rh_request *request, void *user)
{
    (void)request, (void)user;
}

static void rest(rh_request *request, struct record *record)
{
    if (record->slow)
        rh_background(request, nap, NULL);
}

static void begin(rh_request *request, void *user, const rh_part *part)
{
    put(user, "", part->name);
    put(user, "|", part->filename);
    put(user, "|", part->type);
    put(user, "=", (rh_slice){ "", 0 });
    rest(request, user);
}

static void data(rh_request *request, void *user, rh_slice piece)
{
    struct record *record = user;
    record->bytes += piece.size;
    if (record->bytes < 100)
        put(record, "", piece);
    rest(request, record);
}

static void end(rh_request *request, void *user)
{
    put(user, ";", (rh_slice){ "", 0 });
    rest(request, user);
}

static void done(rh_request *request, void *user)
{
    rh_text(request, ((struct record *)user)->text);
}

static void read_form(rh_request *request, void *user)
{
    struct record *record = user;
    bool slow = record->slow;
    *record = (struct record){ .slow = slow };
    rh_multipart(request, (rh_multipart_options){ .part = begin, .data = data, .end = end, .done = done,
                                                  .user = record, .parts_max = 3 });
}

static void ignore(rh_request *request, void *user)
{
    rh_multipart(request, (rh_multipart_options){ .done = done, .user = user });
}

static void refuse_data(rh_request *request, void *user, rh_slice piece)
{
    (void)user, (void)piece;
    rh_fail(request, 422, NULL);
}

static void read_refusing(rh_request *request, void *user)
{
    rh_multipart(request, (rh_multipart_options){ .data = refuse_data, .done = done, .user = user });
}

/* ---- Into files --------------------------------------------------------------------------------------------- */

struct folder {
    char path[256], kept[300];
};

static void list(rh_request *request, void *user, rh_upload *first)
{
    const struct folder *folder = user;
    rh_json_array(request, NULL);
    for (rh_upload *upload = first; upload != NULL; upload = upload->next) {
        rh_json_object(request, NULL);
        rh_json_slice(request, "name", upload->name);
        rh_json_slice(request, "filename", upload->filename);
        rh_json_slice(request, "value", upload->value);
        rh_json_uint(request, "size", upload->size);
        rh_json_end(request);
        bool keeps = rh_slice_is(upload->name, "keep");
        if (keeps && !rh_upload_keep(upload, folder->kept))
            rh_fail(request, 500, "it was not kept");
        errno = 0;
        if ((keeps || upload->path == NULL) && (rh_upload_keep(upload, folder->kept) || errno != ENOENT))
            rh_fail(request, 500, "kept what is not there");
    }
    rh_json_end(request);
    rh_json_send(request);
}

static void store(rh_request *request, void *user)
{
    struct folder *folder = user;
    rh_uploads(request, (rh_uploads_options){ .folder = folder->path, .file_max = LARGE, .values_max = 100,
                                              .done = list, .user = folder });
}

static void store_nowhere(rh_request *request, void *user)
{
    rh_uploads(request, (rh_uploads_options){ .folder = "/nowhere", .done = list, .user = user });
}

struct scene {
    rh_server *server;
    struct notes notes;
    struct record quick, slow;
    struct folder folder;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->notes = (struct notes)NOTES_INIT;
    scene->slow.slow = true;
    snprintf(scene->folder.path, sizeof scene->folder.path, "/tmp/rawhttp-uploads-XXXXXX");
    assert_non_null(mkdtemp(scene->folder.path));
    snprintf(scene->folder.kept, sizeof scene->folder.kept, "%s/kept", scene->folder.path);
    scene->server = make_server_of(1, &scene->notes);
    add_stream(scene->server, "POST /quick", read_form, &scene->quick);
    add_stream(scene->server, "POST /slow", read_form, &scene->slow);
    add_stream(scene->server, "POST /ignored", ignore, &scene->quick);
    add_stream(scene->server, "POST /refused", read_refusing, &scene->quick);
    add_stream(scene->server, "POST /files", store, &scene->folder);
    add_stream(scene->server, "POST /nowhere", store_nowhere, &scene->folder);
    start_server(scene->server);
    *state = scene;
    return 0;
}

static size_t count_files(const struct scene *scene)
{
    size_t count = 0;
    DIR *folder = opendir(scene->folder.path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    rh_server_free(scene->server);
    unlink(scene->folder.kept);
    assert_int_equal(count_files(scene), 0);
    rmdir(scene->folder.path);
    free(scene);
    return 0;
}

static struct reply *post(struct scene *scene, const char *path, const char *type, const char *body)
{
    char line[64], fields[256];
    snprintf(line, sizeof line, "POST %s", path);
    snprintf(fields, sizeof fields, "%sContent-Length: %zu\r\n", type, strlen(body));
    return ask_with(scene->server, line, fields, body);
}

static void expect_form(struct scene *scene, const char *path, const char *body, int status, const char *text)
{
    struct reply *reply = post(scene, path, TYPE, body);
    if (reply->status != status || (text != NULL && strcmp(reply->body, text) != 0))
        fail_msg("%s: %d %s", path, reply->status, reply->body);
}

static void tells_part_by_part(void **state)
{
    static const char *const paths[] = { "/quick", "/slow" };
    struct scene *scene = *state;
    for (size_t i = 0; i < 2; i++) {
        expect_form(scene, paths[i],
                    PART("name=a", "1") PART("name=f; filename=\"x\"\r\nContent-Type: a/b", "two\r\n--\r\n") END, 200,
                    "a||=1;f|x|a/b=two\r\n--\r\n;");
        expect_form(scene, paths[i], END, 200, "");
        expect_form(scene, paths[i], PART("name=a", "1"), 400, NULL);
        expect_form(scene, paths[i], "nothing of the kind", 400, NULL);
        expect_form(scene, paths[i], PART("x=a", "1") END, 400, NULL);
        expect_form(scene, paths[i], "", 400, NULL);
        expect_form(scene, paths[i], PART("name=a", "") PART("name=b", "") PART("name=c", "") END, 200,
                    "a||=;b||=;c||=;");
        expect_form(scene, paths[i], PART("name=a", "") PART("name=b", "") PART("name=c", "") PART("name=d", "") END,
                    413, NULL);
        assert_int_equal(post(scene, paths[i], "Content-Type: multipart/mixed; boundary=b\r\n", END)->status, 415);
        assert_int_equal(post(scene, paths[i], "", END)->status, 415);
    }
    expect_form(scene, "/ignored", PART("name=a", "1") END, 200, NULL);
    expect_form(scene, "/refused", PART("name=a", "1") END, 422, NULL);
}

static void stores_files(void **state)
{
    struct scene *scene = *state;
    expect_form(scene, "/files",
                PART("name=a", "1\r\n2") PART("name=f; filename=x.txt", "hello") PART("name=e; filename=\"\"", "") END,
                200,
                "[{\"name\":\"a\",\"filename\":null,\"value\":\"1\\r\\n2\",\"size\":4},"
                "{\"name\":\"f\",\"filename\":\"x.txt\",\"value\":null,\"size\":5},"
                "{\"name\":\"e\",\"filename\":\"\",\"value\":null,\"size\":0}]");
    expect_form(scene, "/files", END, 200, "[]");
    expect_form(scene, "/files", PART("name=keep; filename=x", "kept content") END, 200, NULL);
    char content[32] = "";
    FILE *file = fopen(scene->folder.kept, "r");
    assert_non_null(file);
    assert_int_equal(fread(content, 1, sizeof content - 1, file), 12);
    fclose(file);
    assert_string_equal(content, "kept content");
}

static void has_limits(void **state)
{
    struct scene *scene = *state;
    char body[400], value[200];
    memset(value, 'v', sizeof value);
    snprintf(body, sizeof body, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n%.99s\r\n--b--", value);
    expect_form(scene, "/files", body, 200, NULL);
    snprintf(body, sizeof body, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n%.100s\r\n--b--", value);
    expect_form(scene, "/files", body, 413, NULL);
    expect_form(scene, "/nowhere", PART("name=f; filename=x", "hello") END, 500, NULL);
    assert_true(noted(&scene->notes, "cannot write an upload to /nowhere: No such file or directory"));
    expect_form(scene, "/nowhere", PART("name=f", "hello") END, 200, NULL);
}

/* A file of many pieces, whole, too long by a byte, and broken off. */
static void stores_large_files(void **state)
{
    static const char head[] = "--b\r\nContent-Disposition: form-data; name=f; filename=x\r\n\r\n";
    static const char tail[] = "\r\n--b--";
    struct scene *scene = *state;
    for (size_t extra = 0; extra < 2; extra++) {
        static struct reply reply;
        size_t size = LARGE + extra, whole = sizeof head - 1 + size + sizeof tail - 1;
        char *body = malloc(whole), line[256];
        memcpy(body, head, sizeof head - 1);
        for (size_t i = 0; i < size; i++)
            body[sizeof head - 1 + i] = "\r\n--x"[i % 5];
        memcpy(body + sizeof head - 1 + size, tail, sizeof tail - 1);
        int fd = client_connect(scene->server);
        snprintf(line, sizeof line, "POST /files HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" TYPE
                                    "Content-Length: %zu\r\n\r\n", whole);
        client_send(fd, line);
        for (size_t sent = 0; sent < whole;) {
            ssize_t got = send(fd, body + sent, whole - sent, MSG_NOSIGNAL);
            if (got <= 0)
                break;
            sent += (size_t)got;
        }
        client_read(fd, &reply);
        assert_int_equal(reply.status, extra ? 413 : 200);
        if (!extra)
            assert_string_equal(reply.body, "[{\"name\":\"f\",\"filename\":\"x\",\"value\":null,\"size\":3145728}]");
        free(body);
    }
    for (size_t i = 0; i < 20; i++) {
        int fd = client_connect(scene->server);
        client_send(fd, "POST /files HTTP/1.1\r\nHost: a\r\n" TYPE "Content-Length: 1000\r\n\r\n");
        client_send(fd, PART("name=g; filename=y", "whole") );
        client_send(fd, head);
        client_send(fd, "half of it");
        client_reset(fd);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_part_by_part),
        TEST(stores_files),
        TEST(has_limits),
        TEST(stores_large_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
