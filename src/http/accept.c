/* Reads Accept fields (RFC 9110 12.5.1) and says what weight they give to a type. Which types there are to choose from
 * is the caller's to know. */
#include "http/accept.h"

enum { WEIGHT_FULL = 1000, WEIGHT_MALFORMED = -1 };

/* How closely a range names a type; beside the whole type, each parameter that it also names adds one. */
enum { NAMES_NOTHING, NAMES_ALL, NAMES_GROUP, NAMES_TYPE };

struct choice {
    int weight;
    unsigned closeness;
};

/* Takes what stands before the next ';' outside quoted strings, trimmed. False at the end. */
static bool next_part(struct slice *rest, struct slice *part)
{
    if (rest->size == 0)
        return false;
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->size && (quoted || rest->data[at] != ';'); at++) {
        if (rest->data[at] == '"')
            quoted = !quoted;
        else if (quoted && rest->data[at] == '\\' && at + 1 < rest->size)
            at++;
    }
    *part = slice_trim(slice_part(*rest, 0, at));
    *rest = slice_skip(*rest, at < rest->size ? at + 1 : at);
    return true;
}

/* RFC 9110 12.4.2: "0" or "1" with up to three decimals, thousandths; -1 where it is not that. */
static int parse_weight(struct slice text)
{
    if (text.size == 0 || text.size > 5 || (text.data[0] != '0' && text.data[0] != '1'))
        return WEIGHT_MALFORMED;
    if (text.size > 1 && text.data[1] != '.')
        return WEIGHT_MALFORMED;
    int weight = (text.data[0] - '0') * WEIGHT_FULL;
    for (size_t i = 2, unit = 100; i < text.size; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return WEIGHT_MALFORMED;
        weight += (text.data[i] - '0') * (int)unit;
    }
    return weight <= WEIGHT_FULL ? weight : WEIGHT_MALFORMED;
}

/* name=value, with no white space around "="; the value a token or a quoted string, which keeps its quotes. */
static bool parse_parameter(struct slice part, struct slice *name, struct slice *value)
{
    size_t equals = slice_find(part, '=');
    if (equals == part.size)
        return false;
    *name = slice_part(part, 0, equals);
    *value = slice_skip(part, equals + 1);
    if (value->size >= 2 && value->data[0] == '"')
        return field_name_valid(*name) && value->data[value->size - 1] == '"';
    return field_name_valid(*name) && field_name_valid(*value);
}

static struct slice unquoted(struct slice value)
{
    return value.data[0] == '"' ? slice_part(value, 1, value.size - 1) : value;
}

/* True where `parameters`, of the type in question, have this one. */
static bool has_parameter(struct slice parameters, struct slice name, struct slice value)
{
    struct slice part, own_name, own_value;
    while (next_part(&parameters, &part))
        if (parse_parameter(part, &own_name, &own_value) && slice_equal_nocase(own_name, name) &&
            slice_equal_nocase(unquoted(own_value), unquoted(value)))
            return true;
    return false;
}

/* How closely the range, without parameters, names the type; false where it is malformed. */
static bool compare_range(struct slice range, struct slice type, unsigned *closeness)
{
    size_t slash = slice_find(range, '/'), type_slash = slice_find(type, '/');
    if (slash == range.size)
        return false;
    struct slice group = slice_part(range, 0, slash), kind = slice_skip(range, slash + 1);
    bool any_group = slice_equal(group, SLICE("*")), any_kind = slice_equal(kind, SLICE("*"));
    if (!field_name_valid(group) || !field_name_valid(kind) || (any_group && !any_kind))
        return false;
    *closeness = NAMES_NOTHING;
    if (any_group)
        *closeness = NAMES_ALL;
    else if (slice_equal_nocase(range, type))
        *closeness = NAMES_TYPE;
    else if (any_kind && slice_equal_nocase(group, slice_part(type, 0, type_slash)))
        *closeness = NAMES_GROUP;
    return true;
}

/* Weighs what stands behind a range: "q" is the weight wherever it stands, anything else has to be among the type's own
 * parameters. A charset is passed over: clients append one to types that have none ("application/json; charset=utf-8"),
 * and mean the type. False where it is malformed. */
static bool judge_parameters(struct slice rest, struct slice own, struct choice *choice)
{
    struct slice part, name, value;
    while (next_part(&rest, &part)) {
        if (part.size == 0)
            continue;
        if (!parse_parameter(part, &name, &value))
            return false;
        if (slice_equal_nocase(name, SLICE("q")))
            choice->weight = parse_weight(value);
        else if (has_parameter(own, name, value))
            choice->closeness += choice->closeness >= NAMES_TYPE;
        else if (!slice_equal_nocase(name, SLICE("charset")))
            choice->closeness = NAMES_NOTHING;
        if (choice->weight == WEIGHT_MALFORMED)
            return false;
    }
    return true;
}

/* What one member of an Accept list says of the type; false where it is malformed. */
static bool judge(struct slice member, struct slice type, struct choice *choice)
{
    struct slice range, bare = { 0 };
    next_part(&type, &bare); /* what is left are the type's own parameters */
    choice->weight = WEIGHT_FULL;
    return next_part(&member, &range) && compare_range(range, bare, &choice->closeness) &&
           judge_parameters(member, type, choice);
}

/* The closest range decides, of equally close ones the heaviest. Where none fits, the type is not welcome; where there
 * is no range at all, everything is. */
static struct choice choose(const struct fields *fields, struct slice type)
{
    struct choice best = { 0, NAMES_NOTHING }, one;
    bool empty = true;
    for (int i = fields_next(fields, FIELD_ACCEPT, 0); i >= 0; i = fields_next(fields, FIELD_ACCEPT, (unsigned)i + 1)) {
        struct slice rest = fields_value(fields, (unsigned)i), member;
        while (list_next(&rest, &member)) {
            empty = false;
            if (!judge(member, type, &one))
                return (struct choice){ WEIGHT_MALFORMED, NAMES_NOTHING };
            if (one.closeness == NAMES_NOTHING)
                continue;
            if (one.closeness > best.closeness || (one.closeness == best.closeness && one.weight > best.weight))
                best = one;
        }
    }
    return empty ? (struct choice){ WEIGHT_FULL, NAMES_NOTHING } : best;
}

int accept_weight(const struct fields *fields, struct slice type)
{
    return choose(fields, type).weight;
}

bool accept_prefers_json(const struct fields *fields)
{
    static const struct slice json[] = { SLICE_INIT("application/json"), SLICE_INIT("application/problem+json") };
    if (!fields_has(fields, FIELD_ACCEPT))
        return false;
    struct choice html = choose(fields, SLICE("text/html"));
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++) {
        struct choice choice = choose(fields, json[i]);
        if (choice.closeness < NAMES_TYPE || choice.weight <= 0)
            continue;
        if (choice.weight > html.weight || (choice.weight == html.weight && html.closeness < NAMES_TYPE))
            return true;
    }
    return false;
}

bool accept_names(const struct fields *fields, struct slice type)
{
    struct slice member, range;
    for (int i = fields_next(fields, FIELD_ACCEPT, 0); i >= 0; i = fields_next(fields, FIELD_ACCEPT, (unsigned)i + 1)) {
        struct slice rest = fields_value(fields, (unsigned)i);
        while (list_next(&rest, &member))
            if (next_part(&member, &range) && slice_equal_nocase(range, type))
                return accept_weight(fields, type) > 0;
    }
    return false;
}
