/* What a program says about TLS (rh_tls_options), checked and copied; and the end of what was made of it. No file is
 * opened here. */
#include "server/certificates.h"

#include "server/sized.h"

#include <stdlib.h>

enum { MEMORY_MAX = 16 << 20 };

static bool run_out(struct why why)
{
    return why_refuse(why, SLICE(""), "out of memory");
}

/* With a NUL behind it. */
static bool copy(struct certificates *certificates, const char **place, const char *text, struct why why)
{
    *place = text ? arena_copy(&certificates->memory, slice_make(text, strlen(text) + 1)).data : NULL;
    return !text || *place || run_out(why);
}

/* ---- Words ---- */

static bool read_version(struct tls_settings *settings, const char *text, struct why why)
{
    settings->version_min = text && strcmp(text, "1.3") == 0 ? TLS_VERSION_1_3 : TLS_VERSION_1_2;
    return !text || settings->version_min == TLS_VERSION_1_3 || strcmp(text, "1.2") == 0 ||
           why_refuse(why, SLICE("min_version"), "\"%s\"; write \"1.2\" or \"1.3\"", text);
}

static bool read_clients(struct tls_settings *settings, const rh_tls_options *options, struct why why)
{
    static const char *const words[] = { [TLS_CLIENTS_OFF] = "off", [TLS_CLIENTS_OPTIONAL] = "optional",
                                         [TLS_CLIENTS_REQUIRED] = "required" };
    const char *text = options->client_certificate ? options->client_certificate : "off";
    unsigned place = 0, count = sizeof words / sizeof words[0];
    while (place < count && strcmp(words[place], text) != 0)
        place++;
    if (place == count)
        return why_refuse(why, SLICE("client_certificate"), "\"%s\"; write \"off\", \"optional\" or \"required\"",
                          text);
    settings->clients = (enum tls_clients)place;
    if (settings->clients != TLS_CLIENTS_OFF && !options->client_ca)
        return why_refuse(why, SLICE("client_certificate"), "it needs client_ca, the file that says whose are good");
    return settings->clients != TLS_CLIENTS_OFF || !options->client_ca ||
           why_refuse(why, SLICE("client_ca"), "no client is asked for a certificate; set client_certificate to "
                      "\"optional\" or \"required\"");
}

static bool read_settings(struct certificates *certificates, const rh_tls_options *options, struct why why)
{
    struct tls_settings *settings = &certificates->settings;
    return read_version(settings, options->min_version, why) && read_clients(settings, options, why) &&
           copy(certificates, &settings->ciphers, options->ciphers, why) &&
           copy(certificates, &settings->ciphersuites, options->ciphersuites, why) &&
           copy(certificates, &settings->groups, options->groups, why) &&
           copy(certificates, &certificates->client_ca.files.paths[0], options->client_ca, why) &&
           copy(certificates, &certificates->ticket_keys.files.paths[0], options->ticket_keys, why);
}

/* ---- Certificates ---- */

static bool check_count(const rh_tls_options *options, struct why why)
{
    if (options->self_signed && options->certificate_count > 0)
        return why_refuse(why, SLICE("self_signed"), "there are certificates, and one is enough: leave out one or the "
                          "other");
    if (!options->self_signed && options->certificate_count == 0)
        return why_refuse(why, SLICE("certificates"), "there is none; name the files of one and of its key, or set "
                          "self_signed");
    return options->certificate_count <= TLS_CERTIFICATES_MAX ||
           why_refuse(why, SLICE("certificates"), "there are more than %d", TLS_CERTIFICATES_MAX);
}

static bool read_certificate(struct certificates *certificates, struct kept_files *kept, const rh_certificate *given,
                             struct why why)
{
    const char **paths = kept->files.paths;
    if (!given->chain)
        return why_refuse(why, SLICE("certificates"), "one of them names no file");
    return copy(certificates, &paths[0], given->chain, why) &&
           copy(certificates, &paths[1], given->key ? given->key : given->chain, why) &&
           copy(certificates, &paths[2], given->ocsp, why);
}

static bool read_certificates(struct certificates *certificates, const rh_tls_options *options, size_t size,
                              struct why why)
{
    unsigned count = options->self_signed ? 1 : (unsigned)options->certificate_count;
    certificates->settings.certificate_count = count;
    certificates->self_signed = options->self_signed;
    certificates->kept = calloc(count, sizeof *certificates->kept);
    certificates->given = calloc(count, sizeof *certificates->given);
    if (!certificates->kept || !certificates->given)
        return run_out(why);
    for (size_t i = 0; i < options->certificate_count; i++) {
        rh_certificate known;
        if (!sized_read(&known, sizeof known, (const char *)options->certificates + i * size, size))
            return why_refuse(why, SLICE("certificates"), "one of them sets " SIZED_UNKNOWN);
        if (!read_certificate(certificates, &certificates->kept[i], &known, why))
            return false;
    }
    return true;
}

struct certificates *certificates_new(const rh_tls_options *options, size_t certificate_size, struct why why)
{
    struct certificates *certificates = check_count(options, why) ? calloc(1, sizeof *certificates) : NULL;
    if (!certificates)
        return NULL;
    certificates->bell_fd = -1;
    certificates->look_ms = CERTIFICATES_LOOK_MS;
    certificates->rotate_ms = CERTIFICATES_ROTATE_MS;
    arena_init(&certificates->memory, certificates->first, sizeof certificates->first, MEMORY_MAX);
    if (read_settings(certificates, options, why) &&
        read_certificates(certificates, options, certificate_size, why))
        return certificates;
    certificates_free(certificates);
    return NULL;
}

/* ---- The end ---- */

void certificates_free(struct certificates *certificates)
{
    if (!certificates)
        return;
    for (unsigned i = 0; certificates->kept && i < certificates->settings.certificate_count; i++)
        file_texts_free(&certificates->kept[i].texts);
    file_texts_free(&certificates->client_ca.texts);
    file_texts_free(&certificates->ticket_keys.texts);
    tls_pair_free(&certificates->made);
    tls_tickets_unref(certificates->settings.tickets);
    arena_give_back(&certificates->memory);
    free(certificates->kept);
    free(certificates->given);
    free(certificates);
}
