/* Forms into files: on the loop what belongs to a file is collected, on a background thread it is written. See
 * rawhttp/multipart.h, upon which this stands.
 *
 * A request is on one of the two sides at a time: what both look at needs no lock. */
#include "server/respond.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VALUES_MAX = 1 << 20, BLOCK_SIZE = 192 * 1024, BLOCK_FULL = 32 * 1024, VALUE_ROOM = 256 };

struct entry {
    rh_upload told; /* first: what the program sees */
    char *file;     /* its path, until it is kept */
    size_t room;    /* of a value */
};

struct uploads {
    rh_uploads_options options;
    struct entry *last;   /* the one that comes in */
    rh_upload *first;
    size_t values;        /* bytes of all that is no file */
    int fd;               /* of the one that comes in; -1: there is none */
    bool closes;          /* with what is in the block it is whole */
    size_t used;
    char block[BLOCK_SIZE];
};

static bool is_file(const struct entry *entry)
{
    return entry->told.filename.data != NULL;
}

/* ---- On a background thread --------------------------------------------------------------------------------- */

static bool open_file(rh_request *request, struct uploads *uploads)
{
    static const char name[] = "/.upload-XXXXXX";
    size_t size = strlen(uploads->options.folder);
    char *path = rh_memory(request, size + sizeof name);
    if (path == NULL) {
        errno = ENOMEM;
        return false;
    }
    memcpy(path, uploads->options.folder, size);
    memcpy(path + size, name, sizeof name);
    uploads->fd = mkostemp(path, O_CLOEXEC);
    if (uploads->fd < 0)
        return false;
    uploads->last->file = path;
    uploads->last->told.path = path;
    return true;
}

static bool write_block(struct uploads *uploads)
{
    for (size_t done = 0; done < uploads->used;) {
        ssize_t size = write(uploads->fd, uploads->block + done, uploads->used - done);
        if (size < 0 && errno != EINTR)
            return false;
        done += size > 0 ? (size_t)size : 0;
    }
    uploads->used = 0;
    return true;
}

static bool close_file(struct uploads *uploads)
{
    int fd = uploads->fd;
    uploads->fd = -1;
    uploads->closes = false;
    return close(fd) == 0;
}

static void work(rh_request *request, void *user)
{
    struct uploads *uploads = user;
    bool opened = uploads->fd >= 0 || open_file(request, uploads);
    if (opened && write_block(uploads) && (!uploads->closes || close_file(uploads)))
        return;
    int error = errno;
    log_write(&exchange_worker((struct exchange *)request)->server->log, LOG_LEVEL_ERROR,
              "cannot write an upload to %s: %s; name a folder with room that this user may write to",
              uploads->options.folder, strerror(error));
    rh_fail(request, error == ENOSPC || error == EDQUOT ? 507 : 500, NULL);
}

/* ---- On the loop -------------------------------------------------------------------------------------------- */

static rh_slice copy_of(rh_request *request, rh_slice text)
{
    struct slice copy = arena_copy(&((struct exchange *)request)->arena, slice_make(text.data, text.size));
    return text.data != NULL ? (rh_slice){ copy.data, copy.size } : text;
}

static const char *copy_text(rh_request *request, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = rh_memory(request, size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static bool lost(rh_slice copy, rh_slice text)
{
    return copy.data == NULL && text.data != NULL;
}

/* False: 413. */
static bool count(rh_request *request, struct uploads *uploads, size_t size)
{
    if (size > uploads->options.values_max - uploads->values) {
        rh_fail(request, 413, "the form's texts are too long");
        return false;
    }
    uploads->values += size;
    return true;
}

static void begin(rh_request *request, void *user, const rh_part *part)
{
    struct uploads *uploads = user;
    if (!count(request, uploads, part->name.size + part->filename.size + part->type.size))
        return;
    struct entry *entry = rh_memory(request, sizeof *entry);
    if (entry != NULL) {
        rh_upload *told = &entry->told;
        told->name = copy_of(request, part->name);
        told->filename = copy_of(request, part->filename);
        told->type = copy_of(request, part->type);
    }
    if (entry == NULL || lost(entry->told.name, part->name) || lost(entry->told.filename, part->filename) ||
        lost(entry->told.type, part->type)) {
        respond_starved((struct exchange *)request);
        return;
    }
    if (uploads->last == NULL)
        uploads->first = &entry->told;
    else
        uploads->last->told.next = &entry->told;
    uploads->last = entry;
}

/* At least twice the room, so that a value is copied at most twice over. */
static bool grow(rh_request *request, struct entry *entry, size_t need)
{
    size_t room = 2 * need > VALUE_ROOM ? 2 * need : VALUE_ROOM;
    char *value = rh_memory(request, room);
    if (value == NULL)
        return false;
    if (entry->told.value.size > 0)
        memcpy(value, entry->told.value.data, entry->told.value.size);
    entry->told.value.data = value;
    entry->room = room;
    return true;
}

static void add_value(rh_request *request, struct uploads *uploads, rh_slice piece)
{
    struct entry *entry = uploads->last;
    rh_slice *value = &entry->told.value;
    if (!count(request, uploads, piece.size))
        return;
    if (piece.size > entry->room - value->size && !grow(request, entry, value->size + piece.size)) {
        respond_starved((struct exchange *)request);
        return;
    }
    memcpy((char *)value->data + value->size, piece.data, piece.size);
    value->size += piece.size;
    entry->told.size = value->size;
}

/* A piece is at most what one read brings, 64 KiB beside the longest head, so it fits in a block that is not full. */
static void add(rh_request *request, void *user, rh_slice piece)
{
    struct uploads *uploads = user;
    struct entry *entry = uploads->last;
    if (!is_file(entry)) {
        add_value(request, uploads, piece);
        return;
    }
    entry->told.size += piece.size;
    if (entry->told.size > uploads->options.file_max) {
        rh_fail(request, 413, "a file is too long");
        return;
    }
    assert(piece.size <= BLOCK_SIZE - uploads->used);
    memcpy(uploads->block + uploads->used, piece.data, piece.size);
    uploads->used += piece.size;
    if (uploads->used > BLOCK_FULL)
        rh_background(request, work, uploads);
}

static void end_part(rh_request *request, void *user)
{
    struct uploads *uploads = user;
    if (!is_file(uploads->last)) {
        if (uploads->last->told.value.data == NULL)
            uploads->last->told.value.data = "";
        return;
    }
    uploads->closes = true;
    rh_background(request, work, uploads);
}

static void done(rh_request *request, void *user)
{
    struct uploads *uploads = user;
    uploads->options.done(request, uploads->options.user, uploads->first);
}

/* ---- The end ------------------------------------------------------------------------------------------------ */

/* Removing a large file may take a while, so it is done where nobody waits for it. */
struct removal {
    struct job job;
    char path[];
};

static void remove_file(struct job *job)
{
    struct removal *removal = (struct removal *)job;
    unlink(removal->path);
    free(removal);
}

static void clean_up(rh_request *request, const rh_end *ended, void *user)
{
    struct uploads *uploads = user;
    (void)ended;
    if (uploads->fd >= 0)
        close(uploads->fd);
    for (const rh_upload *upload = uploads->first; upload != NULL; upload = upload->next) {
        const struct entry *entry = (const struct entry *)upload;
        if (entry->file == NULL)
            continue;
        size_t size = strlen(entry->file) + 1;
        struct background *background = exchange_worker((struct exchange *)request)->server->background;
        struct removal *removal = background != NULL ? malloc(sizeof *removal + size) : NULL;
        if (removal == NULL) {
            unlink(entry->file);
            continue;
        }
        *removal = (struct removal){ .job.run = remove_file };
        memcpy(removal->path, entry->file, size);
        background_submit(background, &removal->job);
    }
}

bool rh_upload_keep(rh_upload *upload, const char *path)
{
    struct entry *entry = (struct entry *)upload;
    if (entry->file == NULL) {
        errno = ENOENT;
        return false;
    }
    if (rename(entry->file, path) != 0)
        return false;
    entry->file = NULL;
    entry->told.path = NULL;
    return true;
}

void rh_uploads_begin(rh_request *request, const rh_uploads_options *options, size_t options_size)
{
    struct uploads *uploads = rh_memory(request, sizeof *uploads);
    if (uploads == NULL) {
        respond_starved((struct exchange *)request);
        return;
    }
    uploads->fd = -1;
    rh_uploads_options *o = &uploads->options;
    if (!respond_take((struct exchange *)request, o, sizeof *o, options, options_size))
        return;
    o->folder = o->folder != NULL ? copy_text(request, o->folder) : "/tmp";
    o->file_max = o->file_max != 0 ? o->file_max : UINT64_MAX;
    o->values_max = o->values_max != 0 ? o->values_max : VALUES_MAX;
    if (o->folder == NULL || !rh_on_end(request, clean_up, uploads)) {
        respond_starved((struct exchange *)request);
        return;
    }
    rh_multipart(request, (rh_multipart_options){ .part = begin, .data = add, .end = end_part, .done = done,
                                                  .user = uploads, .parts_max = o->parts_max });
}
