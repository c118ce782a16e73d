/* JSON call by call, which cannot come out invalid: what does not belong where it is put becomes a 500 and a line in
 * the log. For short ones rh_json with its format is less to write. Included by rawhttp.h.
 *
 *     rh_json_object(request, NULL);
 *     rh_json_text(request, "name", user->name);
 *     rh_json_array(request, "roles");
 *     for (size_t i = 0; i < user->role_count; i++)
 *         rh_json_text(request, NULL, user->roles[i]);
 *     rh_json_end(request);
 *     rh_json_end(request);
 *     rh_json_send(request);
 *
 * `name` is that of a member within an object, and NULL within an array and outside. All is copied. Text is to be
 * UTF-8; what is not becomes U+FFFD. */
#ifndef RAWHTTP_JSON_H
#define RAWHTTP_JSON_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Begin an object or an array, up to 64 within each other, and end the innermost one. */
RH_API void rh_json_object(rh_request *request, const char *name);
RH_API void rh_json_array(rh_request *request, const char *name);
RH_API void rh_json_end(rh_request *request);

RH_API void rh_json_text(rh_request *request, const char *name, const char *value);   /* NULL: null */
RH_API void rh_json_slice(rh_request *request, const char *name, rh_slice value);     /* data NULL: null */
RH_API void rh_json_int(rh_request *request, const char *name, int64_t value);
RH_API void rh_json_uint(rh_request *request, const char *name, uint64_t value);
RH_API void rh_json_double(rh_request *request, const char *name, double value);      /* NaN, infinity: null */
RH_API void rh_json_bool(rh_request *request, const char *name, bool value);
RH_API void rh_json_null(rh_request *request, const char *name);

#ifdef __cplusplus
}
#endif

#endif
