/* The one redirect that the server makes by itself. See https.h. */
#include "server/https.h"

#include "server/client.h"
#include "server/respond.h"

unsigned https_redirect_port(const struct config *config)
{
    unsigned at = 0;
    if (config->https_redirect.kind != HTTPS_REDIRECT_AUTO)
        return config->https_redirect.port;
    while (at < config->listen_count && !(config->listen[at].secure && address_port(&config->listen[at]) != 0))
        at++;
    return at < config->listen_count ? address_port(&config->listen[at]) : 0;
}

/* Over a unix socket comes a proxy of this machine, and what a trusted one has got by https has been there. */
static bool is_in_the_clear(const struct exchange *exchange)
{
    return !exchange->session->secure && !slice_equal(exchange->request.peer, SLICE("unix")) &&
           !client_told(exchange).https;
}

/* 308 keeps method and body (RFC 9110 15.4.9): a form that is sent to an old address arrives. */
static void send_on(struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    size_t room = https_redirect_room(request);
    char *text = arena_take(&exchange->arena, room);
    struct writer w = writer_on(text, text ? room : 0);
    if (!text)
        respond_unavailable(exchange);
    else if (https_redirect_write(request, exchange_worker(exchange)->server->https_port, &w))
        respond_moved(exchange, 308, writer_slice(&w));
    else
        respond_error(exchange, 400, 0, SLICE("This site is served by https, and your request does not say for which "
                                              "host it is."));
}

bool https_send_on(struct exchange *exchange)
{
    if (!is_in_the_clear(exchange) || !https_redirect_applies(&exchange->request))
        return false;
    send_on(exchange);
    return true;
}
