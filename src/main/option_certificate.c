/* See option_certificate.h. */
#include "main/option_certificate.h"

#include "main/option_set.h"

#include <stdlib.h>
#include <string.h>

static const struct option_row *row_of(const char *name)
{
    return option_find(name, strlen(name));
}

bool option_is_secure(const struct options *options)
{
    return options->certificate_count > 0 || options->tls.self_signed;
}

bool option_add_certificate(struct options *options, struct certificate_option certificate)
{
    struct origin *origin = option_origin(options, row_of("tls-cert"));
    if (origin->kind > certificate.origin.kind)
        return true;
    if (origin->kind < certificate.origin.kind)
        options->certificate_count = 0;
    if (options->certificate_count >= OPTIONS_CERTIFICATES_MAX)
        return option_fail(options, "more than %d certificates", OPTIONS_CERTIFICATES_MAX);
    size_t count = options->certificate_count + 1;
    struct certificate_option *grown = reallocarray(options->certificates, count, sizeof *grown);
    if (!grown)
        return option_fail(options, "out of memory");
    options->certificates = grown;
    options->certificates[options->certificate_count++] = certificate;
    *origin = certificate.origin;
    return true;
}

/* The first of this origin that lacks what is at `offset`; NULL: none does. */
static const char **find_gap(struct options *options, size_t offset, struct origin origin)
{
    for (size_t i = 0; i < options->certificate_count; i++) {
        struct certificate_option *certificate = &options->certificates[i];
        const char **place = (const char **)(void *)((char *)certificate + offset);
        if (certificate->origin.kind == origin.kind && *place == NULL)
            return place;
    }
    return NULL;
}

static bool set(struct options *options, struct certificate_option certificate, size_t offset)
{
    const char **gap = find_gap(options, offset, certificate.origin);
    if (!gap)
        return option_add_certificate(options, certificate);
    *gap = *(const char **)(void *)((char *)&certificate + offset);
    return true;
}

bool option_set_certificate(struct options *options, const char *chain, struct origin origin)
{
    return set(options, (struct certificate_option){ .chain = chain, .origin = origin },
               offsetof(struct certificate_option, chain));
}

bool option_set_key(struct options *options, const char *key, struct origin origin)
{
    return set(options, (struct certificate_option){ .key = key, .origin = origin },
               offsetof(struct certificate_option, key));
}

/* ---- All of it ---- */

/* What was said where it counts less gives way. */
static bool settle_self_signed(struct options *options)
{
    const struct origin *made = option_origin(options, row_of("tls-self-signed"));
    const struct origin *given = option_origin(options, row_of("tls-cert"));
    if (!options->tls.self_signed || options->certificate_count == 0)
        return true;
    if (made->kind == given->kind)
        return option_fail(options, "a certificate was named, and one is to be made: leave out --tls-self-signed or "
                           "--tls-cert");
    if (made->kind > given->kind)
        options->certificate_count = 0;
    else
        options->tls.self_signed = false;
    return true;
}

static bool check(struct options *options, const struct certificate_option *certificate)
{
    char label[OPTION_LABEL_SIZE], other[OPTION_LABEL_SIZE];
    return certificate->chain ||
           option_fail(options, "%s: %.200s has no certificate; name its file with %s",
                       option_label(row_of("tls-key"), certificate->origin, label), certificate->key,
                       option_label(row_of("tls-cert"), certificate->origin, other));
}

bool option_settle_certificates(struct options *options)
{
    if (!settle_self_signed(options))
        return false;
    rh_certificate *list = arena_take(&options->memory, (options->certificate_count + 1) * sizeof *list);
    if (!list)
        return option_fail(options, "out of memory");
    for (size_t i = 0; i < options->certificate_count; i++) {
        const struct certificate_option *certificate = &options->certificates[i];
        if (!check(options, certificate))
            return false;
        list[i] = (rh_certificate){ certificate->chain, certificate->key, certificate->ocsp };
    }
    options->tls.certificates = list;
    options->tls.certificate_count = options->certificate_count;
    return true;
}
