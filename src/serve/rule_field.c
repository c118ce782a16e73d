/* Reads "Name: value", and knows which fields are not for a rule to set because the server makes them from what it
 * sends. What becomes of the others is not known here. */
#include "serve/rule_field.h"

#include "http/fields.h"

/* The name is a token, and no more is wrong with it than that it is taken. */
static const char *reserved(struct slice name)
{
    static const char framing[] = "it says how the message is sent, which the server decides";
    static const char described[] = "it follows from the file that is sent, so the server writes it itself";
    static const struct {
        struct slice name;
        const char *why;
    } table[] = {
        { SLICE_INIT("connection"), framing },
        { SLICE_INIT("content-length"), framing },
        { SLICE_INIT("keep-alive"), framing },
        { SLICE_INIT("proxy-connection"), framing },
        { SLICE_INIT("te"), framing },
        { SLICE_INIT("trailer"), framing },
        { SLICE_INIT("transfer-encoding"), framing },
        { SLICE_INIT("upgrade"), framing },
        { SLICE_INIT("accept-ranges"), described },
        { SLICE_INIT("content-encoding"), described },
        { SLICE_INIT("content-range"), described },
        { SLICE_INIT("etag"), described },
        { SLICE_INIT("last-modified"), described },
        { SLICE_INIT("date"), "the server writes it itself" },
        { SLICE_INIT("location"), "to send the client elsewhere write a redirect" },
        { SLICE_INIT("server"), "the server writes it itself, or leaves it out, as an option says" },
        { SLICE_INIT("www-authenticate"), "to ask for a password write basic_auth" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (slice_equal_nocase(name, table[i].name))
            return table[i].why;
    return NULL;
}

bool rule_field_check_name(struct slice name, struct why why)
{
    if (name.size == 0)
        return why_refuse(why, SLICE(""), "a field has a name; write for example X-Frame-Options: DENY");
    if (!field_name_valid(name))
        return why_refuse(why, name, "a field's name has no spaces and no marks but a few such as - and _");
    const char *reason = reserved(name);
    return !reason || why_refuse(why, name, "%s", reason);
}

bool rule_field_parse(struct slice line, struct field_pair *field, struct why why)
{
    size_t colon = slice_find(line, ':');
    if (line.size > RULE_FIELD_SIZE_MAX)
        return why_refuse(why, slice_part(line, 0, 40), "the field is longer than %d bytes", RULE_FIELD_SIZE_MAX);
    if (colon == line.size)
        return why_refuse(why, line, "a field is a name and a value; write for example X-Frame-Options: DENY");

    field->name = slice_trim(slice_part(line, 0, colon));
    field->value = slice_trim(slice_skip(line, colon + 1));
    if (!rule_field_check_name(field->name, why))
        return false;
    return field_value_valid(field->value) ||
           why_refuse(why, field->name, "there is a control character in the value");
}
