/* Files of the program's own as responses: opened on a background thread, sent from their descriptor. What is said
 * about them, and which part is sent, is server/offer's. */
#include "base/writer.h"
#include "http/mime.h"
#include "server/offer.h"
#include "server/respond.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ETAG_ROOM = 40 };

/* Keeps a descriptor open until its last byte has gone out, which may be after the request. */
struct open_file {
    struct hold hold;
    int fd;
};

static void close_file(struct hold *hold)
{
    struct open_file *file = LINK_OWNER(hold, struct open_file, hold);
    close(file->fd);
    free(file);
}

static void end(rh_request *request, const rh_end *ended, void *user)
{
    (void)request, (void)ended;
    hold_unref(user);
}

/* The descriptor is the exchange's from here on, or closed. */
static struct open_file *own(rh_request *request, int fd)
{
    struct open_file *file = malloc(sizeof *file);
    if (file == NULL) {
        close(fd);
        return NULL;
    }
    *file = (struct open_file){ .fd = fd };
    hold_init(&file->hold, close_file);
    if (rh_on_end(request, end, &file->hold))
        return file;
    hold_unref(&file->hold);
    return NULL;
}

/* Strong enough: nobody writes a file twice within a tick of its clock and keeps its size, and is asked in between. */
static bool validate(rh_request *request, const struct stat *st)
{
    char etag[ETAG_ROOM];
    struct writer w = writer_on(etag, sizeof etag - 1);
    writer_byte(&w, '"');
    writer_hex(&w, (uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec);
    writer_byte(&w, '-');
    writer_hex(&w, (uint64_t)st->st_size);
    writer_byte(&w, '"');
    *w.at = '\0';
    return rh_validate(request, etag, st->st_mtim.tv_sec);
}

static void answer(rh_request *request, const char *type, int fd)
{
    struct exchange *exchange = (struct exchange *)request;
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        rh_fail(request, 404, NULL);
        return;
    }
    struct open_file *file = own(request, fd);
    if (file == NULL) {
        respond_starved(exchange);
        return;
    }
    if (offer_validated(exchange) || validate(request, &st))
        respond_file(exchange, slice_text(type), &(struct body){ .kind = BODY_FILE, .size = (uint64_t)st.st_size,
                                                                 .fd = fd, .hold = &file->hold });
}

void rh_descriptor(rh_request *request, const char *type, int fd)
{
    if (respond_is_second((struct exchange *)request))
        close(fd);
    else
        answer(request, type != NULL ? type : "application/octet-stream", fd);
}

/* In the request's memory. */
struct wanted {
    char *type;
    char *path;
};

static void open_path(rh_request *request, void *user)
{
    const struct wanted *wanted = user;
    int fd = open(wanted->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0) {
        answer(request, wanted->type, fd);
        return;
    }
    int error = errno;
    bool none = error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG || error == ENXIO;
    bool busy = error == EMFILE || error == ENFILE || error == ENOMEM;
    rh_fail(request, none ? 404 : error == EACCES ? 403 : busy ? 503 : 500, NULL);
}

static char *copy(rh_request *request, struct slice text)
{
    char *copied = rh_memory(request, text.size + 1);
    if (copied != NULL)
        memcpy(copied, text.data, text.size);
    return copied;
}

void rh_file(rh_request *request, const char *type, const char *path)
{
    struct exchange *exchange = (struct exchange *)request;
    if (respond_is_second(exchange))
        return;
    struct wanted *wanted = rh_memory(request, sizeof *wanted);
    if (wanted != NULL) {
        wanted->path = copy(request, slice_text(path));
        wanted->type = copy(request, type != NULL ? slice_text(type) : mime_type(slice_text(path)));
    }
    if (wanted == NULL || wanted->path == NULL || wanted->type == NULL)
        respond_starved(exchange);
    else if (exchange->deferred) /* then this is a thread that may block */
        open_path(request, wanted);
    else
        rh_background(request, open_path, wanted);
}
