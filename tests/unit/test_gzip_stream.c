/* A source as gzip: whatever the sizes asked for, what comes out is what went in; and before each wait the client can
 * read all that came before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "serve/gzip_stream.h"

enum { MOST = 1 << 20 };

/* Turns: bytes to give, 0 for a wait, -1 for the end, -2 for a failure. */
struct source {
    const int *turns;
    unsigned turn;
    size_t given;
};

static char byte_at(size_t offset)
{
    return (char)((offset * 2654435761u) >> 13);
}

static long give(void *user, char *out, size_t size)
{
    struct source *source = user;
    int turn = source->turns[source->turn++];
    if (turn <= 0)
        return turn == 0 ? BODY_PULL_LATER : turn == -1 ? 0 : BODY_PULL_FAILED;
    assert_true((size_t)turn <= size);
    for (int i = 0; i < turn; i++)
        out[i] = byte_at(source->given++);
    return turn;
}

/* What can be read of it so far is all that was given. */
static void check(const char *encoded, size_t size, size_t given)
{
    static char plain[MOST];
    z_stream zlib = { .next_in = (Bytef *)encoded, .avail_in = (uInt)size, .next_out = (Bytef *)plain,
                      .avail_out = sizeof plain };
    assert_int_equal(inflateInit2(&zlib, 15 + 16), Z_OK);
    int result = inflate(&zlib, Z_SYNC_FLUSH);
    assert_true(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
    assert_int_equal(sizeof plain - zlib.avail_out, given);
    for (size_t i = 0; i < given; i++)
        assert_int_equal(plain[i], byte_at(i));
    inflateEnd(&zlib);
}

static void play(const int *turns, size_t piece, bool fails)
{
    static char encoded[MOST];
    struct source source = { .turns = turns };
    struct gzip_stream *stream = gzip_stream_new(give, &source);
    size_t used = 0;
    long got;
    assert_non_null(stream);
    while ((got = gzip_stream_pull(stream, encoded + used, piece)) != 0) {
        if (got == BODY_PULL_FAILED)
            break;
        if (got == BODY_PULL_LATER)
            check(encoded, used, source.given);
        else
            used += (size_t)got;
        assert_true(used + piece < sizeof encoded);
    }
    assert_int_equal(got, fails ? BODY_PULL_FAILED : 0);
    if (!fails) {
        check(encoded, used, source.given);
        assert_int_equal(gzip_stream_pull(stream, encoded, piece), 0);
    }
    gzip_stream_free(stream);
}

static void gives_what_it_draws(void **state)
{
    static const int rows[][12] = {
        { -1 },
        { 1, -1 },
        { 0, -1 },
        { 5, 0, 0, 5, 0, -1 },
        { 16384, 16384, 16384, 16384, 0, 16384, 1, -1 },
        { 0, 0, 16384, 0, 3, 0, 3, 0, -1 },
    };
    static const size_t pieces[] = { GZIP_STREAM_ROOM_MIN, 8, 100, 1000, 16384 };
    static const int failing[] = { 100, 0, -2 };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++)
            play(rows[i], pieces[k], false);
    play(failing, 100, true);
    gzip_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gives_what_it_draws) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
