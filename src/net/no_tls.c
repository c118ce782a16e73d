/* In the place of net/tls_*.c in a build without OpenSSL: whoever wants a context is told why there is none, so nothing
 * that needs one is ever called. */
#include "net/tls_stream.h"

#include <stdlib.h>

const bool tls_is_built = false;

static bool refuse(struct why why)
{
    return why_refuse(why, SLICE("https"), "this build has no TLS; build with -Dtls=enabled, which needs OpenSSL 3");
}

struct tls_context *tls_context_new(const struct tls_settings *settings, struct why why)
{
    (void)settings;
    refuse(why);
    return NULL;
}

bool tls_self_signed(struct tls_pair *pair, struct why why)
{
    *pair = (struct tls_pair){ 0 };
    return refuse(why);
}

struct tls_tickets *tls_tickets_new(void)
{
    return NULL;
}

/* ---- For nothing ---------------------------------------------------------------------------------------------- */

void tls_pair_free(struct tls_pair *pair)
{
    (void)pair;
}

void tls_context_unref(struct tls_context *context)
{
    (void)context;
}

void tls_tickets_unref(struct tls_tickets *tickets)
{
    (void)tickets;
}

void tls_slot_fini(struct tls_slot *slot)
{
    (void)slot;
}

bool tls_carries(const struct transport *transport)
{
    (void)transport;
    return false;
}

/* ---- Never called: there is no context, no stream and no key -------------------------------------------------- */

#define NEVER(type, name, ...)                                                                                         \
    type name(__VA_ARGS__)                                                                                             \
    {                                                                                                                  \
        abort();                                                                                                       \
    }

#define UNUSED __attribute__((unused))

NEVER(struct tls_context *, tls_context_ref, UNUSED struct tls_context *context)
NEVER(void, tls_context_names, UNUSED const struct tls_context *context, UNUSED char *text, UNUSED size_t size)
NEVER(int64_t, tls_context_expires, UNUSED const struct tls_context *context)
NEVER(void, tls_slot_publish, UNUSED struct tls_slot *slot, UNUSED struct tls_context *next, UNUSED struct qsbr *qsbr)
NEVER(struct tls_tickets *, tls_tickets_ref, UNUSED struct tls_tickets *tickets)
NEVER(bool, tls_tickets_rotate, UNUSED struct tls_tickets *tickets, UNUSED unsigned kept)
NEVER(void, tls_tickets_set, UNUSED struct tls_tickets *tickets, UNUSED const struct tls_ticket_key *keys,
      UNUSED unsigned count)
NEVER(bool, tls_open, UNUSED struct transport *transport, UNUSED struct tls_context *context, UNUSED int fd,
      UNUSED char *record)
NEVER(enum tls_step, tls_handshake, UNUSED struct transport *transport, UNUSED const char **reason)
NEVER(void, tls_leave, UNUSED struct transport *transport)
NEVER(bool, tls_speaks_h2, UNUSED const struct transport *transport)
NEVER(bool, tls_resumed, UNUSED const struct transport *transport)
NEVER(uint16_t, tls_cipher, UNUSED const struct transport *transport)
NEVER(size_t, tls_client_subject, UNUSED const struct transport *transport, UNUSED char *text, UNUSED size_t size)
