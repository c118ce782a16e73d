/* What is said with a page: by good sense, by `_headers`, by a rule, and which of them has the last word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "serve/dress.h"

static const struct log silent;
static const struct slice absent = { NULL, 0 };
static struct rules *rules;
static struct headers *headers;
static struct dress dress;

static int end(void **state)
{
    (void)state;
    rules_free(rules);
    headers_free(headers);
    rules = NULL;
    headers = NULL;
    return 0;
}

static void rule_of(const struct rule_spec *spec)
{
    char buffer[WHY_SIZE];
    rules_free(rules);
    rules = rules_new();
    assert_non_null(rules);
    if (!rules_add(rules, spec, (struct why){ buffer, sizeof buffer }))
        fail_msg("%s", buffer);
}

static void headers_of(const char *text)
{
    headers_free(headers);
    headers = headers_parse(slice_text(text), &silent);
    assert_non_null(headers);
}

static void put_on(const char *path, struct slice origin)
{
    struct wardrobe wardrobe = { rules, headers };
    struct slice at = slice_text(path);
    memset(&dress, 0xee, sizeof dress); /* as a stack is */
    dress_page(&dress, &wardrobe, &(struct occasion){ dress_rule(&wardrobe, at), at, at, origin });
}

static void is(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_text(text)))
        fail_msg("\"%.*s\" instead of \"%s\"", (int)slice.size, slice.data, text);
}

/* Names and values in turn, in their order. */
static void check(const char *const *expected)
{
    unsigned i = 0;
    for (; expected[2 * i]; i++) {
        if (i == dress.count)
            fail_msg("no %s", expected[2 * i]);
        is(dress.fields[i].name, expected[2 * i]);
        is(dress.fields[i].value, expected[2 * i + 1]);
    }
    if (dress.count != i)
        fail_msg("%.*s, too", (int)dress.fields[i].name.size, dress.fields[i].name.data);
}

#define HAS(...) check((const char *[]){ __VA_ARGS__ __VA_OPT__(,) NULL })
#define NOSNIFF "X-Content-Type-Options", "nosniff"

static void varies_by(const char *const *expected)
{
    unsigned i = 0;
    for (; expected[i]; i++) {
        assert_true(i < dress.vary_count);
        is(dress.vary[i], expected[i]);
    }
    assert_int_equal(dress.vary_count, i);
}

#define VARIES_BY(...) varies_by((const char *[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

/* ---- One source ------------------------------------------------------------------------------------------------ */

static void good_sense(void **state)
{
    (void)state;
    put_on("/a.css", absent);
    is(dress.type, "");
    is(dress.cache_control, "no-cache");
    VARIES_BY();
    HAS(NOSNIFF);
    put_on("/assets/app-3f9a1c7be2d04856.js", absent);
    is(dress.cache_control, "public, max-age=31536000, immutable");
}

/* A page that answers in the place of what was asked for, which a cache shall not keep for a year. */
static void good_sense_goes_by_the_page(void **state)
{
    const struct slice hashed = SLICE("/assets/app-3f9a1c7be2d04856.js"), plain = SLICE("/index.html");
    struct wardrobe none = { NULL, NULL };
    (void)state;
    dress_page(&dress, &none, &(struct occasion){ .page = plain, .path = hashed });
    is(dress.cache_control, "no-cache");
    dress_page(&dress, &none, &(struct occasion){ .page = hashed, .path = plain });
    is(dress.cache_control, "public, max-age=31536000, immutable");
    headers_of("/assets*\n  X-A: asked for\n/index.html\n  X-A: answers\n");
    none.headers = headers;
    dress_page(&dress, &none, &(struct occasion){ .page = plain, .path = hashed });
    HAS(NOSNIFF, "X-A", "asked for");
}

/* A cache that many share must not give it to those who have no password, unless the rule says so. */
static void what_a_password_guards_is_private(void **state)
{
    const char *hashed = "/assets/app-3f9a1c7be2d04856.js";
    (void)state;
    rule_of(&(struct rule_spec){ .path = SLICE("/assets/*"), .basic_auth = SLICE("htpasswd") });
    put_on(hashed, absent);
    is(dress.cache_control, "private, max-age=31536000, immutable");
    put_on("/assets/a.css", absent);
    is(dress.cache_control, "no-cache");
    rule_of(&(struct rule_spec){ .path = SLICE("/assets/*"), .basic_auth = SLICE("htpasswd"),
                                 .cache_control = SLICE("public, max-age=60") });
    put_on(hashed, absent);
    is(dress.cache_control, "public, max-age=60");
    rule_of(&(struct rule_spec){ .path = SLICE("/assets/*"), .cors = SLICE("*") });
    put_on(hashed, absent);
    is(dress.cache_control, "public, max-age=31536000, immutable");
}

static void headers_add_replace_and_remove(void **state)
{
    (void)state;
    headers_of("/*\n"
               "  X-Frame-Options: DENY\n"
               "  Set-Cookie: a=1\n"
               "  Set-Cookie: b=2\n"
               "/open.html\n"
               "  ! x-frame-options\n"
               "/sniff\n"
               "  ! X-Content-Type-Options\n"
               "/loud\n"
               "  x-content-type-options: as you like\n");
    put_on("/a.html", absent);
    HAS(NOSNIFF, "X-Frame-Options", "DENY", "Set-Cookie", "a=1", "Set-Cookie", "b=2");
    put_on("/open.html", absent);
    HAS(NOSNIFF, "Set-Cookie", "a=1", "Set-Cookie", "b=2");
    put_on("/sniff", absent);
    HAS("X-Frame-Options", "DENY", "Set-Cookie", "a=1", "Set-Cookie", "b=2");
    put_on("/loud", absent);
    HAS("X-Frame-Options", "DENY", "Set-Cookie", "a=1", "Set-Cookie", "b=2", "x-content-type-options", "as you like");
}

static void headers_have_places_of_their_own(void **state)
{
    (void)state;
    headers_of("/a\n"
               "  cache-control: max-age=60\n"
               "  content-type: text/x-a\n"
               "  vary: Accept-Language\n"
               "/b\n"
               "  ! Cache-Control\n"
               "  ! Content-Type\n"
               "  ! Vary\n");
    put_on("/a", absent);
    is(dress.cache_control, "max-age=60");
    is(dress.type, "text/x-a");
    VARIES_BY("Accept-Language");
    HAS(NOSNIFF);
    put_on("/b", absent); /* what the page is, and what it varies by, remains */
    is(dress.cache_control, "");
    is(dress.type, "");
    VARIES_BY();
    HAS(NOSNIFF);
}

static void a_rule_says_it_otherwise(void **state)
{
    const struct slice fields[] = { SLICE_INIT("X-Content-Type-Options: none"), SLICE_INIT("Content-Type: text/x-rule"),
                                    SLICE_INIT("X-Rule: 1"), SLICE_INIT("Vary: A"), SLICE_INIT("Vary: B") };
    (void)state;
    rule_of(&(struct rule_spec){ .path = SLICE("/a*"), .cache_control = SLICE("max-age=1"), .headers = fields,
                                 .header_count = 5 });
    put_on("/a", absent);
    is(dress.cache_control, "max-age=1");
    is(dress.type, "text/x-rule");
    VARIES_BY("A", "B");
    HAS("X-Content-Type-Options", "none", "X-Rule", "1");
    put_on("/b", absent);
    HAS(NOSNIFF);
    is(dress.cache_control, "no-cache");
    VARIES_BY();
}

static void a_rule_takes_cache_control_away(void **state)
{
    (void)state;
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .cache_control = SLICE("") });
    put_on("/a", absent);
    is(dress.cache_control, "");
}

/* ---- Several --------------------------------------------------------------------------------------------------- */

static void the_rule_has_the_last_word(void **state)
{
    const struct slice fields[] = { SLICE_INIT("set-cookie: rule=1"), SLICE_INIT("X-Both: rule"),
                                    SLICE_INIT("Vary: Cookie") };
    (void)state;
    headers_of("/a\n"
               "  Set-Cookie: a=1\n"
               "  Set-Cookie: b=2\n"
               "  X-Both: headers\n"
               "  X-One: headers\n"
               "  Content-Type: text/x-headers\n"
               "  Cache-Control: no-store\n"
               "  Vary: Accept-Language\n");
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .headers = fields, .header_count = 3 });
    put_on("/a", absent);
    HAS(NOSNIFF, "X-One", "headers", "set-cookie", "rule=1", "X-Both", "rule");
    is(dress.cache_control, "no-store"); /* of which it has said nothing */
    is(dress.type, "text/x-headers");
    VARIES_BY("Accept-Language", "Cookie"); /* but this joins */
}

/* As many as each source may have. */
static void there_is_room_for_all(void **state)
{
    char text[64 * HEADERS_SET_MAX] = "/a\n", lines[RULE_FIELDS_MAX][32];
    struct slice fields[RULE_FIELDS_MAX];
    (void)state;

    for (unsigned i = 0, used = 3; i < HEADERS_SET_MAX; i++)
        used += (unsigned)sprintf(text + used, "  X-H%u: %u\n", i, i);
    for (unsigned i = 0; i < RULE_FIELDS_MAX; i++) {
        sprintf(lines[i], "X-R%u: %u", i, i);
        fields[i] = slice_text(lines[i]);
    }
    headers_of(text);
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .headers = fields, .header_count = RULE_FIELDS_MAX,
                                 .cors = SLICE("*") });
    put_on("/a", absent);
    assert_int_equal(dress.count, 1 + HEADERS_SET_MAX + RULE_FIELDS_MAX + 1);
    is(dress.fields[dress.count - 1].name, "Access-Control-Allow-Origin");
}

static void there_is_room_for_all_that_it_varies_by(void **state)
{
    struct slice fields[RULE_FIELDS_MAX];
    (void)state;

    for (unsigned i = 0; i < RULE_FIELDS_MAX; i++)
        fields[i] = SLICE("Vary: X");
    headers_of("/a\n  Vary: A\n  Vary: B\n");
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .headers = fields, .header_count = RULE_FIELDS_MAX,
                                 .cors = SLICE("https://a.example https://b.example") });
    put_on("/a", absent);
    assert_int_equal(dress.vary_count, DRESS_VARY_MAX);
    is(dress.vary[0], "A, B");
    is(dress.vary[DRESS_VARY_MAX - 1], "Origin");
}

/* ---- Other origins --------------------------------------------------------------------------------------------- */

static void constant_for_all_or_for_one(void **state)
{
    static const char *const origins[] = { "*", "https://a.example" };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        rule_of(&(struct rule_spec){ .path = SLICE("/a"), .cors = slice_text(origins[i]) });
        put_on("/a", absent);
        HAS(NOSNIFF, "Access-Control-Allow-Origin", origins[i]);
        VARIES_BY();
        put_on("/a", SLICE("https://else.example"));
        HAS(NOSNIFF, "Access-Control-Allow-Origin", origins[i]);
        VARIES_BY();
    }
}

/* A cache must not give one origin what was meant for another, or for none: so all of them vary. */
static void one_of_several(void **state)
{
    (void)state;
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .cors = SLICE("https://a.example https://b.example") });
    put_on("/a", SLICE("https://b.example"));
    HAS(NOSNIFF, "Access-Control-Allow-Origin", "https://b.example");
    VARIES_BY("Origin");
    put_on("/a", SLICE("https://c.example"));
    HAS(NOSNIFF);
    VARIES_BY("Origin");
    put_on("/a", absent);
    HAS(NOSNIFF);
    VARIES_BY("Origin");
}

static void cors_joins_what_else_it_varies_by(void **state)
{
    const struct slice fields[] = { SLICE_INIT("Vary: Cookie") };
    (void)state;
    headers_of("/a\n  Vary: Accept-Language\n  Access-Control-Allow-Origin: null\n");
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .cors = SLICE("https://a.example https://b.example"),
                                 .headers = fields, .header_count = 1 });
    put_on("/a", SLICE("https://a.example"));
    VARIES_BY("Accept-Language", "Cookie", "Origin");
    HAS(NOSNIFF, "Access-Control-Allow-Origin", "https://a.example");
}

/* ---- With what is no page -------------------------------------------------------------------------------------- */

static void what_speaks_of_a_page(void **state)
{
    static const char *const page[] = { "Cache-Control", "cdn-cache-control", "Netlify-CDN-Cache-Control", "Expires",
                                        "pragma", "Surrogate-Control", "Content-Type", "content-disposition",
                                        "Content-", "Link", "Digest", "Repr-Digest", "SourceMap", "Edge-Control",
                                        "X-Accel-Expires" };
    static const char *const all[] = { "Content-Security-Policy", "content-security-policy-report-only",
                                       "X-Frame-Options", "Access-Control-Allow-Origin", "Strict-Transport-Security",
                                       "Vary", "Set-Cookie", "Content", "Control", "Cache", "Referrer-Policy" };
    (void)state;
    for (size_t i = 0; i < sizeof page / sizeof page[0]; i++)
        if (!dress_of_page(slice_text(page[i])))
            fail_msg("%s", page[i]);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (dress_of_page(slice_text(all[i])))
            fail_msg("%s", all[i]);
}

static void put_on_other(const char *path, struct slice origin)
{
    memset(&dress, 0xee, sizeof dress);
    dress_other(&dress, &(struct wardrobe){ rules, headers }, slice_text(path), origin);
}

static void what_holds_for_all(void **state)
{
    const struct slice fields[] = { SLICE_INIT("X-Both: rule"), SLICE_INIT("Content-Language: en"),
                                    SLICE_INIT("Vary: Cookie"), SLICE_INIT("Content-Type: text/x-rule") };
    (void)state;
    put_on_other("/a", absent);
    HAS();
    VARIES_BY();
    headers_of("/a\n  X-Both: headers\n  Expires: 0\n  X-One: headers\n  Cache-Control: max-age=1\n  Vary: A\n"
               "  ! X-Content-Type-Options\n");
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .headers = fields, .header_count = 4,
                                 .cache_control = SLICE("max-age=2"),
                                 .cors = SLICE("https://a.example https://b.example") });
    put_on_other("/a", SLICE("https://b.example"));
    HAS("X-One", "headers", "X-Both", "rule", "Access-Control-Allow-Origin", "https://b.example");
    VARIES_BY("A", "Cookie", "Origin");
    put_on_other("/b", SLICE("https://b.example"));
    HAS();
    VARIES_BY();
}

/* ---- Which rule ------------------------------------------------------------------------------------------------ */

static void the_rule_of_a_path(void **state)
{
    (void)state;
    assert_null(dress_rule(&(struct wardrobe){ NULL, NULL }, SLICE("/a")));
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .cache_control = SLICE("x"), .unless_page = true });
    assert_null(dress_rule(&(struct wardrobe){ rules, NULL }, SLICE("/a"))); /* there is a page */
    rule_of(&(struct rule_spec){ .path = SLICE("/a"), .cache_control = SLICE("x") });
    assert_ptr_equal(dress_rule(&(struct wardrobe){ rules, NULL }, SLICE("/a")), rules_at(rules, 0));
    assert_null(dress_rule(&(struct wardrobe){ rules, NULL }, SLICE("/b")));
}

#define TEST(function) cmocka_unit_test_teardown(function, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(good_sense),
        TEST(good_sense_goes_by_the_page),
        TEST(what_a_password_guards_is_private),
        TEST(headers_add_replace_and_remove),
        TEST(headers_have_places_of_their_own),
        TEST(a_rule_says_it_otherwise),
        TEST(a_rule_takes_cache_control_away),
        TEST(the_rule_has_the_last_word),
        TEST(there_is_room_for_all),
        TEST(there_is_room_for_all_that_it_varies_by),
        TEST(constant_for_all_or_for_one),
        TEST(one_of_several),
        TEST(cors_joins_what_else_it_varies_by),
        TEST(what_speaks_of_a_page),
        TEST(what_holds_for_all),
        TEST(the_rule_of_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
