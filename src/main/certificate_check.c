/* Each is loaded as the server would load it. See certificate_check.h. */
#include "main/certificate_check.h"

#include "server/certificates.h"

static bool is_good(const struct certificate_option *option, struct why why)
{
    const rh_certificate certificate = { option->chain, option->key, option->ocsp };
    const rh_tls_options tls = { .certificates = &certificate, .certificate_count = 1 };
    const struct log silent = { .write = NULL };
    struct tls_slot slot = { NULL };
    struct certificates *certificates = certificates_new(&tls, sizeof certificate, why);
    bool good = certificates && certificates_load(certificates, &slot, &silent, why);
    tls_slot_fini(&slot);
    certificates_free(certificates);
    return good;
}

bool certificate_check(struct options *options)
{
    for (size_t i = 0; i < options->certificate_count; i++) {
        const struct certificate_option *certificate = &options->certificates[i];
        char text[WHY_SIZE] = "";
        if (certificate->origin.kind == ORIGIN_FILE && !is_good(certificate, (struct why){ text, sizeof text }))
            problems_add(&options->problems, certificate->origin.line, "certificate: %s", text);
    }
    return !problems_any(&options->problems);
}
