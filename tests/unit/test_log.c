/* Log lines: formatted, one line each, and cut where they are too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"

enum { LONGEST = 1023 };

struct heard {
    unsigned lines;
    enum log_level level;
    char text[2048];
};

static void hear(void *user, enum log_level level, const char *line)
{
    struct heard *heard = user;
    assert_true(strlen(line) <= LONGEST);
    heard->lines++;
    heard->level = level;
    memcpy(heard->text, line, strlen(line) + 1);
}

static void hands_lines_on(void **state)
{
    struct heard heard = { .lines = 0 };
    const struct log log = { hear, &heard };
    (void)state;
    log_write(&log, LOG_LEVEL_WARN, "port %d is in use by %s", 8080, "somebody");
    assert_int_equal(heard.lines, 1);
    assert_int_equal(heard.level, LOG_LEVEL_WARN);
    assert_string_equal(heard.text, "port 8080 is in use by somebody");
    log_write(&log, LOG_LEVEL_DEBUG, "%s", "");
    assert_int_equal(heard.lines, 2);
    assert_int_equal(heard.level, LOG_LEVEL_DEBUG);
    assert_string_equal(heard.text, "");
    errno = ENOENT;
    log_write(&log, LOG_LEVEL_ERROR, "/srv/www: %m");
    assert_string_equal(heard.text, "/srv/www: No such file or directory");
    log_write(&log, LOG_LEVEL_ERROR, "not in this locale: %ls", L"\x20AC");
    assert_string_equal(heard.text, "not in this locale: %ls");
}

static void is_silent_without_a_listener(void **state)
{
    const struct log log = { .write = NULL };
    (void)state;
    log_write(&log, LOG_LEVEL_ERROR, "nobody hears %d", 1);
}

static void escapes_what_is_no_text(void **state)
{
    struct heard heard = { .lines = 0 };
    const struct log log = { hear, &heard };
    (void)state;
    log_write(&log, LOG_LEVEL_INFO, "a\nb\r\nc\x1b[31m\td\x7f%s", "\x01\xC3\xA9~");
    assert_string_equal(heard.text, "a\\x0ab\\x0d\\x0ac\\x1b[31m\\x09d\\x7f\\x01\xC3\xA9~");
    log_write(&log, LOG_LEVEL_INFO, "%s", "\xC2\x80|\xC2\x9B" "31m|\xC2\x9F|\xC2\xA0|\xC2");
    assert_string_equal(heard.text, "\\xc2\\x80|\\xc2\\x9b31m|\\xc2\\x9f|\xC2\xA0|\\xc2");
    log_write(&log, LOG_LEVEL_INFO, "%s", "caf\xE9 \xC0\xAF \xED\xA0\x80 "
              "\xE2\x80\xAE" "cod.exe \xE2\x80\xA8 \xE2\x81\xA6 \\");
    assert_string_equal(heard.text, "caf\\xe9 \\xc0\\xaf \\xed\\xa0\\x80 \\xe2\\x80\\xaecod.exe \\xe2\\x80\\xa8 "
                                    "\\xe2\\x81\\xa6 \\");
    log_write(&log, LOG_LEVEL_INFO, "%s", "\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA"); /* their neighbours */
    assert_string_equal(heard.text, "\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA");
    assert_int_equal(heard.lines, 4);
}

static void cuts_long_lines(void **state)
{
    struct heard heard = { .lines = 0 };
    const struct log log = { hear, &heard };
    char text[1400];
    (void)state;
    for (size_t size = LONGEST - 2; size < sizeof text; size++) {
        memset(text, 'a', size);
        text[size] = '\0';
        log_write(&log, LOG_LEVEL_INFO, "%s", text);
        if (size <= LONGEST) {
            assert_string_equal(heard.text, text);
            continue;
        }
        assert_int_equal(strlen(heard.text), LONGEST);
        assert_string_equal(heard.text + LONGEST - 4, "a...");
    }
}

static void cuts_no_character_in_two(void **state)
{
    static const char *const characters[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
    struct heard heard = { .lines = 0 };
    const struct log log = { hear, &heard };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t shift = 0; shift < 4; shift++) {
            char text[1400] = "xxxx";
            size_t size = shift, step = strlen(characters[i]);
            for (; size + step < sizeof text; size += step)
                memcpy(text + size, characters[i], step);
            text[size] = '\0';
            log_write(&log, LOG_LEVEL_INFO, "%s", text);
            assert_true(utf8_valid(slice_text(heard.text)));
            assert_true(strlen(heard.text) > LONGEST - 4);
            assert_true(slice_ends(slice_text(heard.text), SLICE("...")));
        }
    }
    char broken[1400]; /* no character begins anywhere */
    memset(broken, 0x80, sizeof broken - 1);
    broken[sizeof broken - 1] = '\0';
    log_write(&log, LOG_LEVEL_INFO, "%s", broken);
    assert_string_equal(heard.text, "...");

    /* Escapes are not cut either, nor is anything lost where all of it fits. */
    for (size_t size = 0; size < 400; size++) {
        char text[400] = "";
        memset(text, 0x1b, size);
        text[size] = '\0';
        log_write(&log, LOG_LEVEL_INFO, "%s", text);
        size_t escapes = 4 * size <= LONGEST ? size : (LONGEST - 3) / 4;
        assert_int_equal(strlen(heard.text), 4 * escapes + (escapes < size ? 3 : 0));
        assert_true(escapes == 0 || slice_starts(slice_skip(slice_text(heard.text), 4 * escapes - 4), SLICE("\\x1b")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_lines_on),  cmocka_unit_test(is_silent_without_a_listener),
        cmocka_unit_test(escapes_what_is_no_text), cmocka_unit_test(cuts_long_lines),
        cmocka_unit_test(cuts_no_character_in_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
