/* What a response can be beside all of some bytes: not modified, a part, compressed, a file. Included by rawhttp.h. */
#ifndef RAWHTTP_OUTPUT_H
#define RAWHTTP_OUTPUT_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The response's content may be sent compressed, if the client takes that (RFC 9110 12.5.3): called before the content
 * is given, and before rh_validate. Vary says so. Content in memory is compressed where its handler runs, with zstd,
 * brotli or gzip at a low level (some 100 MB/s): so answer with what is large from rh_background. A stream is
 * compressed with gzip while it is sent. Not for what mixes a secret with what somebody else may choose (BREACH). */
RH_API void rh_compress(rh_request *request);

/* Says which state the content is in, before it is made (RFC 9110 8.8): `etag` with its quotes ("\"v1\"", with W/
 * before it where it is weak), or NULL; and when it was changed, in seconds since 1970, or -1. True: the request's
 * conditions hold, go on. False: it has been answered, with 304 or 412, and the handler may return.
 *
 * Of content that then is given whole, with 200, a client gets the range that it asked for. For methods that change
 * something, what is said is the state before. */
RH_API bool rh_validate(rh_request *request, const char *etag, int64_t modified_s) RH_MUST_USE;

/* Answers with a file of the program's own: a path is opened on a background thread (or where it is called, if the
 * request is deferred), a descriptor is taken over, and closed when all has been sent. Conditions and ranges are seen
 * to, with an ETag of size and time unless rh_validate was called. `type` NULL: by the end of the path, or
 * application/octet-stream. What is no regular file, or is not there, is a 404; one that may not be read a 403. A path
 * that a client has a say in needs to be checked before. */
RH_API void rh_file(rh_request *request, const char *type, const char *path);
RH_API void rh_descriptor(rh_request *request, const char *type, int fd);

#ifdef __cplusplus
}
#endif

#endif
