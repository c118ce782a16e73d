/* Makes contexts: one of the library's for each identity, all with the same choices but for the certificates, and a
 * table of the names that they are for. What is asked of them during a handshake is answered in tls_choice.c. */
#include "net/tls_openssl.h"

#include "base/writer.h"

#include <assert.h>
#include <stdlib.h>

const bool tls_is_built = true;

/* With what is not known yet of the first kind, where the library has it: no key of today is safe from tomorrow's
 * machines with the others alone. */
#define GROUPS_HYBRID "X25519MLKEM768:" TLS_GROUPS

enum { SECURITY_LEVEL = 2, TICKETS_GIVEN = 1 };

/* ---- What is allowed ------------------------------------------------------------------------------------------ */

static bool set_groups(SSL_CTX *ssl, const char *groups)
{
    if (groups != NULL)
        return SSL_CTX_set1_groups_list(ssl, groups) == 1;
    return SSL_CTX_set1_groups_list(ssl, GROUPS_HYBRID) == 1 || SSL_CTX_set1_groups_list(ssl, TLS_GROUPS) == 1;
}

static bool set_algorithms(SSL_CTX *ssl, const struct tls_settings *settings, struct why why)
{
    const char *ciphers = settings->ciphers != NULL ? settings->ciphers : TLS_CIPHERS;
    const char *suites = settings->ciphersuites != NULL ? settings->ciphersuites : TLS_CIPHERSUITES;
    int least = settings->version_min == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (SSL_CTX_get_security_level(ssl) < SECURITY_LEVEL)
        SSL_CTX_set_security_level(ssl, SECURITY_LEVEL);
    if (SSL_CTX_set_min_proto_version(ssl, least) != 1 || SSL_CTX_set_max_proto_version(ssl, 0) != 1)
        return why_refuse(why, SLICE("TLS"), "%s", tls_reason());
    if (SSL_CTX_set_cipher_list(ssl, ciphers) != 1)
        return why_refuse(why, SLICE("ciphers"), "\"%s\": none of these is known; `openssl ciphers -v` lists them",
                          ciphers);
    if (SSL_CTX_set_ciphersuites(ssl, suites) != 1)
        return why_refuse(why, SLICE("ciphersuites"), "\"%s\": not all of these are known; write " TLS_CIPHERSUITES,
                          suites);
    if (!set_groups(ssl, settings->groups))
        return why_refuse(why, SLICE("groups"), "\"%s\": not all of these are known; write " TLS_GROUPS,
                          settings->groups != NULL ? settings->groups : TLS_GROUPS);
    return true;
}

/* The server's order, but a client without AES in its processor, which puts ChaCha20 first, gets that. No early data:
 * its requests could be sent once more by anybody (RFC 8446 8); that is off unless it is asked for, as compression and
 * renegotiation are here. */
static void set_behaviour(SSL_CTX *ssl, const struct tls_settings *settings)
{
    uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                       SSL_OP_PRIORITIZE_CHACHA | SSL_OP_ENABLE_KTLS;
    SSL_CTX_set_options(ssl, settings->tickets != NULL ? options : options | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ssl, 1); /* a record with its head costs one call */
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ssl, TLS_SESSION_SECONDS);
    SSL_CTX_set_num_tickets(ssl, settings->tickets != NULL ? TICKETS_GIVEN : 0);
    if (settings->tickets != NULL)
        tls_tickets_install(ssl);
}

/* ---- Clients that prove themselves ---------------------------------------------------------------------------- */

/* A session is not resumed where other rules hold for clients than those by which it began. */
static bool mark_sessions(SSL_CTX *ssl, const struct tls_settings *settings)
{
    unsigned char mark[EVP_MAX_MD_SIZE] = { 0 };
    unsigned size = SSL_MAX_SID_CTX_LENGTH;
    struct slice rules = settings->client_ca.bytes;
    if (settings->clients != TLS_CLIENTS_OFF &&
        EVP_Digest(rules.data, rules.size, mark, &size, EVP_sha256(), NULL) != 1)
        return false;
    mark[0] = (unsigned char)settings->clients;
    return SSL_CTX_set_session_id_context(ssl, mark, size) == 1;
}

static bool trust(SSL_CTX *ssl, STACK_OF(X509) *authorities)
{
    for (int i = 0; i < sk_X509_num(authorities); i++)
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), sk_X509_value(authorities, i)) != 1 ||
            SSL_CTX_add_client_CA(ssl, sk_X509_value(authorities, i)) != 1)
            return false;
    return true;
}

static bool set_clients(SSL_CTX *ssl, const struct tls_settings *settings, STACK_OF(X509) *authorities)
{
    if (!mark_sessions(ssl, settings))
        return false;
    if (settings->clients == TLS_CLIENTS_OFF)
        return true;
    bool required = settings->clients == TLS_CLIENTS_REQUIRED;
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return trust(ssl, authorities);
}

/* ---- Identities ----------------------------------------------------------------------------------------------- */

static bool same_names(const struct tls_proof *one, const struct tls_proof *other)
{
    if (one->name_count != other->name_count || one->name_count == 0)
        return false;
    for (unsigned i = 0; i < one->name_count; i++)
        if (strcmp(one->names[i], other->names[i]) != 0)
            return false;
    return true;
}

static bool has_kind(const struct tls_identity *identity, const struct tls_proof *proof)
{
    const struct tls_proof *other = identity->proofs;
    while (other != NULL && EVP_PKEY_get_base_id(other->key) != EVP_PKEY_get_base_id(proof->key))
        other = other->next;
    return other != NULL;
}

/* The one that has the same names, with keys of other kinds, or a new one. */
static struct tls_identity *identity_for(struct tls_context *context, const struct tls_proof *proof)
{
    for (unsigned i = 0; i < context->identity_count; i++) {
        struct tls_identity *identity = &context->identities[i];
        assert(identity->proofs != NULL); /* it was made for one */
        if (same_names(identity->proofs, proof) && !has_kind(identity, proof))
            return identity;
    }
    return &context->identities[context->identity_count++];
}

static bool make_ssl(struct tls_identity *identity, const struct tls_settings *settings, STACK_OF(X509) *authorities,
                     struct why why)
{
    identity->ssl = SSL_CTX_new(TLS_server_method());
    if (identity->ssl == NULL)
        return why_refuse(why, SLICE("TLS"), "%s", tls_reason());
    set_behaviour(identity->ssl, settings);
    if (!set_algorithms(identity->ssl, settings, why))
        return false;
    return set_clients(identity->ssl, settings, authorities) ||
           why_refuse(why, settings->client_ca.from, "%s", tls_reason());
}

static void append(struct tls_identity *identity, struct tls_proof *proof)
{
    struct tls_proof **end = &identity->proofs;
    while (*end != NULL)
        end = &(*end)->next;
    *end = proof;
}

static bool add_proof(struct tls_context *context, const struct tls_certificate *given,
                      const struct tls_settings *settings, STACK_OF(X509) *authorities, struct why why)
{
    struct tls_proof *proof = tls_proof_read(given, settings->log, why);
    if (proof == NULL)
        return false;
    struct tls_identity *identity = identity_for(context, proof);
    append(identity, proof);
    if (identity->ssl == NULL && !make_ssl(identity, settings, authorities, why))
        return false;
    SSL_CTX_set_app_data(identity->ssl, context);
    tls_choice_install(identity, context);
    if (SSL_CTX_use_cert_and_key(identity->ssl, proof->certificate, proof->key, proof->chain, 1) != 1)
        return why_refuse(why, given->chain.from, "cannot be used: %s", tls_reason());
    if (context->expires == 0 || proof->expires < context->expires)
        context->expires = proof->expires;
    context->name_count += proof->name_count;
    return true;
}

/* ---- Names ---------------------------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    const struct tls_name *one = left, *other = right;
    int order = strcmp(one->text, other->text);
    return order != 0 ? order : (one->identity > other->identity) - (one->identity < other->identity);
}

/* A name that several have is the first one's. */
static void drop_doubles(struct tls_context *context)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < context->name_count; i++)
        if (kept == 0 || strcmp(context->names[kept - 1].text, context->names[i].text) != 0)
            context->names[kept++] = context->names[i];
    context->name_count = kept;
}

static bool make_names(struct tls_context *context)
{
    unsigned room = context->name_count;
    context->name_count = 0;
    context->names = calloc(room > 0 ? room : 1, sizeof *context->names);
    if (context->names == NULL)
        return false;
    for (unsigned i = 0; i < context->identity_count; i++) {
        const struct tls_identity *identity = &context->identities[i];
        for (const struct tls_proof *proof = identity->proofs; proof != NULL; proof = proof->next)
            for (unsigned j = 0; j < proof->name_count; j++)
                context->names[context->name_count++] = (struct tls_name){ proof->names[j], identity };
    }
    qsort(context->names, context->name_count, sizeof *context->names, compare);
    drop_doubles(context);
    return true;
}

/* ---- The whole ------------------------------------------------------------------------------------------------ */

static void free_context(struct tls_context *context)
{
    for (unsigned i = 0; context->identities != NULL && i < context->identity_count; i++) {
        struct tls_identity *identity = &context->identities[i];
        SSL_CTX_free(identity->ssl);
        for (struct tls_proof *proof = identity->proofs, *next; proof != NULL; proof = next) {
            next = proof->next;
            tls_proof_free(proof);
        }
    }
    tls_tickets_unref(context->tickets);
    BIO_meth_free(context->reader);
    free(context->identities);
    free(context->names);
    free(context);
}

static bool fill(struct tls_context *context, const struct tls_settings *settings, STACK_OF(X509) *authorities,
                 struct why why)
{
    context->identities = calloc(settings->certificate_count, sizeof *context->identities);
    context->reader = tls_stream_reader();
    if (context->identities == NULL || context->reader == NULL)
        return why_refuse(why, SLICE("TLS"), "out of memory");
    for (unsigned i = 0; i < settings->certificate_count; i++)
        if (!add_proof(context, &settings->certificates[i], settings, authorities, why))
            return false;
    return make_names(context) || why_refuse(why, SLICE("TLS"), "out of memory");
}

static bool check_counts(const struct tls_settings *settings, struct why why)
{
    if (settings->certificate_count == 0)
        return why_refuse(why, SLICE("TLS"), "a certificate is needed; give its file and its key's");
    if (settings->certificate_count > TLS_CERTIFICATES_MAX)
        return why_refuse(why, SLICE("TLS"), "more than %d certificates", TLS_CERTIFICATES_MAX);
    return true;
}

struct tls_context *tls_context_new(const struct tls_settings *settings, struct why why)
{
    STACK_OF(X509) *authorities = NULL;
    if (!check_counts(settings, why))
        return NULL;
    if (settings->clients != TLS_CLIENTS_OFF) {
        authorities = tls_certificates_read(&settings->client_ca, why);
        if (authorities == NULL)
            return NULL;
    }
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        why_refuse(why, SLICE("TLS"), "out of memory");
    } else {
        atomic_init(&context->references, 1);
        context->offers_h2 = settings->offers_h2;
        context->tickets = settings->tickets != NULL ? tls_tickets_ref(settings->tickets) : NULL;
        if (!fill(context, settings, authorities, why)) {
            free_context(context);
            context = NULL;
        }
    }
    sk_X509_pop_free(authorities, X509_free);
    ERR_clear_error();
    return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void tls_context_unref(struct tls_context *context)
{
    if (context != NULL && atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) == 1)
        free_context(context);
}

void tls_context_names(const struct tls_context *context, char *text, size_t size)
{
    struct writer writer = writer_on(text, size - 1);
    for (unsigned i = 0; i < context->name_count; i++) {
        writer_text(&writer, i > 0 ? ", " : "");
        writer_text(&writer, context->names[i].text);
    }
    text[writer_used(&writer)] = '\0';
}

int64_t tls_context_expires(const struct tls_context *context)
{
    return context->expires;
}

/* ---- The slot ------------------------------------------------------------------------------------------------- */

static void let_go(struct retired *retired)
{
    tls_context_unref((struct tls_context *)retired);
}

/* A worker may be about to take a reference on the last one, so ours is kept until none can be. */
void tls_slot_publish(struct tls_slot *slot, struct tls_context *next, struct qsbr *qsbr)
{
    struct tls_context *last = atomic_exchange_explicit(&slot->now, next, memory_order_acq_rel);
    if (last != NULL && qsbr != NULL)
        qsbr_retire(qsbr, &last->retired, let_go);
    else
        tls_context_unref(last);
}

void tls_slot_fini(struct tls_slot *slot)
{
    tls_context_unref(atomic_exchange_explicit(&slot->now, NULL, memory_order_acq_rel));
}
