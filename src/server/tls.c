/* The public calls about TLS, and what the server does about it when it starts and ends. */
#include "server/tls.h"

#include "server/sized.h"

#include <errno.h>
#include <string.h>

int rh_tls_set(rh_server *server, const rh_tls_options *options, size_t options_size, size_t certificate_size)
{
    rh_tls_options known;
    char text[WHY_SIZE] = "out of memory";
    if (server == NULL || server_was_started(server, "rh_tls"))
        return -1;
    if (!sized_take(server, &known, sizeof known, options, options_size))
        return -1;
    if (server->certificates != NULL) {
        server_fail(server, "rh_tls: it has been called already; name all certificates in one call");
        return -1;
    }
    server->certificates = certificates_new(&known, certificate_size, (struct why){ text, sizeof text });
    if (server->certificates != NULL)
        return 0;
    server_fail(server, "%s", text);
    return -1;
}

rh_tls_info rh_tls_state(const rh_server *server)
{
    struct certificates *certificates = server != NULL ? server->certificates : NULL;
    if (certificates == NULL)
        return (rh_tls_info){ 0 };
    return (rh_tls_info){
        .certificates = certificates->settings.certificate_count,
        .expires_s = atomic_load(&certificates->expires_s),
        .taken = atomic_load(&certificates->taken),
        .refused = atomic_load(&certificates->refused),
    };
}

bool tls_begin(rh_server *server)
{
    char text[WHY_SIZE] = "out of memory";
    if (server->certificates == NULL)
        return true;
    server->certificates->settings.offers_h2 = server->config.http2;
    return certificates_load(server->certificates, &server->tls, &server->log, (struct why){ text, sizeof text }) ||
           server_fail(server, "%s", text);
}

bool tls_follow(rh_server *server)
{
    struct certificates *certificates = server->certificates;
    bool followed = certificates == NULL || certificates_follow(certificates, server->store.qsbr);
    return followed || server_fail(server, "cannot follow the certificates: %s", strerror(errno));
}
