/* What is chosen during a handshake: the certificate by the name that the client asks for (RFC 6066 3), the protocol
 * above by what both know (ALPN, RFC 7301), and what is stapled to the certificate. */
#include "net/tls_openssl.h"

#include <stdlib.h>

enum { ASKED_MAX = 255 };

static int compare(const void *text, const void *name)
{
    return strcmp(text, ((const struct tls_name *)name)->text);
}

static const struct tls_identity *look_up(const struct tls_context *context, const char *name)
{
    const struct tls_name *found = bsearch(name, context->names, context->name_count, sizeof *context->names, compare);
    return found != NULL ? found->identity : NULL;
}

/* The name itself, else the wildcard in the place of its first label (RFC 6125 6.4.3). */
static const struct tls_identity *find(const struct tls_context *context, const char *asked)
{
    char name[ASKED_MAX + 1];
    size_t size = strlen(asked);
    if (size == 0 || size > ASKED_MAX)
        return NULL;
    for (size_t i = 0; i <= size; i++)
        name[i] = ascii_lower(asked[i]);
    const struct tls_identity *exact = look_up(context, name);
    char *dot = strchr(name, '.');
    if (exact != NULL || dot == NULL || dot == name)
        return exact;
    dot[-1] = '*';
    return look_up(context, dot - 1);
}

/* Nobody's name: the default, without the acknowledgement that the name was of any use. */
static int choose_identity(SSL *ssl, int *alert, void *user)
{
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct tls_identity *found = asked != NULL ? find(user, asked) : NULL;
    if (found == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_set_SSL_CTX(ssl, found->ssl) != NULL)
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_INTERNAL_ERROR;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* NOLINTNEXTLINE(readability-function-size): the library has decided on its parameters */
static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                           const unsigned char *offered, unsigned offered_size, void *user)
{
    static const struct slice both = SLICE_INIT("\x02h2\x08http/1.1"), one = SLICE_INIT("\x08http/1.1");
    struct slice ours = ((const struct tls_context *)user)->offers_h2 ? both : one;
    unsigned char *found;
    (void)ssl;
    if (SSL_select_next_proto(&found, chosen_size, (const unsigned char *)ours.data, (unsigned)ours.size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol: RFC 7301 3.2 */
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static const struct tls_proof *shown(SSL *ssl, const struct tls_identity *identity)
{
    const struct tls_proof *proof = identity->proofs;
    while (proof != NULL && proof->certificate != SSL_get_certificate(ssl))
        proof = proof->next;
    return proof;
}

/* One that has expired since is left away. */
static int staple(SSL *ssl, void *user)
{
    const struct tls_proof *proof = shown(ssl, user);
    if (proof == NULL || proof->ocsp == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (proof->ocsp_until != NULL && X509_cmp_current_time(proof->ocsp_until) < 0)
        return SSL_TLSEXT_ERR_NOACK;
    unsigned char *copy = OPENSSL_memdup(proof->ocsp, (size_t)proof->ocsp_size);
    if (copy == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, proof->ocsp_size);
    return SSL_TLSEXT_ERR_OK;
}

void tls_choice_install(struct tls_identity *identity, struct tls_context *context)
{
    SSL_CTX_set_tlsext_servername_callback(identity->ssl, choose_identity);
    SSL_CTX_set_tlsext_servername_arg(identity->ssl, context);
    SSL_CTX_set_alpn_select_cb(identity->ssl, choose_protocol, context);
    SSL_CTX_set_tlsext_status_cb(identity->ssl, staple);
    SSL_CTX_set_tlsext_status_arg(identity->ssl, identity);
}
