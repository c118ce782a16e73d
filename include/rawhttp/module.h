/* rawhttp: a shared object that rawhttpd loads, and that registers routes, middleware and whatever else a program of
 * its own would. Part of rawhttp.h.
 *
 *     #include <rawhttp.h>
 *
 *     static void hello(rh_request *request, void *user) { rh_text(request, "Hello from a module!\n"); }
 *
 *     static int begin(rh_server *server, const char *settings, void **user)
 *     {
 *         return rh_route(server, "GET /hello", hello, NULL);
 *     }
 *
 *     const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "hello", .begin = begin };
 *
 *     cc -shared -fPIC -o hello.so hello.c            it is not linked with the library: it calls the program's
 *     rawhttpd --module ./hello.so
 */
#ifndef RAWHTTP_MODULE_H
#define RAWHTTP_MODULE_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Modules ------------------------------------------------------------------------------------------------ */

/* Once for each time that the module is named. `begin` comes on the program's first thread, before the server is
 * started; the signals by which the program is ended are blocked there, and so they are in threads that it starts. It
 * neither starts, drains, stops nor frees the server, and unloads nothing: the object stays in memory to the end. */
typedef struct rh_module {
    uint32_t abi;        /* RH_ABI: for which interface it was built; another one is refused */
    uint32_t size;       /* sizeof(rh_module): how much of this it knows */
    const char *name;    /* "users", for messages */
    const char *version; /* its own, "1.0"; NULL: none */

    /* Registers. `settings` is the text that stands with the module's name, "" where there is none, and lasts to the
     * end; *user, which is NULL before, is for `end`. Not 0, or a mistake that rh_error tells: rawhttpd does not start,
     * and says why. What else there is to say goes to rawhttpd's log by rh_log_write. */
    int (*begin)(rh_server *server, const char *settings, void **user);

    /* Whatever `begin` came to, and after rh_server_free: nothing calls the module any more. The last one that began
     * ends first. NULL: there is nothing to do. */
    void (*end)(void *user);
} rh_module;

/* What every module defines. */
RH_API extern const rh_module rawhttp_module;

/* Says why `begin` cannot go on, in one line, and is always -1, to be returned. */
RH_API int rh_module_refuse(rh_server *server, const char *format, ...) RH_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif

#endif
