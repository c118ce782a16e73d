/* Pseudo fields first, each at most once; then fields, none of which speaks of a connection. In the end what HTTP/1
 * requires of a head is required of it as well, and the host is where handlers look for it: in Host. */
#include "wire/h2_request.h"

#include "wire/h1_framing.h"

#define RARE __attribute__((noinline))

enum { BAD_REQUEST = 400, URI_TOO_LONG = 414, HEAD_TOO_LARGE = 431 };

struct head {
    struct h2_reading *reading;
    struct request *request;
    struct slice authority, path, scheme; /* data NULL: not there */
    uint32_t pseudos;                     /* bit of hpack_pseudo - HPACK_PSEUDO: there was one */
    unsigned cookies;
    bool fields_begun, too_many;
};

static uint32_t pseudo_bit(unsigned id)
{
    return UINT32_C(1) << (id - HPACK_PSEUDO);
}

/* ---- Field by field ------------------------------------------------------------------------------------------ */

static struct slice value_of(const struct head *head, const struct hpack_field *field)
{
    return slice_make(head->reading->text.start + field->at.value, field->at.value_size);
}

static void set_method(struct head *head, const struct hpack_field *field)
{
    enum { STATIC_GET = 2 };
    struct slice name = value_of(head, field);
    head->request->method_name = name;
    head->request->method = field->fixed == STATIC_GET ? METHOD_GET : method_from(name);
}

/* False: malformed. */
static bool take_pseudo(struct head *head, const struct hpack_field *field)
{
    if (head->fields_begun || head->pseudos & pseudo_bit(field->id))
        return false;
    head->pseudos |= pseudo_bit(field->id);
    switch (field->id) {
    case HPACK_METHOD: set_method(head, field); return true;
    case HPACK_PATH: head->path = value_of(head, field); return field->valid;
    case HPACK_SCHEME: head->scheme = value_of(head, field); return true;
    case HPACK_AUTHORITY: head->authority = value_of(head, field); return field->valid;
    default: return false; /* :status, or one that was never agreed on */
    }
}

/* RFC 9113 8.2.2: these spoke of the connection, and whoever sends them may mean another end of the message. */
static bool speaks_of_connection(struct slice name, struct slice value, unsigned id)
{
    switch (id) {
    case FIELD_CONNECTION:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_UPGRADE: return true;
    case FIELD_TE: return !slice_equal_nocase(value, SLICE("trailers"));
    case FIELD_OTHER: return slice_equal(name, SLICE("keep-alive")) || slice_equal(name, SLICE("proxy-connection"));
    default: return false;
    }
}

/* False: malformed. */
static bool take_field(struct head *head, const struct hpack_field *field)
{
    struct fields *fields = &head->request->fields;
    struct slice name = slice_make(head->reading->text.start + field->at.name, field->at.name_size);
    head->fields_begun = true;
    if (!field->valid || speaks_of_connection(name, value_of(head, field), field->id))
        return false;
    if (field->id == FIELD_HOST && fields_has(fields, FIELD_HOST))
        return false;
    if (field->id == FIELD_OTHER && slice_equal(name, SLICE("priority")))
        head->reading->priority = value_of(head, field);
    head->cookies += field->id == FIELD_COOKIE;
    /* One place is left for the Host that :authority becomes. */
    if (fields->count >= head->reading->limits->fields_max || fields->count >= FIELDS_MAX - 1) {
        head->too_many = true;
        return true;
    }
    fields->at[fields->count] = field->at;
    fields_note(fields, fields->count++, field->id);
    return true;
}

static enum h2_read read_on(struct hpack_decode *decode, enum h2_read otherwise)
{
    switch (hpack_decode_skip(decode)) {
    case HPACK_MALFORMED: return H2_READ_BROKEN;
    case HPACK_NO_MEMORY: return H2_READ_NO_MEMORY;
    case HPACK_FIELD:
    case HPACK_END:
    case HPACK_TOO_LARGE: break;
    }
    return otherwise;
}

static enum h2_read refuse(struct head *head, unsigned status)
{
    head->reading->status = status;
    return H2_READ_REFUSED;
}

static enum h2_read read_fields(struct head *head)
{
    struct h2_reading *reading = head->reading;
    struct hpack_decode decode;
    struct hpack_field field;
    enum hpack_result result;
    hpack_decode_begin(&decode, reading->decoder, reading->block, &reading->text);
    while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD) {
        bool good = field.id >= HPACK_PSEUDO ? take_pseudo(head, &field) : take_field(head, &field);
        if (!good)
            return read_on(&decode, H2_READ_MALFORMED);
    }
    switch (result) {
    case HPACK_MALFORMED: return H2_READ_BROKEN;
    case HPACK_NO_MEMORY: return H2_READ_NO_MEMORY;
    case HPACK_TOO_LARGE: return refuse(head, HEAD_TOO_LARGE);
    case HPACK_FIELD:
    case HPACK_END: break;
    }
    return head->too_many ? refuse(head, HEAD_TOO_LARGE) : H2_READ_WHOLE;
}

/* ---- The whole head ------------------------------------------------------------------------------------------ */

/* RFC 9113 8.2.3: a client may send its cookies one by one, of which one field is made again. The others are taken
 * out. False: no room. */
static RARE bool join_cookies(struct head *head)
{
    struct fields *fields = &head->request->fields;
    struct writer *text = &head->reading->text;
    size_t begin = writer_used(text);
    unsigned count = fields->count, first = fields->first[FIELD_COOKIE];
    fields->count = 0;
    fields->present = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned id = fields->id[i];
        if (id == FIELD_COOKIE) {
            if (i > first)
                writer_put(text, SLICE("; "));
            writer_put(text, fields_value(fields, i));
        }
        if (id == FIELD_COOKIE && i > first)
            continue;
        fields->at[fields->count] = fields->at[i];
        fields_note(fields, fields->count++, (enum field_id)id);
    }
    struct field *cookie = &fields->at[fields->first[FIELD_COOKIE]];
    if (text->overflowed)
        return false;
    cookie->value = (uint16_t)begin;
    cookie->value_size = (uint16_t)(writer_used(text) - begin);
    return true;
}

/* What :authority says goes where HTTP/1 has it. It lies in the text; the name does since the beginning. */
static void add_host(struct head *head)
{
    struct fields *fields = &head->request->fields;
    fields->at[fields->count] = (struct field){
        .name = 0, .name_size = sizeof "host" - 1,
        .value = (uint16_t)(head->authority.data - fields->base), .value_size = (uint16_t)head->authority.size };
    fields_note(fields, fields->count++, FIELD_HOST);
}

/* 8.3.1: where both are there they must not say different things. */
static bool hosts_agree(const struct head *head)
{
    const struct fields *fields = &head->request->fields;
    return head->authority.data == NULL || !fields_has(fields, FIELD_HOST) ||
           slice_equal_nocase(head->authority, fields_get(fields, FIELD_HOST));
}

/* 8.3.1, 8.5. */
static bool pseudos_right(const struct head *head)
{
    uint32_t all = pseudo_bit(HPACK_METHOD) | pseudo_bit(HPACK_SCHEME) | pseudo_bit(HPACK_PATH);
    if (head->request->method == METHOD_CONNECT)
        return head->pseudos == (pseudo_bit(HPACK_METHOD) | pseudo_bit(HPACK_AUTHORITY));
    return (head->pseudos & all) == all && head->path.size > 0;
}

/* How many bytes at the front are plain in a path: see target_parse_from. */
static size_t plain_size(struct slice path)
{
    size_t at = 0;
    for (;;) {
        at += char_run(slice_skip(path, at), CHAR_PATH);
        if (at == path.size || path.data[at] != '.' || at == 0 || path.data[at - 1] == '/')
            return at;
        at++;
    }
}

/* Neither the absolute form nor the authority's is one of :path's. */
static bool set_target(struct request *request, struct slice raw)
{
    size_t plain = plain_size(raw);
    request->raw_target = raw;
    request->path = slice_make(NULL, 0);
    bool slash = raw.data[0] == '/';
    if (slash && plain == raw.size) {
        target_set_plain(&request->target, raw);
        request->path = raw;
        return true;
    }
    bool other = request->method == METHOD_CONNECT || slice_equal(raw, SLICE("*"));
    return (slash || other) && char_run(raw, CHAR_QUERY) == raw.size &&
           target_parse_from(&request->target, raw, request->method, plain);
}

/* Of others there is nothing here. */
static bool scheme_right(const struct head *head)
{
    struct slice scheme = head->scheme;
    return scheme.data == NULL || slice_equal(scheme, SLICE("https")) || slice_equal(scheme, SLICE("http")) ||
           slice_equal_nocase(scheme, SLICE("https")) || slice_equal_nocase(scheme, SLICE("http"));
}

static bool method_valid(const struct request *request)
{
    return request->method != METHOD_OTHER || field_name_valid(request->method_name);
}

static bool host_right(const struct request *request)
{
    return fields_has(&request->fields, FIELD_HOST) && authority_valid(fields_get(&request->fields, FIELD_HOST));
}

static void begin(struct head *head, struct h2_reading *reading, struct request *request)
{
    reading->priority = slice_make(NULL, 0);
    writer_put(&reading->text, field_name(FIELD_HOST));
    request->version = 20;
    request->persistent = true;
    request->method = METHOD_OTHER;
    request->method_name = request->raw_target = request->path = slice_make(NULL, 0);
    request->target = (struct target){ .form = TARGET_ORIGIN };
    fields_reset(&request->fields, reading->text.start);
    *head = (struct head){ .reading = reading, .request = request };
}

static enum h2_read judge(struct head *head, struct exchange *exchange)
{
    struct request *request = head->request;
    bool tunnel = request->method == METHOD_CONNECT;
    struct slice raw = tunnel ? head->authority : head->path;
    if (!pseudos_right(head) || !hosts_agree(head))
        return H2_READ_MALFORMED;
    if (head->cookies > 1 && !join_cookies(head))
        return refuse(head, HEAD_TOO_LARGE);
    if (head->authority.data != NULL && !fields_has(&request->fields, FIELD_HOST))
        add_host(head);
    if (raw.size > head->reading->limits->request_line_max)
        return refuse(head, URI_TOO_LONG);
    if (raw.size == 0 || !method_valid(request))
        return H2_READ_MALFORMED;
    if (!set_target(request, raw) || !host_right(request) || !scheme_right(head))
        return refuse(head, BAD_REQUEST);
    unsigned status = exchange_place_path(exchange);
    return status != 0 ? refuse(head, status) : H2_READ_WHOLE;
}

enum h2_read h2_request_read(struct h2_reading *reading, struct exchange *exchange)
{
    struct head head;
    begin(&head, reading, &exchange->request);
    enum h2_read read = read_fields(&head);
    if (read == H2_READ_WHOLE)
        read = judge(&head, exchange);
    if (exchange->request.raw_target.data == NULL)
        exchange->request.raw_target = head.path; /* for the log, whatever is wrong with the rest */
    exchange->head_size = (uint32_t)writer_used(&reading->text);
    return read;
}

enum h2_read h2_trailers_read(struct h2_reading *reading)
{
    struct hpack_decode decode;
    struct hpack_field field;
    enum hpack_result result;
    hpack_decode_begin(&decode, reading->decoder, reading->block, &reading->text);
    while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD)
        if (field.id >= HPACK_PSEUDO || !field.valid)
            return read_on(&decode, H2_READ_MALFORMED);
    switch (result) {
    case HPACK_MALFORMED: return H2_READ_BROKEN;
    case HPACK_NO_MEMORY: return H2_READ_NO_MEMORY;
    case HPACK_TOO_LARGE: return H2_READ_MALFORMED;
    case HPACK_FIELD:
    case HPACK_END: break;
    }
    return H2_READ_WHOLE;
}
