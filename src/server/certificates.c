/* Files become texts, texts become a context. See certificates.h. */
#include "server/certificates.h"

#include "base/clock.h"

#include <stdlib.h>

enum { CHAIN, KEY, OCSP };
enum { NAMES_SIZE = 200 };

static struct tls_text text_of(const struct kept_files *kept, unsigned place)
{
    const char *path = kept->files.paths[place];
    return (struct tls_text){ kept->texts.at[place], slice_text(path ? path : "") };
}

static struct tls_certificate certificate_of(const struct kept_files *kept)
{
    return (struct tls_certificate){ text_of(kept, CHAIN), text_of(kept, KEY), text_of(kept, OCSP) };
}

static struct tls_certificate self_signed(const struct certificates *certificates)
{
    struct slice from = SLICE("the certificate for development");
    return (struct tls_certificate){ .chain = { slice_text(certificates->made.chain), from },
                                     .key = { slice_text(certificates->made.key), from } };
}

/* Of all that is good at the moment. */
static struct tls_context *make_context(struct certificates *certificates, struct why why)
{
    struct tls_settings settings = certificates->settings;
    for (unsigned i = 0; i < settings.certificate_count; i++)
        certificates->given[i] = certificates->self_signed ? self_signed(certificates)
                                                           : certificate_of(&certificates->kept[i]);
    settings.certificates = certificates->given;
    settings.client_ca = text_of(&certificates->client_ca, 0);
    settings.log = certificates->log;
    return tls_context_new(&settings, why);
}

static void publish(struct certificates *certificates, struct tls_context *context)
{
    atomic_store(&certificates->expires_s, tls_context_expires(context));
    tls_slot_publish(certificates->slot, context, certificates->qsbr);
}

/* ---- The keys of tickets ---- */

static bool set_ticket_keys(const struct certificates *certificates, const struct file_texts *texts, struct why why)
{
    const struct slice bytes = texts->at[0];
    size_t count = bytes.size / sizeof(struct tls_ticket_key);
    if (bytes.size % sizeof(struct tls_ticket_key) != 0 || count == 0 || count > TLS_TICKET_KEYS_MAX)
        return why_refuse(why, slice_text(certificates->ticket_keys.files.paths[0]),
                          "%zu bytes; each key has %zu, up to %d of them: openssl rand 80 makes one", bytes.size,
                          sizeof(struct tls_ticket_key), TLS_TICKET_KEYS_MAX);
    struct tls_ticket_key keys[TLS_TICKET_KEYS_MAX];
    memcpy(keys, bytes.data, bytes.size);
    tls_tickets_set(certificates->settings.tickets, keys, (unsigned)count);
    explicit_bzero(keys, sizeof keys);
    return true;
}

/* ---- At first ---- */

static bool read_kept(struct kept_files *kept, struct why why)
{
    bool read = file_set_read(&kept->files, &kept->texts, why);
    file_set_settle(&kept->files);
    return read;
}

/* It is used all the same: whoever can read it now has had the time to. */
static void warn_of_open_key(const struct certificates *certificates, const char *path)
{
    if (path && file_is_open_to_all(path))
        log_write(certificates->log, LOG_LEVEL_WARN, "%s: everybody on this machine can read or write this secret; "
                  "chmod o= %s, and think of a new one", path, path);
}

static void warn_of_open_keys(const struct certificates *certificates)
{
    for (unsigned i = 0; !certificates->self_signed && i < certificates->settings.certificate_count; i++)
        warn_of_open_key(certificates, certificates->kept[i].files.paths[KEY]);
    warn_of_open_key(certificates, certificates->ticket_keys.files.paths[0]);
}

static bool read_all(struct certificates *certificates, struct why why)
{
    bool read = !certificates->self_signed || tls_self_signed(&certificates->made, why);
    for (unsigned i = 0; read && !certificates->self_signed && i < certificates->settings.certificate_count; i++)
        read = read_kept(&certificates->kept[i], why);
    return read && read_kept(&certificates->client_ca, why) && read_kept(&certificates->ticket_keys, why);
}

bool certificates_load(struct certificates *certificates, struct tls_slot *slot, const struct log *log, struct why why)
{
    certificates->slot = slot;
    certificates->log = log;
    if (!tls_is_built)
        return tls_context_new(&certificates->settings, why) != NULL; /* it says why */
    certificates->settings.tickets = tls_tickets_new();
    if (!certificates->settings.tickets)
        return why_refuse(why, SLICE("TLS"), "there are no random bytes, or no memory, for a ticket key");
    if (!read_all(certificates, why))
        return false;
    if (certificates->ticket_keys.files.paths[0] &&
        !set_ticket_keys(certificates, &certificates->ticket_keys.texts, why))
        return false;
    struct tls_context *context = make_context(certificates, why);
    if (!context)
        return false;
    publish(certificates, context);
    warn_of_open_keys(certificates);
    return true;
}

/* ---- Later ---- */

static bool refuse(struct certificates *certificates, const char *why)
{
    atomic_fetch_add(&certificates->refused, 1);
    log_write(certificates->log, LOG_LEVEL_ERROR, "%s; what was used before is still used", why);
    return false;
}

/* What was read, if something has changed and has held still meanwhile. False: there is nothing of that. */
static bool read_changed(struct certificates *certificates, struct kept_files *kept, struct file_texts *fresh)
{
    char text[WHY_SIZE] = "";
    if (!file_set_changed(&kept->files))
        return false;
    bool read = file_set_read(&kept->files, fresh, (struct why){ text, sizeof text });
    if (!file_set_held_still(&kept->files)) {
        if (read)
            file_texts_free(fresh);
        return false;
    }
    file_set_settle(&kept->files);
    return read || refuse(certificates, text);
}

/* Takes the fresh texts, or leaves those that were there. */
static void settle(struct kept_files *kept, struct file_texts *fresh, bool good)
{
    struct file_texts dropped = good ? kept->texts : *fresh;
    if (good)
        kept->texts = *fresh;
    file_texts_free(&dropped);
}

static void tell(const struct certificates *certificates, const struct kept_files *kept,
                 const struct tls_context *context)
{
    char names[NAMES_SIZE], until[CLOCK_DATE_SIZE + 1] = "";
    tls_context_names(context, names, sizeof names);
    clock_format_date(tls_context_expires(context), until);
    log_write(certificates->log, LOG_LEVEL_INFO, "%s: this certificate is used from now on; for %s, until %s",
              kept->files.paths[CHAIN], names, until);
}

/* A context of its own tells whether it is good, whatever becomes of the others. */
static bool try_certificate(const struct certificates *certificates, const struct kept_files *kept, struct why why)
{
    const struct tls_certificate given = certificate_of(kept);
    struct tls_settings settings = certificates->settings;
    settings.certificates = &given;
    settings.certificate_count = 1;
    settings.client_ca = text_of(&certificates->client_ca, 0);
    settings.tickets = NULL;
    struct tls_context *context = tls_context_new(&settings, why);
    if (context)
        tell(certificates, kept, context);
    tls_context_unref(context);
    return context != NULL;
}

static bool take_certificate(struct certificates *certificates, struct kept_files *kept)
{
    struct kept_files next = { .files = kept->files };
    char text[WHY_SIZE] = "";
    if (!read_changed(certificates, kept, &next.texts))
        return false;
    bool good = try_certificate(certificates, &next, (struct why){ text, sizeof text });
    settle(kept, &next.texts, good);
    warn_of_open_key(certificates, kept->files.paths[KEY]);
    return good || refuse(certificates, text);
}

static bool take_client_ca(struct certificates *certificates)
{
    struct kept_files *kept = &certificates->client_ca;
    struct kept_files before = *kept;
    struct file_texts fresh;
    char text[WHY_SIZE] = "";
    if (!read_changed(certificates, kept, &fresh))
        return false;
    kept->texts = fresh;
    struct tls_context *context = make_context(certificates, (struct why){ text, sizeof text });
    kept->texts = before.texts;
    settle(kept, &fresh, context != NULL);
    tls_context_unref(context);
    if (!context)
        return refuse(certificates, text);
    log_write(certificates->log, LOG_LEVEL_INFO, "%s: whom this names is trusted from now on", kept->files.paths[0]);
    return true;
}

/* Contexts share the tickets, so no other one is needed. */
static void take_ticket_keys(struct certificates *certificates)
{
    struct kept_files *kept = &certificates->ticket_keys;
    struct file_texts fresh;
    char text[WHY_SIZE] = "";
    if (!read_changed(certificates, kept, &fresh))
        return;
    bool good = set_ticket_keys(certificates, &fresh, (struct why){ text, sizeof text });
    settle(kept, &fresh, good);
    warn_of_open_key(certificates, kept->files.paths[0]);
    if (!good)
        refuse(certificates, text);
    else
        atomic_fetch_add(&certificates->taken, 1);
}

/* What is good by itself fails together only for lack of memory: then it is tried again. */
static void publish_taken(struct certificates *certificates)
{
    char text[WHY_SIZE] = "";
    struct tls_context *context = make_context(certificates, (struct why){ text, sizeof text });
    certificates->stale = !context;
    if (!context) {
        refuse(certificates, text);
        return;
    }
    publish(certificates, context);
    atomic_fetch_add(&certificates->taken, 1);
}

void certificates_look(struct certificates *certificates)
{
    bool taken = certificates->stale;
    for (unsigned i = 0; !certificates->self_signed && i < certificates->settings.certificate_count; i++)
        taken |= take_certificate(certificates, &certificates->kept[i]);
    taken |= take_client_ca(certificates);
    take_ticket_keys(certificates);
    if (taken)
        publish_taken(certificates);
}
