/* The keys with which sessions are sealed into tickets, so that a client brings its session back and nothing is kept of
 * it here (RFC 5077 4, RFC 8446 4.6.1). They change while workers use them; a handshake takes one out under a lock,
 * which is nothing beside what else a handshake costs. When they change is their owner's business. */
#include "net/tls_openssl.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { IV_SIZE = 16 };

struct tls_tickets {
    atomic_uint references;
    EVP_CIPHER *cipher; /* looked up once: that costs more than its use */
    pthread_mutex_t lock;
    unsigned count;
    struct tls_ticket_key keys[TLS_TICKET_KEYS_MAX];
};

static bool make_key(struct tls_ticket_key *key)
{
    bool made = RAND_bytes(key->name, sizeof key->name) == 1 && RAND_priv_bytes(key->mac, sizeof key->mac) == 1 &&
                RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1;
    ERR_clear_error();
    return made;
}

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets == NULL)
        return NULL;
    pthread_mutex_init(&tickets->lock, NULL);
    atomic_init(&tickets->references, 1);
    tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    tickets->count = 1;
    if (tickets->cipher != NULL && make_key(&tickets->keys[0]))
        return tickets;
    ERR_clear_error();
    tls_tickets_unref(tickets);
    return NULL;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets)
{
    atomic_fetch_add_explicit(&tickets->references, 1, memory_order_relaxed);
    return tickets;
}

void tls_tickets_unref(struct tls_tickets *tickets)
{
    if (tickets == NULL || atomic_fetch_sub_explicit(&tickets->references, 1, memory_order_acq_rel) > 1)
        return;
    EVP_CIPHER_free(tickets->cipher);
    pthread_mutex_destroy(&tickets->lock);
    OPENSSL_cleanse(tickets->keys, sizeof tickets->keys);
    free(tickets);
}

bool tls_tickets_rotate(struct tls_tickets *tickets, unsigned kept)
{
    struct tls_ticket_key key;
    if (!make_key(&key))
        return false;
    pthread_mutex_lock(&tickets->lock);
    unsigned most = kept < TLS_TICKET_KEYS_MAX ? kept + 1 : TLS_TICKET_KEYS_MAX;
    tickets->count = tickets->count + 1 < most ? tickets->count + 1 : most;
    memmove(tickets->keys + 1, tickets->keys, sizeof tickets->keys - sizeof key);
    tickets->keys[0] = key;
    size_t forgotten = (TLS_TICKET_KEYS_MAX - tickets->count) * sizeof key;
    OPENSSL_cleanse(tickets->keys + tickets->count, forgotten);
    pthread_mutex_unlock(&tickets->lock);
    OPENSSL_cleanse(&key, sizeof key);
    return true;
}

void tls_tickets_set(struct tls_tickets *tickets, const struct tls_ticket_key *keys, unsigned count)
{
    assert(count >= 1 && count <= TLS_TICKET_KEYS_MAX);
    pthread_mutex_lock(&tickets->lock);
    OPENSSL_cleanse(tickets->keys, sizeof tickets->keys);
    memcpy(tickets->keys, keys, count * sizeof *keys);
    tickets->count = count;
    pthread_mutex_unlock(&tickets->lock);
}

/* NULL name: the first one. Returns which one it is, or `count` for one that is not there any more. */
static unsigned take_key(struct tls_tickets *tickets, const unsigned char *name, struct tls_ticket_key *key)
{
    unsigned i = 0;
    pthread_mutex_lock(&tickets->lock);
    while (name != NULL && i < tickets->count && memcmp(tickets->keys[i].name, name, sizeof key->name) != 0)
        i++;
    bool found = i < tickets->count;
    if (found)
        *key = tickets->keys[i];
    pthread_mutex_unlock(&tickets->lock);
    return found ? i : TLS_TICKET_KEYS_MAX;
}

/* NOLINTNEXTLINE(readability-function-size): what the library has handed on */
static bool use_key(const struct tls_tickets *tickets, struct tls_ticket_key *key, const unsigned char *iv,
                    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex2(cipher, tickets->cipher, key->cipher, iv, sealing, NULL) == 1 &&
           EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* Called to seal a ticket, or to open one: `name` is written, or read. 0: it cannot be opened, the handshake is a whole
 * one; 2: it can, and the client gets a new one: from TLS 1.3 on none is used twice (RFC 8446 C.4). */
/* NOLINTNEXTLINE(readability-function-size): the library has decided on its parameters */
static int key_for(SSL *ssl, unsigned char name[16], unsigned char iv[IV_SIZE], EVP_CIPHER_CTX *cipher,
                   EVP_MAC_CTX *mac, int sealing)
{
    const struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct tls_tickets *tickets = context->tickets;
    struct tls_ticket_key key;
    unsigned which = take_key(tickets, sealing ? NULL : name, &key);
    if (which == TLS_TICKET_KEYS_MAX)
        return 0;
    if (sealing)
        memcpy(name, key.name, sizeof key.name);
    bool ready = (!sealing || RAND_bytes(iv, IV_SIZE) == 1) && use_key(tickets, &key, iv, cipher, mac, sealing);
    OPENSSL_cleanse(&key, sizeof key);
    if (!ready)
        return -1;
    return !sealing && (which > 0 || SSL_version(ssl) >= TLS1_3_VERSION) ? 2 : 1;
}

void tls_tickets_install(SSL_CTX *ssl)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, key_for);
}
