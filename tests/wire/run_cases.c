/* Runs the wire cases: each whole, cut in two at every byte, and a byte at a time; the answer must be the same, byte
 * for byte. So it must be where the fields of earlier requests are remembered. Then once more with an outbox that is
 * full all the time.
 *
 *     run_cases FILE.case...            runs them
 *     run_cases --dump DIR FILE.case... writes what each sends into a file of its own: seeds for the fuzzer */
#include <stdio.h>
#include <stdlib.h>

#include "case.h"
#include "reply.h"

enum { SMALL_OUTBOX = 1024 };

/* What one run came to. */
struct outcome {
    struct text output, asked;
    unsigned interim;
    enum session_phase phase;
};

struct place {
    const char *path;
    const struct wire_case *wire_case;
    char how[64]; /* "whole", "cut at 17", ... */
};

static void complain(const struct place *place, const char *what)
{
    fprintf(stderr, "%s:%u: %.*s: %s (%s)\n", place->path, place->wire_case->line, (int)place->wire_case->name.size,
            place->wire_case->name.data, what, place->how);
}

static const char *phase_name(enum session_phase phase)
{
    static const char *const names[] = { "fresh",   "idle",    "head",   "body", "open",
                                         "waiting", "sending", "linger", "close" };
    return names[phase];
}

/* ---- A run --------------------------------------------------------------------------------------------------- */

/* The first `cut` bytes in pieces of `piece` bytes, then all the rest. */
static void play(struct stage *stage, const struct wire_case *wire_case, size_t cut, size_t piece,
                 struct outcome *outcome)
{
    struct slice rest = text_slice(&wire_case->input);
    stage->asked.at = stage->asked.start;
    stage->output.size = 0;
    stage->limits = wire_case->limits;
    stage_open(stage);
    for (size_t done = 0; done < cut; done += piece) {
        stage_send(stage, slice_part(rest, 0, piece));
        rest = slice_skip(rest, piece);
    }
    if (rest.size > 0)
        stage_send(stage, rest);
    if (wire_case->expires)
        stage_expire(stage);
    *outcome = (struct outcome){ .phase = stage->session->phase };
    text_append(&outcome->output, text_slice(&stage->output));
    text_append(&outcome->asked, writer_slice(&stage->asked));
    outcome->interim = reply_strip_interim(&outcome->output);
    stage_close(stage);
}

static void forget(struct outcome *outcome)
{
    text_free(&outcome->output);
    text_free(&outcome->asked);
}

/* ---- Against what is expected -------------------------------------------------------------------------------- */

static const char *check_reply(const struct expected_reply *expected, const struct reply *reply)
{
    if (reply->status != expected->status)
        return "another status";
    for (unsigned i = 0; i < expected->field_count; i++) {
        const struct expected_field *field = &expected->fields[i];
        unsigned count;
        struct slice value = reply_field(reply, field->name, &count);
        if (field->value.data ? !slice_equal(value, field->value) : count > 0)
            return "another field";
    }
    if (expected->body.data && !slice_equal(text_slice(&reply->body), expected->body))
        return "another body";
    if (expected->sized && reply->body.size != expected->size)
        return "a body of another size";
    return NULL;
}

static const char *check_replies(const struct wire_case *wire_case, struct slice output)
{
    for (unsigned i = 0; i < wire_case->reply_count; i++) {
        struct reply reply;
        const char *wrong = reply_take(&output, wire_case->replies[i].to_head, &reply);
        if (!wrong)
            wrong = check_reply(&wire_case->replies[i], &reply);
        text_free(&reply.body);
        if (wrong)
            return wrong;
    }
    if (slice_equal(output, text_slice(&wire_case->frames)))
        return NULL;
    return wire_case->frames.size > 0 ? "other frames went out" : "more went out than was expected";
}

static void show(const char *title, struct slice bytes)
{
    fprintf(stderr, "    %s:\n%.*s\n", title, (int)(bytes.size < 2000 ? bytes.size : 2000), bytes.data);
}

static bool check_outcome(const struct place *place, const struct outcome *outcome, unsigned interim)
{
    const struct wire_case *wire_case = place->wire_case;
    const char *wrong = check_replies(wire_case, text_slice(&outcome->output));
    if (!wrong && !slice_equal(text_slice(&outcome->asked), text_slice(&wire_case->asked)))
        wrong = "other requests reached the host";
    if (!wrong && !slice_equal(slice_text(phase_name(outcome->phase)), wire_case->ends))
        wrong = "another end";
    if (!wrong && outcome->interim != interim)
        wrong = "another number of 100s";
    if (!wrong)
        return true;
    complain(place, wrong);
    show("went out", text_slice(&outcome->output));
    show("was asked", text_slice(&outcome->asked));
    fprintf(stderr, "    phase %s, %u interim\n", phase_name(outcome->phase), outcome->interim);
    return false;
}

/* ---- All the ways to cut it ----------------------------------------------------------------------------------- */

static bool same(const struct place *place, const struct outcome *outcome, const struct outcome *whole)
{
    if (slice_equal(text_slice(&outcome->output), text_slice(&whole->output)) &&
        slice_equal(text_slice(&outcome->asked), text_slice(&whole->asked)) && outcome->phase == whole->phase)
        return true;
    complain(place, "not the same answer as whole");
    show("went out", text_slice(&outcome->output));
    show("instead of", text_slice(&whole->output));
    fprintf(stderr, "    phase %s instead of %s\n", phase_name(outcome->phase), phase_name(whole->phase));
    return false;
}

static bool check_cuts(struct place *place, struct stage *stage, const struct outcome *whole)
{
    size_t size = place->wire_case->input.size;
    bool good = true;
    for (size_t cut = 1; good && cut < size; cut++) {
        struct outcome outcome;
        snprintf(place->how, sizeof place->how, "cut at %zu of %zu", cut, size);
        play(stage, place->wire_case, cut, cut, &outcome);
        good = same(place, &outcome, whole);
        forget(&outcome);
    }
    return good;
}

static bool check_bytes(struct place *place, struct stage *stage, const struct outcome *whole)
{
    struct outcome outcome;
    snprintf(place->how, sizeof place->how, "a byte at a time");
    play(stage, place->wire_case, place->wire_case->input.size, 1, &outcome);
    bool good = check_outcome(place, &outcome, place->wire_case->interim_bytes) && same(place, &outcome, whole);
    forget(&outcome);
    return good;
}

/* Each with what those before it have left: nothing at first, then this very case. */
static bool check_memory(struct place *place, struct stage *stage, const struct outcome *whole)
{
    static const char *const left[] = { "nothing", "this case", "this case twice" };
    bool good = true;
    stage_remember(stage);
    for (size_t i = 0; good && i < sizeof left / sizeof *left; i++) {
        struct outcome outcome;
        snprintf(place->how, sizeof place->how, "remembering %s", left[i]);
        play(stage, place->wire_case, 0, 1, &outcome);
        good = same(place, &outcome, whole);
        forget(&outcome);
    }
    return good && check_cuts(place, stage, whole) && check_bytes(place, stage, whole);
}

/* What is pulled comes in other chunks, so the bytes can differ here, but not what a client reads. */
static bool check_tight(struct place *place, struct stage *stage)
{
    struct outcome whole, bytes;
    snprintf(place->how, sizeof place->how, "with a small outbox");
    play(stage, place->wire_case, 0, 1, &whole);
    play(stage, place->wire_case, place->wire_case->input.size, 1, &bytes);
    bool good = check_outcome(place, &whole, place->wire_case->interim_whole) &&
                check_outcome(place, &bytes, place->wire_case->interim_bytes) && same(place, &bytes, &whole);
    forget(&whole);
    forget(&bytes);
    return good;
}

static bool run_case(const char *path, const struct wire_case *wire_case, struct stage *roomy, struct stage *tight)
{
    struct place place = { path, wire_case, "whole" };
    struct outcome whole;
    play(roomy, wire_case, 0, 1, &whole);
    stage_remember(tight);
    bool good = check_outcome(&place, &whole, wire_case->interim_whole) && check_cuts(&place, roomy, &whole) &&
                check_bytes(&place, roomy, &whole) && check_memory(&place, roomy, &whole) &&
                check_tight(&place, tight);
    stage_forget(roomy);
    forget(&whole);
    return good;
}

/* ---- All of them --------------------------------------------------------------------------------------------- */

struct tally {
    unsigned cases, failed;
};

static void run_file(const char *path, struct stage *roomy, struct stage *tight, struct tally *tally)
{
    struct case_reader reader;
    struct wire_case wire_case;
    const struct session_limits limits = roomy->limits;
    case_open(&reader, path);
    while (case_next(&reader, &limits, &wire_case)) {
        tally->cases++;
        tally->failed += !run_case(path, &wire_case, roomy, tight);
        case_free(&wire_case);
    }
    case_close(&reader);
    roomy->limits = limits;
}

static int run_all(char **paths)
{
    struct stage roomy, tight;
    struct tally tally = { 0 };
    stage_init(&roomy, STAGE_OUTBOX_SIZE);
    stage_init(&tight, SMALL_OUTBOX);
    for (; *paths; paths++)
        run_file(*paths, &roomy, &tight, &tally);
    stage_fini(&roomy);
    stage_fini(&tight);
    printf("%u cases, %u failed\n", tally.cases, tally.failed);
    return tally.failed > 0 || tally.cases == 0;
}

/* DIR/<file>-<line> */
static void dump_case(const char *folder, const char *path, const struct wire_case *wire_case)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    char name[4096];
    snprintf(name, sizeof name, "%s/%.*s-%u", folder, (int)strcspn(base, "."), base, wire_case->line);
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(wire_case->input.data, 1, wire_case->input.size, file) != wire_case->input.size ||
        fclose(file) != 0) {
        perror(name);
        exit(1);
    }
}

static int dump_all(const char *folder, char **paths)
{
    const struct session_limits limits = { 0 };
    for (; *paths; paths++) {
        struct case_reader reader;
        struct wire_case wire_case;
        case_open(&reader, *paths);
        while (case_next(&reader, &limits, &wire_case)) {
            if (wire_case.input.size > 0)
                dump_case(folder, *paths, &wire_case);
            case_free(&wire_case);
        }
        case_close(&reader);
    }
    return 0;
}

int main(int count, char **words)
{
    if (count > 2 && strcmp(words[1], "--dump") == 0)
        return dump_all(words[2], words + 3);
    return run_all(words + 1);
}
