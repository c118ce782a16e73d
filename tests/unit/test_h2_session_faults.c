/* Memory: for every i, the i-th allocation in the life of an HTTP/2 connection fails, and what comes of it is an
 * answer, a reset, a GOAWAY or a close, never a leak or a crash. And between two requests nothing is allocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "h2_scene.h"

static struct stage *watched; /* whose session is at work decides whether an allocation counts */
static unsigned allocations, failing; /* 0: none fails */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);

static bool fails(void)
{
    return watched && watched->inside && ++allocations == failing;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

/* Each is whole; `#` is the stream. */
static const char *const requests[] = {
    "get # /page",
    "get # /text",
    "get # /large",
    "get # /stream",
    "get # /parts",
    "get # /later",
    "post # /echo\nlast # hello",
    "post # /echo\nhead # 5 x=y",
    "post # /pieces?slow\ndata # abc\nlast # def",
    "post # /page",
    "get # /page cookie=a cookie=b user-agent=somebody",
    "head # 1 :method=GET :scheme=http :path=/page\nframe 9 4 # 000a3a617574686f726974790161",
};

static void say_numbered(struct scene *scene, const char *script, unsigned id)
{
    char text[300];
    struct writer w = writer_on(text, sizeof text - 1);
    for (const char *c = script; *c != '\0'; c++) {
        if (*c == '#')
            writer_uint(&w, id);
        else
            writer_byte(&w, *c);
    }
    *w.at = '\0';
    say(scene, text);
}

static bool well(const struct scene *scene)
{
    enum session_phase phase = scene->stage.session->phase;
    return phase == SESSION_IDLE || phase == SESSION_LINGER || phase == SESSION_CLOSE;
}

static void survives_every_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        bool all = false;
        for (unsigned at = 1; !all; at++) {
            struct scene *scene;
            set_up((void **)&scene);
            watched = &scene->stage;
            allocations = 0;
            failing = at;
            say(scene, HELLO);
            say_numbered(scene, requests[i], 1);
            all = allocations < at;
            failing = 0;
            if (!well(scene))
                fail_msg("\"%s\", allocation %u: phase %d", requests[i], at, scene->stage.session->phase);
            h2_hear(&scene->listener, text_slice(&scene->stage.output)); /* whole frames, and fields that can be read */
            if (scene->stage.session->phase == SESSION_IDLE)
                say(scene, "get 99 /page");
            watched = NULL;
            if (scene->stage.later)
                stage_answer(&scene->stage);
            scene->stage.finished = scene->stage.taken; /* one that was deferred may have been abandoned */
            tear_down((void **)&scene);
        }
    }
}

static void allocates_nothing_the_second_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct scene *scene;
        set_up((void **)&scene);
        watched = &scene->stage;
        failing = 0;
        say(scene, HELLO);
        say_numbered(scene, requests[i], 1);
        allocations = 0;
        say_numbered(scene, requests[i], 3);
        if (allocations != 0)
            fail_msg("\"%s\": %u allocations", requests[i], allocations);
        watched = NULL;
        tear_down((void **)&scene);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_every_failure),
        cmocka_unit_test(allocates_nothing_the_second_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
