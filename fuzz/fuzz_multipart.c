/* Forms of several parts: the first byte says where the rest, a form with the boundary "b", is cut in two. What is told
 * of it must not depend on the cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/writer.h"
#include "http/multipart.h"

#define CHECK(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

enum { SIZE_MAX_READ = 16 * 1024 };

static void fail(const char *condition, int line)
{
    fprintf(stderr, "line %d: %s\n", line, condition);
    abort();
}

static void note(struct writer *w, char mark, struct slice text)
{
    writer_byte(w, mark);
    writer_byte(w, text.data == NULL ? '-' : '+');
    writer_put(w, text);
}

/* All that it tells of these bytes, runs of content joined. False: it is no form. */
static bool read(struct multipart *m, struct slice bytes, struct writer *w)
{
    char *copy = malloc(bytes.size + 1);
    CHECK(copy != NULL);
    memcpy(copy, bytes.data, bytes.size);
    struct slice rest = slice_make(copy, bytes.size), data = { NULL, 0 };
    enum multipart_result result;
    while ((result = multipart_next(m, &rest, &data)) != MULTIPART_MORE && result != MULTIPART_BAD) {
        if (result == MULTIPART_PART) {
            CHECK(m->name.data != NULL && m->name.size <= MULTIPART_HEAD_MAX);
            note(w, 'P', m->name);
            note(w, 'F', m->filename);
            note(w, 'T', m->type);
            writer_byte(w, 'C');
        } else if (result == MULTIPART_DATA) {
            CHECK(data.size > 0);
            writer_put(w, data);
        } else {
            writer_byte(w, result == MULTIPART_END ? 'E' : 'D');
        }
    }
    CHECK(result == MULTIPART_BAD || rest.size == 0);
    free(copy);
    return result != MULTIPART_BAD;
}

static size_t run(struct slice form, size_t cut, char *out, size_t room)
{
    struct multipart m;
    struct writer w = writer_on(out, room);
    multipart_init(&m, SLICE("b"));
    bool good = read(&m, slice_part(form, 0, cut), &w) && read(&m, slice_skip(form, cut), &w);
    writer_byte(&w, !good ? '!' : multipart_whole(&m) ? '.' : '~');
    CHECK(!w.overflowed);
    return writer_used(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char whole[4 * SIZE_MAX_READ], cut[4 * SIZE_MAX_READ];
    if (size < 2 || size > SIZE_MAX_READ)
        return 0;
    struct slice form = slice_make((const char *)data + 1, size - 1);
    size_t whole_size = run(form, 0, whole, sizeof whole);
    size_t cut_size = run(form, data[0] % form.size, cut, sizeof cut);
    CHECK(whole_size == cut_size && memcmp(whole, cut, whole_size) == 0);
    return 0;
}
