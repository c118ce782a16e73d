/* Credentials of the Basic scheme: where they stand, base64 to the letter, and what a name and a password may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/basic.h"
#include "made_fields.h"

static void finds_the_token(void **state)
{
    static const struct {
        const char *fields, *token; /* NULL: there is none */
    } rows[] = {
        { "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" }, /* RFC 7617 part 2 */
        { "Host: a\nAuthorization: basic dGVzdDoxMjPCow==\nCookie: b", "dGVzdDoxMjPCow==" },
        { "Authorization: BASIC    YTpi", "YTpi" },
        { "authorization: Basic a b", "a b" }, /* which does not decode */
        { "Authorization: Basic \tYTpi", "\tYTpi" },
        { "", NULL },
        { "Host: a", NULL },
        { "Authorization:", NULL },
        { "Authorization: Basic", NULL },
        { "Authorization: Basic\tYTpi", NULL },
        { "Authorization: Basi YTpi", NULL },
        { "Authorization: BasicYTpi", NULL },
        { "Authorization: Basics YTpi", NULL },
        { "Authorization: Bearer YTpi", NULL },
        { "Authorization: Digest username=\"a\"", NULL },
        { "Proxy-Authorization: Basic YTpi", NULL },
        { "Authorization: Basic YTpi\nAuthorization: Basic YTpi", NULL }, /* which of them? */
        { "Authorization: Basic YTpi\nHost: a\nAuthorization: Bearer x", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fields fields;
        struct slice token = { NULL, 0 };
        made_fields(&fields, rows[i].fields);
        bool found = basic_token(&fields, &token);
        if (found != (rows[i].token != NULL) || (found && !slice_equal(token, slice_text(rows[i].token))))
            fail_msg("%s: %.*s", rows[i].fields, (int)token.size, token.data);
    }
}

static void decodes(void **state)
{
    static const struct {
        const char *token, *name, *password;
    } rows[] = {
        { "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame" },
        { "dGVzdDoxMjPCow==", "test", "123\xc2\xa3" },
        { "YTpi", "a", "b" },
        { "YTpiYw==", "a", "bc" },
        { "YTpiY2Q=", "a", "bcd" },
        { "YTo=", "a", "" },
        { "OmI=", "", "b" },
        { "Og==", "", "" },
        { "YTpiOmM=", "a", "b:c" }, /* the first colon divides */
        { "ID4+Pz8/OiB+IA==", " >>???", " ~ " },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct basic basic;
        if (!basic_decode(slice_text(rows[i].token), &basic))
            fail_msg("%s", rows[i].token);
        assert_true(slice_equal(basic.name, slice_text(rows[i].name)));
        assert_true(slice_equal(basic.password, slice_text(rows[i].password)));
    }
}

static void refuses(void **state)
{
    static const char *const tokens[] = {
        "", "=", "==", "====", "Y", "YT", "YTp", "YTpiY", "YTpiYw", "YTpiYw=",       /* too few digits */
        "YTpi====", "YTpi=", "YTpi==", "YTpiY2Q==", "Og===", "O===", "YT=i", "Y=pi", "=Tpi", "YTo=YTpi", /* padding */
        "YTp=", "YTr=", "OmJ=", "OmL=", "Oh==", "Ok==", "OP==",                      /* bits that mean nothing */
        "YTpi YTpi", " YTpi", "YTpi ", "YTp\t", "YTp-", "YTp_", "YTp.", "YTp~", "YTp,", "YTp\x80", /* no digits */
        "YWI=", "YWJj", "w6TDtg==",                                                  /* no colon */
        "YTpiAA==", "YQA6Yg==", "CTpi", "YTp/", "YTp/YQ==", "YToKYg==", "YTofYg==",  /* controls */
        "YTr/", "/zpi", "YTrA", "YTrAgA==", "YTrtoIA=", "YTrD",                      /* no UTF-8 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct basic basic;
        if (basic_decode(slice_text(tokens[i]), &basic))
            fail_msg("%s", tokens[i]);
    }
}

/* Blocks of exactly the size, so that the sanitizer sees a byte too many. */
static void keeps_to_its_room(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 800; size++) {
        char *token = malloc(size + 1);
        struct basic *basic = malloc(sizeof *basic);
        assert_true(token && basic);
        memset(token, 'Y', size);  /* "YYYY" is "a\x86\x18" */
        for (size_t i = 0; i + 4 <= size; i += 4)
            memcpy(token + i, "OmE6" /* ":a:" */, 4);
        bool fits = size > 0 && size % 4 == 0 && size / 4 * 3 <= BASIC_TEXT_MAX;
        assert_int_equal(basic_decode(slice_make(token, size), basic), fits);
        free(token);
        free(basic);
    }
}

/* The longest there can be: 512 bytes, which is 170 groups of three and two bytes. */
static void takes_the_longest(void **state)
{
    char token[685] = "";
    struct basic basic;
    (void)state;
    for (size_t i = 0; i < 170; i++)
        strcat(token, i == 0 ? "YTpi" : "YmJi");
    strcat(token, "YmI=");
    assert_true(basic_decode(slice_text(token), &basic));
    assert_int_equal(basic.name.size, 1);
    assert_int_equal(basic.password.size, 510);
    strcpy(token + 680, "YmJi");
    assert_false(basic_decode(slice_text(token), &basic));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_token),
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(keeps_to_its_room),
        cmocka_unit_test(takes_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
