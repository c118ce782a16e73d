/* The forms that build tools use, each with what must not be taken for it:
 *
 *     app.3f9ac2d1.js, app-<64 digits>.css, 4bd1b696e7a0c3d2.css   hexadecimal: webpack, Rails, Django, Next, Parcel
 *     chunk-ABCDEF12.js, main-5HJ2KQ7B.css                         eight capitals and digits: esbuild, Angular
 *     index.Bx7k2d9_.css, index-D3kf-9aB.js                        eight of base64url: Vite, Rollup, Astro, SvelteKit
 *     app.1k2j3h4g5f.js                                            base 36 and 62
 *
 * It looks at names alone. */
#include "serve/hashed_name.h"

enum {
    HASH_SIZE_MIN = 8,  /* what tools make by default, and at least */
    HASH_SIZE_MAX = 128,
    HASH_SIZE_SURE = 16 /* so many hexadecimal digits are nothing else */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_upper(c) || is_lower(c);
}

/* ---- What a text is made of ---- */

struct makeup {
    unsigned digits, uppers, lowers, others;
    unsigned beyond_f;     /* letters that are no hexadecimal digits */
    unsigned pieces;       /* runs of letters, cut where capitals begin words: Html, XML, Node, a in "HtmlXMLNode7a" */
    unsigned short_pieces; /* of one or two letters: words are longer */
};

/* A new piece begins at `i`, which is a letter behind another. */
static bool begins_piece(struct slice text, size_t i)
{
    if (!is_upper(text.data[i]))
        return false;
    return is_lower(text.data[i - 1]) || (i + 1 < text.size && is_lower(text.data[i + 1]));
}

static void count_pieces(struct makeup *makeup, struct slice text)
{
    unsigned size = 0;
    for (size_t i = 0; i <= text.size; i++) {
        bool letter = i < text.size && is_letter(text.data[i]);
        if (size > 0 && (!letter || begins_piece(text, i))) {
            makeup->pieces++;
            makeup->short_pieces += size <= 2;
            size = 0;
        }
        size += letter;
    }
}

static struct makeup look_at(struct slice text)
{
    struct makeup makeup = { 0 };
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        makeup.digits += is_digit(c);
        makeup.uppers += is_upper(c);
        makeup.lowers += is_lower(c);
        makeup.others += !is_digit(c) && !is_letter(c);
        makeup.beyond_f += is_letter(c) && ascii_lower(c) > 'f';
    }
    count_pieces(&makeup, text);
    return makeup;
}

/* A day as it is written in names, "20241231", at the front. */
static bool begins_with_day(struct slice text)
{
    unsigned number[8];
    for (unsigned i = 0; i < 8; i++) {
        if (i >= text.size || !is_digit(text.data[i]))
            return false;
        number[i] = (unsigned)(text.data[i] - '0');
    }
    unsigned century = 10 * number[0] + number[1], month = 10 * number[4] + number[5], day = 10 * number[6] + number[7];
    return (century == 19 || century == 20) && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* The months that are written with letters up to f, between digits: "2024dec1". */
static bool has_month(struct slice text)
{
    size_t at = 0;
    while (at < text.size && is_digit(text.data[at]))
        at++;
    struct slice rest = slice_skip(text, at);
    struct slice month = slice_part(rest, 0, rest.size < 3 ? rest.size : 3);
    return slice_equal_nocase(month, SLICE("dec")) || slice_equal_nocase(month, SLICE("feb"));
}

/* ---- The forms ---- */

/* One run of letters that all digits stand before or behind is a word and a number: "cafe2024", "20240101b". */
static bool is_word_and_number(struct slice text, const struct makeup *makeup)
{
    bool at_edge = is_letter(text.data[0]) || is_letter(text.data[text.size - 1]);
    return makeup->pieces == 1 && (at_edge || has_month(text));
}

static bool is_hex(struct slice text, const struct makeup *makeup)
{
    if (makeup->beyond_f > 0 || makeup->others > 0 || makeup->digits < 2 || makeup->pieces == 0)
        return false;
    if (makeup->uppers > 0 && makeup->lowers > 0)
        return false;
    return text.size >= HASH_SIZE_SURE || (!begins_with_day(text) && !is_word_and_number(text, makeup));
}

/* Random letters and digits fall into short pieces. Of both cases two are enough, and only the sizes count that are
 * made: words in camel case, "Rs232ToUsb", have those in between. */
static bool is_random(struct slice text, const struct makeup *makeup)
{
    bool both = makeup->uppers > 0 && makeup->lowers > 0;
    if (both && text.size != HASH_SIZE_MIN && text.size < 12)
        return false;
    return makeup->short_pieces >= (both ? 2 : 3);
}

/* `code`: the file is of a kind that cameras do not make, whose names would be of capitals and digits, too. */
static bool is_mixed(struct slice text, const struct makeup *makeup, bool code)
{
    if (makeup->digits == 0 || makeup->pieces == 0 || begins_with_day(text))
        return false;
    if (ascii_lower(text.data[0]) == 'v' && is_digit(text.data[1]))
        return false; /* a version: "v10rc2b1" */
    if (makeup->others > 0 && (makeup->uppers == 0 || makeup->lowers == 0))
        return false; /* words with dashes between them */
    bool capitals = makeup->lowers == 0 && makeup->others == 0 && text.size == HASH_SIZE_MIN;
    return (capitals && code) || is_random(text, makeup);
}

/* ---- Where they stand ---- */

static bool is_of(struct slice ending, const char *const *list)
{
    for (; *list; list++)
        if (slice_equal_nocase(ending, slice_text(*list)))
            return true;
    return false;
}

static bool is_run(char c)
{
    return is_digit(c) || is_letter(c);
}

/* `end` is where a dot stands. What ends there stands behind a dash or another dot. */
static bool hash_ends_at(struct slice name, size_t end, bool code)
{
    size_t run = end;
    while (run > 0 && is_run(name.data[run - 1]))
        run--;
    size_t eight = end >= HASH_SIZE_MIN ? end - HASH_SIZE_MIN : 0; /* of base64url, in which - and _ are digits, too */
    const size_t starts[] = { run, eight };
    for (unsigned i = 0; i < 2; i++) {
        size_t start = starts[i];
        struct slice text = slice_part(name, start, end);
        if (start == 0 || (name.data[start - 1] != '-' && name.data[start - 1] != '.'))
            continue;
        if (text.size < HASH_SIZE_MIN || text.size > HASH_SIZE_MAX || slice_find(text, '.') < text.size)
            continue;
        struct makeup makeup = look_at(text);
        if (is_mixed(text, &makeup, code))
            return true;
    }
    return false;
}

/* Hexadecimal ones stand anywhere, but in front, where a number of a picture may stand, only if they are long. */
static bool has_hex(struct slice stem)
{
    for (size_t start = 0; start < stem.size;) {
        size_t end = start;
        while (end < stem.size && is_run(stem.data[end]))
            end++;
        struct slice run = slice_part(stem, start, end);
        if (run.size >= (start == 0 ? HASH_SIZE_SURE : HASH_SIZE_MIN) && run.size <= HASH_SIZE_MAX) {
            struct makeup makeup = look_at(run);
            if (is_hex(run, &makeup))
                return true;
        }
        start = end + 1;
    }
    return false;
}

/* 8-4-4-4-12 hexadecimal digits name a thing and not what is in it (RFC 9562). */
static bool has_uuid(struct slice stem)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t at = 0; at + sizeof shape - 1 <= stem.size; at++) {
        size_t i = 0;
        while (shape[i] && (shape[i] == '-' ? stem.data[at + i] == '-' : is_run(stem.data[at + i])))
            i++;
        if (!shape[i])
            return true;
    }
    return false;
}

/* Whether a dot ends one: that before the file's ending, or an earlier one, "main.5HJ2KQ7B.chunk.css". */
static bool has_mixed(struct slice name, size_t last_dot, bool code)
{
    for (size_t i = 0; i <= last_dot; i++)
        if (name.data[i] == '.' && hash_ends_at(name, i, code))
            return true;
    return false;
}

bool hashed_name(struct slice path)
{
    static const char *const codes[] = { "js", "mjs", "cjs", "css", "map", "wasm", NULL };
    static const char *const media[] = { "woff2", "woff", "ttf", "otf", "eot", "svg", "png", "jpg", "jpeg", "gif",
                                         "webp", "avif", "ico", "mp3", "ogg", "mp4", "webm", NULL };
    const char *slash = path.size ? memrchr(path.data, '/', path.size) : NULL;
    struct slice name = slash ? slice_skip(path, (size_t)(slash - path.data) + 1) : path;
    const char *dot = name.size ? memrchr(name.data, '.', name.size) : NULL;
    if (!dot)
        return false;

    size_t last_dot = (size_t)(dot - name.data);
    struct slice ending = slice_skip(name, last_dot + 1), stem = slice_part(name, 0, last_dot);
    bool code = is_of(ending, codes);
    if ((!code && !is_of(ending, media)) || has_uuid(stem))
        return false;
    return has_hex(stem) || has_mixed(name, last_dot, code);
}
