/* The peer is asked first: what anybody else writes into the fields is not looked at. See client.h. */
#include "server/client.h"

#include "net/tls_stream.h"
#include "server/server.h"

static bool trusts(const struct networks *trusted, struct slice peer)
{
    struct ip ip;
    if (ip_parse(peer, &ip))
        return networks_have(trusted, &ip);
    return trusted->unix_peers && slice_equal(peer, SLICE("unix"));
}

struct forwarded client_told(const struct exchange *exchange)
{
    const struct networks *trusted = &exchange_worker(exchange)->server->config.trusted;
    struct forwarded told = { .known = false };
    if (networks_any(trusted) && trusts(trusted, exchange->request.peer))
        forwarded_read(&exchange->request.fields, trusted, &told);
    return told;
}

bool client_ip(const struct exchange *exchange, struct ip *ip)
{
    struct forwarded told = client_told(exchange);
    if (!told.known)
        return ip_parse(exchange->request.peer, ip);
    *ip = told.client;
    return true;
}

struct slice client_text(const struct exchange *exchange, char room[IP_TEXT_MAX])
{
    struct forwarded told = client_told(exchange);
    struct writer w = writer_on(room, IP_TEXT_MAX);
    if (told.known)
        ip_write(&w, &told.client);
    return writer_slice(&w);
}

rh_slice rh_client(rh_request *request)
{
    struct exchange *exchange = (struct exchange *)request;
    char room[IP_TEXT_MAX];
    struct slice text = client_text(exchange, room);
    struct slice client = text.size > 0 ? arena_copy(&exchange->arena, text) : exchange->request.peer;
    return (rh_slice){ client.data, client.size };
}

rh_slice rh_scheme(const rh_request *request)
{
    const struct exchange *exchange = (const struct exchange *)request;
    bool https = exchange->request.secure || client_told(exchange).https;
    return https ? (rh_slice){ "https", 5 } : (rh_slice){ "http", 4 };
}

/* NULL: it did not come over TLS, or the connection has gone. */
static const struct transport *tls_of(const struct exchange *exchange)
{
    struct session *session = exchange->session;
    return session != NULL && session->secure ? &conn_of(session)->transport : NULL;
}

rh_slice rh_client_subject(rh_request *request)
{
    struct exchange *exchange = (struct exchange *)request;
    bool here = worker_here(&exchange_worker(exchange)->net);
    const struct transport *tls = here ? tls_of(exchange) : NULL;
    char text[TLS_SUBJECT_SIZE];
    size_t size = tls != NULL ? tls_client_subject(tls, text, sizeof text) : 0;
    struct slice subject = size > 0 ? arena_copy(&exchange->arena, slice_make(text, size)) : SLICE("");
    return size > 0 ? (rh_slice){ subject.data, subject.size } : (rh_slice){ NULL, 0 };
}
