/* Forms with files (multipart/form-data, RFC 7578), part by part as they come, or into files. For routes with `stream`
 * (rawhttp/receive.h). Included by rawhttp.h. */
#ifndef RAWHTTP_MULTIPART_H
#define RAWHTTP_MULTIPART_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What stands in front of a part's content. Valid until the call returns. */
typedef struct rh_part {
    rh_slice name;
    rh_slice filename; /* as the client says: never to be used as a path. data NULL: this is no file */
    rh_slice type;     /* data NULL: not said */
} rh_part;

/* Each is called on the worker's loop; each but `done` may be NULL. Each may answer, and no more is called then; or
 * defer (rh_background), and nothing more is called until rh_complete, and nothing more read. */
typedef struct rh_multipart_options {
    void (*part)(rh_request *request, void *user, const rh_part *part); /* a part begins */
    void (*data)(rh_request *request, void *user, rh_slice piece);      /* of its content, valid until it returns */
    void (*end)(rh_request *request, void *user);                       /* the part is whole */
    void (*done)(rh_request *request, void *user);                      /* the form is; answers or defers */
    void *user;
    uint32_t parts_max; /* default 100, else 413 */
} rh_multipart_options;

RH_API void rh_multipart_begin(rh_request *request, const rh_multipart_options *options, size_t options_size);

/* Called in the handler of a route with `stream`. What is no such form is answered with 415, a broken one with 400. */
static inline void rh_multipart(rh_request *request, rh_multipart_options options)
{
    rh_multipart_begin(request, &options, sizeof options);
}

/* ---- Into files --------------------------------------------------------------------------------------------- */

/* A part of a form. All of it lives as long as the request. */
typedef struct rh_upload {
    struct rh_upload *next; /* in the order of the form; NULL: the last one */
    rh_slice name;
    rh_slice filename;      /* as in rh_part */
    rh_slice type;
    rh_slice value;         /* where it is no file: its content */
    const char *path;       /* where it is one: here it lies; removed when the request ends. NULL: no file, or kept */
    uint64_t size;          /* bytes of its content */
} rh_upload;

typedef struct rh_uploads_options {
    const char *folder;  /* for the files, ".upload-" and six letters each; default "/tmp" */
    uint64_t file_max;   /* bytes of one file; default: what the route's body_max lets in; else 413 */
    uint32_t values_max; /* bytes of all that is no file, names included; default 1 MiB, else 413 */
    uint32_t parts_max;  /* default 100, else 413 */
    void (*done)(rh_request *request, void *user, rh_upload *first); /* all is there; NULL: the form is empty */
    void *user;
} rh_uploads_options;

RH_API void rh_uploads_begin(rh_request *request, const rh_uploads_options *options, size_t options_size);

/* rh_multipart into files, which are written on a background thread: a slow disk slows the sender. 507 where the disk
 * is full, 500 where it fails (and a line in the log). Strings are copied. */
static inline void rh_uploads(rh_request *request, rh_uploads_options options)
{
    rh_uploads_begin(request, &options, sizeof options);
}

/* Moves a file to a path of its own on the same file system, in the place of what may be there (rename(2)), so that it
 * stays. May block for a moment. False: errno. */
RH_API bool rh_upload_keep(rh_upload *upload, const char *path);

#ifdef __cplusplus
}
#endif

#endif
