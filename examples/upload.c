/* Uploads: a page with a progress bar, and a list of what has come. Files are written while they come in, so memory
 * stays bounded. What a client calls them is shown, but is never part of a path.
 *
 *     ./dev build && mkdir -p uploads && build/examples/upload uploads     then open http://localhost:8080/
 *
 *     curl -F file=@film.mp4 http://localhost:8080/files
 */
#include <errno.h>
#include <rawhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 1000, NAME_SIZE_MAX = 255, PATH_SIZE = 4096 };

#define BODY_MAX ((uint64_t)4 << 30)

static const char upload_key; /* under which a request carries what came with it */

/* Two files belong to an upload: "17" is its content, "17.name" what its client calls it. */
static const char *path_of(char path[static PATH_SIZE], const char *folder, unsigned id, const char *ending)
{
    bool fits = snprintf(path, PATH_SIZE, "%s/%u%s", folder, id, ending) < PATH_SIZE;
    return fits ? path : ""; /* which is nowhere */
}

/* The next number that is free, by creating its name, which only one can do. NULL: there is none. */
static FILE *claim(const char *folder, unsigned *id)
{
    char path[PATH_SIZE];
    for (*id = 1; *id <= FILES_MAX; ++*id) {
        FILE *file = fopen(path_of(path, folder, *id, ".name"), "wx");
        if (file != NULL || errno != EEXIST)
            return file;
    }
    return NULL;
}

static bool keep(const char *folder, rh_upload *upload)
{
    char path[PATH_SIZE];
    unsigned id;
    FILE *name = claim(folder, &id);
    if (name == NULL)
        return false;
    fwrite(upload->filename.data, 1, upload->filename.size, name);
    if (fclose(name) == 0 && rh_upload_keep(upload, path_of(path, folder, id, "")))
        return true;
    unlink(path_of(path, folder, id, ".name"));
    return false;
}

/* Renaming may block: in the background. */
static void keep_first(rh_request *request, void *folder)
{
    rh_upload *upload = rh_attached(request, &upload_key);
    rh_slice name = upload->filename;
    if (name.size == 0 || name.size > NAME_SIZE_MAX || !rh_slice_is_text(name)) {
        rh_fail(request, 422, "a file with a name of up to 255 bytes is wanted");
    } else if (!keep(folder, upload)) {
        rh_fail(request, 507, "the file could not be kept: is there room for another one?");
    } else {
        rh_status(request, 201);
        rh_json(request, "{\"name\":%S,\"size\":%llu}\n", name, (unsigned long long)upload->size);
    }
}

static void have_all(rh_request *request, void *folder, rh_upload *first)
{
    if (first == NULL || first->path == NULL)
        rh_fail(request, 422, "send a form with a file");
    else if (!rh_attach(request, &upload_key, first))
        rh_fail(request, 503, NULL);
    else
        rh_background(request, keep_first, folder);
}

static void upload(rh_request *request, void *folder)
{
    rh_uploads(request, (rh_uploads_options){ .folder = folder, .done = have_all, .user = folder, .parts_max = 1 });
}

static void add_file(rh_request *request, unsigned id, rh_slice name, uint64_t size)
{
    rh_json_object(request, NULL);
    rh_json_uint(request, "id", id);
    rh_json_slice(request, "name", name);
    rh_json_uint(request, "size", size);
    rh_json_end(request);
}

static void list_all(rh_request *request, void *folder)
{
    char path[PATH_SIZE], name[NAME_SIZE_MAX] = "";
    rh_json_array(request, NULL);
    for (unsigned id = 1; id <= FILES_MAX; id++) {
        struct stat status;
        FILE *file = fopen(path_of(path, folder, id, ".name"), "r");
        if (file == NULL)
            continue;
        rh_slice told = { name, fread(name, 1, sizeof name, file) };
        fclose(file);
        if (stat(path_of(path, folder, id, ""), &status) == 0)
            add_file(request, id, told, (uint64_t)status.st_size);
    }
    rh_json_end(request);
    rh_json_send(request);
}

static void list(rh_request *request, void *folder)
{
    rh_background(request, list_all, folder);
}

/* Never shown as a page of this server's: it may be HTML with a script. The page says what to save it as. */
static void download(rh_request *request, void *folder)
{
    char path[PATH_SIZE];
    uint64_t id;
    if (!rh_slice_uint(rh_param(request, "id"), &id) || id == 0 || id > FILES_MAX) {
        rh_fail(request, 404, NULL);
        return;
    }
    rh_set(request, "Content-Disposition", "attachment");
    rh_set(request, "X-Content-Type-Options", "nosniff");
    rh_file(request, "application/octet-stream", path_of(path, folder, (unsigned)id, ""));
}

int main(int count, char **words)
{
    char *folder = count > 1 ? words[1] : NULL, *root = count > 2 ? words[2] : NULL;
    if (folder == NULL || access(folder, R_OK | W_OK | X_OK) != 0) {
        fprintf(stderr, "upload: name a folder for the files, in which this user may write\n");
        return 2;
    }
    rh_server *server = rh_server_new((rh_options){
        .listen = getenv("LISTEN"), .root = root ? root : "examples/upload", .log = rh_log_stderr });
    rh_route(server, "GET /files", list, folder);
    rh_route(server, "GET /files/{id}", download, folder);
    rh_route_with(server, (rh_route_options){
        .pattern = "POST /files", .handler = upload, .user = folder, .stream = true, .body_max = BODY_MAX });
    int failed = rh_start(server);
    if (failed == 0)
        fprintf(stderr, "upload: http://localhost:%u/\n", rh_port(server));
    rh_wait(server);
    rh_server_free(server);
    return failed != 0;
}
