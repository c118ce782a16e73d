/* A number and two words. See hsts.h. */
#include "http/hsts.h"

#include "http/session.h"

struct policy {
    uint64_t age; /* seconds */
    bool subdomains, preload;
};

/* The next of the words, which spaces, commas and semicolons separate: it is written both as an option and as a
 * field. */
static bool next(struct slice *rest, struct slice *word)
{
    static const char between[] = " \t,;";
    size_t size = 0;
    while (rest->size > 0 && memchr(between, rest->data[0], sizeof between - 1))
        *rest = slice_skip(*rest, 1);
    while (size < rest->size && !memchr(between, rest->data[size], sizeof between - 1))
        size++;
    *word = slice_part(*rest, 0, size);
    *rest = slice_skip(*rest, size);
    return size > 0;
}

static bool read_age(struct slice word, struct policy *policy, struct why why)
{
    static const struct slice label = SLICE_INIT("max-age=");
    struct slice number = word;
    if (word.size > label.size && slice_equal_nocase(slice_part(word, 0, label.size), label))
        number = slice_skip(word, label.size);
    if (!slice_uint(number, &policy->age))
        return why_refuse(why, word, "seconds come first; write for example 31536000, which is a year");
    return policy->age <= HSTS_AGE_MAX || why_refuse(why, word, "that is more than a hundred years of seconds");
}

static bool read_word(struct slice word, struct policy *policy, struct why why)
{
    bool *flag = slice_equal_nocase(word, SLICE("includeSubDomains")) ? &policy->subdomains
                 : slice_equal_nocase(word, SLICE("preload"))         ? &policy->preload
                                                                      : NULL;
    if (!flag)
        return why_refuse(why, word, "behind the seconds only includeSubDomains and preload can stand");
    if (*flag)
        return why_refuse(why, word, "it stands there twice");
    *flag = true;
    return true;
}

bool hsts_parse(struct slice text, struct writer *value, struct why why)
{
    struct policy policy = { 0 };
    struct slice word;
    if (!next(&text, &word))
        return why_refuse(why, SLICE(""), "there are no seconds; write for example 31536000, which is a year");
    if (!read_age(word, &policy, why))
        return false;
    while (next(&text, &word))
        if (!read_word(word, &policy, why))
            return false;
    writer_text(value, "max-age=");
    writer_uint(value, policy.age);
    writer_text(value, policy.subdomains ? "; includeSubDomains" : "");
    writer_text(value, policy.preload ? "; preload" : "");
    return true;
}

bool hsts_owed(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;
    const struct field_pair *fields = response->answer ? response->answer->fields : response->fields;
    unsigned count = response->answer ? response->answer->field_count : response->field_count;
    bool owed = exchange->session && exchange->session->secure;
    for (unsigned i = 0; owed && i < count; i++)
        owed = !slice_equal_nocase(fields[i].name, SLICE(HSTS_NAME));
    return owed;
}
