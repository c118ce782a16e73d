/* Which session a connection in cleartext becomes, wherever its first bytes are cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../wire/stage.h"
#include "wire/h1_session.h"
#include "wire/h2_session.h"
#include "wire/preface.h"

static void open_fresh(struct stage *stage)
{
    stage_init(stage, STAGE_OUTBOX_SIZE);
    stage_open_as(stage, &preface_session_type);
    assert_int_equal(stage->session->phase, SESSION_FRESH);
}

static void close_stage(struct stage *stage)
{
    stage_close(stage);
    assert_int_equal(stage->finished, stage->taken);
    stage_fini(stage);
}

static const struct {
    const char *sent;
    const struct session_type *becomes;
    enum session_phase phase;
} cases[] = {
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &h2_session_type, SESSION_FRESH },
    { "GET /page HTTP/1.1\r\nHost: a\r\n\r\n", &h1_session_type, SESSION_IDLE },
    { "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", &h1_session_type, SESSION_IDLE },
    { "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", &h1_session_type, SESSION_IDLE },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", &h1_session_type, SESSION_LINGER },
    { "PRI * HTTP/1.1\r\n\r\n", &h1_session_type, SESSION_LINGER },
    { "PRI * HTTP/2.0\r\n\r\n\r\n", &h1_session_type, SESSION_LINGER },
    { "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &h1_session_type, SESSION_LINGER },
};

static void becomes_what_it_is_spoken_to_as(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice sent = slice_text(cases[i].sent);
        for (size_t cut = 0; cut <= sent.size; cut++) {
            struct stage stage;
            open_fresh(&stage);
            stage_send(&stage, slice_part(sent, 0, cut));
            stage_send(&stage, slice_skip(sent, cut));
            if (stage.session->type != cases[i].becomes || stage.session->phase != cases[i].phase)
                fail_msg("case %zu, cut at %zu: phase %d", i, cut, stage.session->phase);
            close_stage(&stage);
        }
    }
}

static void waits_while_it_may_be_either(void **state)
{
    struct stage stage;
    (void)state;
    open_fresh(&stage);
    stage_send(&stage, SLICE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r"));
    assert_ptr_equal(stage.session->type, &preface_session_type);
    assert_int_equal(stage.session->phase, SESSION_FRESH);
    assert_int_equal(stage.input.size, 23);
    assert_false(stage.session->type->ended(stage.session));
    stage_expire(&stage);
    assert_int_equal(stage.session->phase, SESSION_CLOSE);
    close_stage(&stage);
}

static void goes_before_anything_has_come(void **state)
{
    struct stage stage;
    (void)state;
    open_fresh(&stage);
    stage_goodbye(&stage);
    assert_int_equal(stage.session->phase, SESSION_CLOSE);
    close_stage(&stage);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_what_it_is_spoken_to_as),
        cmocka_unit_test(waits_while_it_may_be_either),
        cmocka_unit_test(goes_before_anything_has_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
