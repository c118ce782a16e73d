/* What a server staples to its certificate, so that a client need not ask the authority whether it still holds (OCSP,
 * RFC 6960; RFC 6066 8): whether it is an answer at all, about this certificate, good, and of this time. It asks no
 * authority itself: who keeps the answer in a file also renews it. */
#include "net/tls_openssl.h"

#include <openssl/ocsp.h>
#include <stdlib.h>

enum { SLACK_SECONDS = 300 }; /* by which the authority's clock and ours may differ */

/* It names a certificate by its number and by hashes of who issued it, of which one is enough here: the key of the
 * issuer may not be at hand. */
static bool is_about(OCSP_SINGLERESP *single, const X509 *certificate)
{
    const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
    ASN1_OCTET_STRING *issuer;
    ASN1_OBJECT *hash;
    ASN1_INTEGER *serial;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;
    OCSP_id_get0_info(&issuer, &hash, NULL, &serial, (OCSP_CERTID *)id);
    const EVP_MD *md = EVP_get_digestbyobj(hash);
    return ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) == 0 && md != NULL &&
           X509_NAME_digest(X509_get_issuer_name(certificate), md, digest, &size) == 1 &&
           (size_t)ASN1_STRING_length(issuer) == size && memcmp(ASN1_STRING_get0_data(issuer), digest, size) == 0;
}

static OCSP_SINGLERESP *find(OCSP_BASICRESP *basic, const X509 *certificate)
{
    for (int i = 0; i < OCSP_resp_count(basic); i++)
        if (is_about(OCSP_resp_get0(basic, i), certificate))
            return OCSP_resp_get0(basic, i);
    return NULL;
}

/* NULL: it fits, and `until` is when it no longer does. */
static const char *fault_of(OCSP_BASICRESP *basic, const X509 *certificate, ASN1_GENERALIZEDTIME **until)
{
    ASN1_GENERALIZEDTIME *since;
    OCSP_SINGLERESP *single = find(basic, certificate);
    if (single == NULL)
        return "it is about another certificate";
    int status = OCSP_single_get0_status(single, NULL, NULL, &since, until);
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return "it says that the certificate is revoked";
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return "it does not say that the certificate is good";
    if (OCSP_check_validity(since, *until, SLACK_SECONDS, -1) != 1)
        return "it has expired, or is not valid yet";
    return NULL;
}

/* NULL: the proof has it. */
static const char *take(struct tls_proof *proof, struct slice bytes, OCSP_BASICRESP *basic)
{
    ASN1_GENERALIZEDTIME *until = NULL;
    const char *fault = fault_of(basic, proof->certificate, &until);
    if (fault != NULL)
        return fault;
    proof->ocsp_until = until != NULL ? ASN1_STRING_dup(until) : NULL;
    proof->ocsp = malloc(bytes.size);
    if (proof->ocsp == NULL || (until != NULL && proof->ocsp_until == NULL)) {
        free(proof->ocsp);
        proof->ocsp = NULL;
        return "out of memory";
    }
    memcpy(proof->ocsp, bytes.data, bytes.size);
    proof->ocsp_size = (int)bytes.size;
    return NULL;
}

static const char *read(struct tls_proof *proof, struct slice bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;
    if (bytes.size > TLS_TEXT_MAX)
        return "it is too large for one";
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)bytes.size);
    OCSP_BASICRESP *basic = response != NULL ? OCSP_response_get1_basic(response) : NULL;
    const char *fault = basic != NULL ? take(proof, bytes, basic) : "it is no answer of an authority's, in DER";
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return fault;
}

void tls_staple_read(struct tls_proof *proof, const struct tls_text *text, const struct log *log)
{
    const char *fault = read(proof, text->bytes);
    ERR_clear_error();
    if (fault != NULL && log != NULL)
        log_write(log, LOG_LEVEL_WARN, "%.*s: this OCSP response is not stapled: %s", (int)text->from.size,
                  text->from.data, fault);
}
