/* rawhttp: what a server that speaks https proves itself with, and whom it asks to do the same. Part of rawhttp.h.
 *
 *     static const rh_certificate certificate = { .chain = "fullchain.pem", .key = "privkey.pem" };
 *
 *     rh_server *server = rh_server_new((rh_options){ .listen = "https://:443 :80", .root = "public" });
 *     rh_tls(server, &(rh_tls_options){ .certificates = &certificate, .certificate_count = 1 });
 *     return rh_run(server);
 *
 * The files are read by rh_start and followed from then on: within two seconds of a new one, once it has held still and
 * a certificate and its key belong together, it is what new connections get; those that are there keep theirs. What is
 * wrong never takes the place of what is right: a line in the log says what is wrong with it. */
#ifndef RAWHTTP_TLS_H
#define RAWHTTP_TLS_H

#include <rawhttp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- TLS ---------------------------------------------------------------------------------------------------- */

typedef struct rh_certificate {
    const char *chain; /* PEM file: the server's own certificate first, then those that vouch for it */
    const char *key;   /* PEM file, not encrypted; NULL: it is in the same file */
    const char *ocsp;  /* DER file: the authority's answer that it holds (OCSP), which is stapled; NULL: none */
} rh_certificate;

typedef struct rh_tls_options {
    /* The first is for clients that name no host, or one that none is for; else it is chosen by the name that the
     * client asks for: an exact one of the certificate's, then one with a star for the first label. Up to 256. */
    const rh_certificate *certificates;
    size_t certificate_count;
    bool self_signed;               /* instead of certificates: one for localhost, made anew at each start, which no
                                       browser trusts; for development */
    const char *min_version;        /* "1.2" (default) or "1.3" */
    const char *ciphers;            /* of TLS 1.2, as OpenSSL lists them; default: with forward secrecy and AEAD */
    const char *ciphersuites;       /* of TLS 1.3; default: all three */
    const char *groups;             /* for the exchange of keys; default: X25519, P-256, P-384 */
    const char *client_certificate; /* "off" (default), "optional": one that comes has to be good, "required" */
    const char *client_ca;          /* PEM file: whose certificates of clients are good */
    const char *ticket_keys;        /* a file of 80 random bytes for each key of session tickets, up to 32, the first
                                       for new ones: servers that share it resume each other's sessions. Default: a key
                                       of the server's own, a new one each hour, of which the last 24 are accepted */
} rh_tls_options;

RH_API int rh_tls_set(rh_server *server, const rh_tls_options *options, size_t options_size, size_t certificate_size);

/* Before rh_start, once; later, or a second time, it is -1 and changes nothing. Everything is copied. 0, or -1 for a
 * mistake: rh_error says which, and rh_start will fail too. */
static inline int rh_tls(rh_server *server, const rh_tls_options *options)
{
    return rh_tls_set(server, options, sizeof *options, sizeof *options->certificates);
}

/* How following the files goes, after rh_start. */
typedef struct rh_tls_info {
    size_t certificates; /* that are used; 0: there is no TLS */
    int64_t expires_s;   /* when the first of them expires, in seconds since 1970 */
    uint64_t taken;      /* how often changed files have been taken */
    uint64_t refused;    /* how often something was wrong with them, and what was used before stayed */
} rh_tls_info;
RH_API rh_tls_info rh_tls_state(const rh_server *server);

#ifdef __cplusplus
}
#endif

#endif
