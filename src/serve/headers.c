/* Reads `_headers` and puts together what holds for a path. What the fields mean is not known here. */
#include "serve/headers.h"

#include "base/array.h"
#include "serve/hosted.h"
#include "serve/rule_field.h"
#include "serve/rule_path.h"

struct block {
    struct rule_path *path;
    unsigned first, count; /* of its lines */
};

struct headers {
    struct block *blocks;
    struct field_pair *lines; /* value NULL: "! Name" */
    unsigned block_count, line_count;
    size_t block_room, line_room;
    char *text; /* the lines lie in it */
};

/* ---- Reading ---- */

void headers_free(struct headers *headers)
{
    if (!headers)
        return;
    for (unsigned i = 0; i < headers->block_count; i++)
        free(headers->blocks[i].path);
    free(headers->blocks);
    free(headers->lines);
    free(headers->text);
    free(headers);
}

static bool check_block(const struct headers *headers, struct slice line, struct why why)
{
    return headers->block_count < HEADERS_BLOCKS_MAX ||
           why_refuse(why, line, "there are %d paths above it, and no more than that", HEADERS_BLOCKS_MAX);
}

/* NULL: `why`. The block stays where it is until the next one begins. */
static struct block *begin_block(struct headers *headers, struct slice line, struct why why)
{
    char text[2 * HOSTED_LINE_MAX];
    struct writer w = writer_on(text, sizeof text);
    if (!check_block(headers, line, why) || !hosted_path(line, &w, why))
        return NULL;
    struct block *blocks = array_grow(headers->blocks, &headers->block_room, headers->block_count, sizeof *blocks);
    if (!blocks) {
        why_refuse(why, SLICE(""), "there is no memory for another path");
        return NULL;
    }
    headers->blocks = blocks;
    struct rule_path *path = rule_path_new(writer_slice(&w), why);
    if (!path)
        return NULL;
    struct block *block = &blocks[headers->block_count++];
    *block = (struct block){ .path = path, .first = headers->line_count };
    return block;
}

static bool read_field(struct slice line, struct field_pair *field, struct why why)
{
    if (line.data[0] != '!')
        return rule_field_parse(line, field, why);
    *field = (struct field_pair){ slice_trim(slice_skip(line, 1)), slice_make(NULL, 0) };
    return rule_field_check_name(field->name, why);
}

static bool add_line(struct headers *headers, struct block *block, struct slice line, struct why why)
{
    struct field_pair field;
    if (!read_field(line, &field, why))
        return false;
    if (headers->line_count == HEADERS_LINES_MAX)
        return why_refuse(why, line, "there are %d fields above it, and no more than that", HEADERS_LINES_MAX);
    struct field_pair *lines = array_grow(headers->lines, &headers->line_room, headers->line_count, sizeof *lines);
    if (!lines)
        return why_refuse(why, SLICE(""), "there is no memory for another field");
    headers->lines = lines;
    lines[headers->line_count++] = field;
    block->count++;
    return true;
}

/* No field's name has a slash in it, so lines need not be indented to be told apart. */
static bool is_path(struct slice line)
{
    return line.data[0] == '/' || slice_starts(line, SLICE("http://")) || slice_starts(line, SLICE("https://"));
}

static void fill(struct headers *headers, struct hosted *file)
{
    struct block *block = NULL;
    bool skipping = false; /* the fields of a path that is wrong go with it */
    struct slice line;
    char text[WHY_SIZE];
    struct why why = { text, sizeof text };

    while (hosted_next(file, &line)) {
        bool good = true;
        if (is_path(line)) {
            block = begin_block(headers, line, why);
            good = block != NULL;
            skipping = !good;
        } else if (block) {
            good = add_line(headers, block, line, why);
        } else if (!skipping) {
            good = why_refuse(why, line, "there is no path above it");
        }
        if (!good)
            hosted_tell(file, "%s", text);
    }
}

static struct headers *make(struct slice text)
{
    struct headers *headers = calloc(1, sizeof *headers);
    if (!headers)
        return NULL;
    headers->text = malloc(text.size + 1);
    if (headers->text) {
        struct writer w = writer_on(headers->text, text.size);
        writer_put(&w, text);
        return headers;
    }
    free(headers);
    return NULL;
}

struct headers *headers_parse(struct slice text, const struct log *log)
{
    struct hosted file;
    struct headers *headers;
    text.size = text.size > HOSTED_SIZE_MAX ? HOSTED_SIZE_MAX + 1 : text.size; /* more is not read */
    headers = make(text);
    if (!headers) {
        log_write(log, LOG_LEVEL_ERROR, "_headers: there is no memory for it");
        return NULL;
    }
    hosted_begin(&file, "_headers", slice_make(headers->text, text.size), log);
    fill(headers, &file);
    if (headers->line_count > 0)
        return headers;
    headers_free(headers);
    return NULL;
}

/* ---- Putting together ---- */

static struct field_pair *find(struct header_set *set, struct slice name)
{
    for (unsigned i = 0; i < set->count; i++)
        if (slice_equal_nocase(set->at[i].name, name))
            return &set->at[i];
    return NULL;
}

static bool append(struct header_set *set, struct field_pair field)
{
    if (set->count == HEADERS_SET_MAX)
        return false;
    set->at[set->count++] = field;
    return true;
}

/* Leaves one of the name, without value, so that it is known to be unwanted. */
static bool detach(struct header_set *set, struct field_pair field)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < set->count; i++)
        if (!slice_equal_nocase(set->at[i].name, field.name))
            set->at[kept++] = set->at[i];
    set->count = kept;
    return append(set, field);
}

static bool join(struct header_set *set, struct field_pair *field, struct slice value)
{
    struct writer w = writer_on(set->text + set->used, sizeof set->text - set->used);
    writer_put(&w, field->value);
    writer_text(&w, ", ");
    writer_put(&w, value);
    if (w.overflowed)
        return false;
    set->used += writer_used(&w);
    field->value = writer_slice(&w);
    return true;
}

static bool merge(struct header_set *set, struct field_pair field)
{
    if (!field.value.data)
        return detach(set, field);
    struct field_pair *before = find(set, field.name);
    if (!before)
        return append(set, field);
    if (before->value.size == 0 || slice_equal_nocase(field.name, SLICE("content-type"))) {
        before->value = field.value;
        return true;
    }
    if (slice_equal_nocase(field.name, SLICE("set-cookie")))
        return append(set, field);
    return field.value.size == 0 || join(set, before, field.value);
}

static bool holds(const struct block *block, struct slice path, uint64_t first)
{
    struct rule_values values;
    return !((first ^ block->path->first) & block->path->mask) && rule_path_match(block->path, path, &values);
}

bool headers_compare(const struct headers *headers, struct slice a, struct slice b)
{
    uint64_t first_a = rule_path_first(a), first_b = rule_path_first(b);
    for (unsigned i = 0; i < headers->block_count; i++)
        if (holds(&headers->blocks[i], a, first_a) != holds(&headers->blocks[i], b, first_b))
            return false;
    return true;
}

bool headers_collect(const struct headers *headers, struct slice path, struct header_set *set)
{
    uint64_t first = rule_path_first(path);
    bool room = true;
    set->count = 0;
    set->used = 0;
    for (unsigned i = 0; i < headers->block_count; i++) {
        const struct block *block = &headers->blocks[i];
        if (!holds(block, path, first))
            continue;
        for (unsigned k = 0; k < block->count; k++)
            room &= merge(set, headers->lines[block->first + k]);
    }
    return room;
}
