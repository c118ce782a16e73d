/* See config_certificate.h. */
#include "main/config_certificate.h"

#include "main/config_part.h"
#include "main/option_certificate.h"
#include "main/option_set.h"

/* NULL where there is none. */
static const char *take_path(struct part *part, const char *key)
{
    struct found found = part_find(part, key, 0);
    if (found.text && found.text[0] == '\0') {
        part_refuse(part, found.line, key, "the value is empty; it needs FILE");
        return NULL;
    }
    const char *path = found.text ? option_keep_path(part->options, found.text) : NULL;
    part->failed |= found.text && !path;
    return path;
}

static void take(struct part *part)
{
    const char *title = part_title(part);
    const char *chain = part->failed ? NULL : option_keep_path(part->options, title);
    const char *key = take_path(part, "key"), *ocsp = take_path(part, "ocsp");
    part->failed |= !chain;
    if (part->failed)
        return;
    if (title[0] == '\0')
        part_refuse(part, part->line, "certificate", "it has no name; write that of its file, \"fullchain.pem\"");
    else if (!option_add_certificate(part->options, (struct certificate_option){
                 .chain = chain, .key = key, .ocsp = ocsp, .origin = { .kind = ORIGIN_FILE, .line = part->line } }))
        problems_add(&part->options->problems, part->line, "%s", part->options->problem);
    part->options->problem[0] = '\0'; /* it is among the problems */
}

bool config_certificates_take(struct options *options, cfg_t *cfg)
{
    size_t count = cfg_size(cfg, "certificate");
    struct part part = { .options = options };
    for (size_t i = 0; !part.failed && i < count; i++) {
        part.cfg = cfg_getnsec(cfg, "certificate", (unsigned)i);
        take(&part);
    }
    return !part.failed;
}
