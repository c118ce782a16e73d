/* What the tests of error responses share: an exchange with an Accept field, and what is to be seen of its response. */
#ifndef TESTS_ERRORS_FIXTURE_H
#define TESTS_ERRORS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/method.h"
#include "serve/errors.h"

enum { CEILING = 64 * 1024 };

static struct exchange exchange;
static char head[256];

static inline void gone(struct hold *hold)
{
    (void)hold;
}

static inline void begin(const char *accept)
{
    exchange_reset(&exchange);
    if (!accept)
        return;
    size_t size = (size_t)snprintf(head, sizeof head, "accept:%s", accept);
    struct fields *fields = &exchange.request.fields;
    fields_reset(fields, head);
    fields->count = 1;
    fields_note(fields, 0, FIELD_ACCEPT);
    fields->at[0] = (struct field){ .name = 0, .name_size = 6, .value = 7, .value_size = (uint16_t)(size - 7) };
}

static inline struct slice body(void)
{
    const struct response *response = &exchange.response;
    const struct body *at = response->answer ? &response->answer->body : &response->body;
    assert_int_equal(at->kind, BODY_SPAN);
    assert_non_null(at->hold);
    return slice_make(at->data, at->size);
}

static inline unsigned count_fields(struct slice name, struct slice *value)
{
    const struct response *response = &exchange.response;
    const struct field_pair *fields = response->answer ? response->answer->fields : response->fields;
    unsigned count = response->answer ? response->answer->field_count : response->field_count, found = 0;
    for (unsigned i = 0; i < count; i++)
        if (slice_equal_nocase(fields[i].name, name) && found++ == 0)
            *value = fields[i].value;
    return found;
}

static inline void expect_field(const char *name, const char *text)
{
    struct slice value = { NULL, 0 };
    unsigned count = count_fields(slice_text(name), &value);
    if (!text) {
        assert_int_equal(count, 0);
        return;
    }
    assert_int_equal(count, 1);
    assert_int_equal(value.size, strlen(text));
    assert_memory_equal(value.data, text, value.size);
}

static inline bool body_has(const char *text)
{
    struct slice content = body();
    return memmem(content.data, content.size, text, strlen(text)) != NULL;
}

static inline void expect_body(const char *text)
{
    struct slice content = body();
    assert_int_equal(content.size, strlen(text));
    assert_memory_equal(content.data, text, content.size);
}

static inline struct answer *ask(const struct errors *errors, unsigned status, unsigned allow, const char *detail)
{
    errors_answer(errors, &exchange, status, allow, slice_text(detail));
    const struct response *response = &exchange.response;
    assert_int_not_equal(response->status, 0);
    if (response->answer)
        assert_int_equal(response->status, response->answer->status);
    return response->answer;
}

static const char html_type[] = "text/html; charset=utf-8", json_type[] = "application/problem+json";

static inline int run_all(const struct CMUnitTest *tests, size_t count)
{
    static struct pages pages;
    pages_init(&pages, CEILING);
    exchange_init(&exchange, &pages, CEILING, gone);
    int failed = _cmocka_run_group_tests("errors", tests, count, NULL, NULL);
    exchange_release(&exchange);
    pages_fini(&pages);
    return failed;
}

#endif
