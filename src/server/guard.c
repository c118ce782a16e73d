/* The way of a request through its guard:
 *
 *     on the worker       no credentials: 401. The file was looked at lately, and they are remembered: in.
 *     in the background   looks whether the file has changed; they are remembered: home. Only where that is due.
 *     on our threads      the hash, then home.
 *     home                in, 401 or 503.
 *
 * The check lies in the exchange's arena and holds nothing, so the exchange's `done` is free for whoever answers. */
#include "server/guard.h"

#include "base/writer.h"
#include "http/basic.h"
#include "serve/percent.h"
#include "server/deferred.h"
#include "server/respond.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { FAILURE_TOLD_MS = 1000 };

struct guard {
    struct guard_pool *pool;
    struct password_file *file;
    struct slice path, challenge; /* lie in the text */
    _Atomic uint64_t told_ms;     /* when it was last told that a check failed */
    char text[];
};

struct guards {
    size_t count;
    struct guard *at[]; /* by the path of their files */
};

enum verdict { VERDICT_IN, VERDICT_OUT, VERDICT_UNKNOWN };

struct check {
    struct job job;
    struct exchange *exchange;
    struct guard *guard;
    void (*go_on)(struct exchange *exchange);
    struct slice token; /* lies in the settled head */
    uint64_t now_ms;    /* of the request */
    enum verdict verdict;
};

/* ---- Guards ------------------------------------------------------------------------------------------------- */

void guard_pool_init(struct guard_pool *pool, struct qsbr *qsbr, const struct log *log)
{
    *pool = (struct guard_pool){ .qsbr = qsbr, .log = log };
}

void guard_pool_fini(struct guard_pool *pool)
{
    background_free(pool->threads);
    pool->threads = NULL;
}

/* The realm is what a browser shows, and what it keeps a password for: all paths of a host that one file guards, under
 * the pattern of the first rule that names it. In ASCII, since nobody says in which encoding a realm would be read. */
static void write_challenge(struct writer *w, struct slice pattern)
{
    writer_text(w, "Basic realm=\"");
    for (size_t i = 0; i < pattern.size; i++) {
        char c = pattern.data[i];
        if (c == '"' || c == '\\') /* RFC 9110 5.6.4 */
            writer_byte(w, '\\');
        if (c > ' ' && c < 0x7f)
            writer_byte(w, c);
        else
            percent_write(w, slice_make(&c, 1));
    }
    writer_text(w, "\", charset=\"UTF-8\"");
}

static void guard_free(struct guard *guard)
{
    if (guard)
        password_file_free(guard->file);
    free(guard);
}

static struct guard *guard_new(struct guard_pool *pool, const struct rule *rule, struct why why)
{
    struct slice file = rule->basic_auth, pattern = rule->path->text;
    size_t size = file.size + 3 * pattern.size + sizeof "Basic realm=\"\", charset=\"UTF-8\"";
    struct guard *guard = calloc(1, sizeof *guard + size);
    if (!guard) {
        why_refuse(why, pattern, "basic_auth: %s", strerror(errno));
        return NULL;
    }
    struct writer w = writer_on(guard->text, size);
    writer_put(&w, file);
    guard->path = writer_slice(&w);
    write_challenge(&w, pattern);
    guard->challenge = slice_skip(writer_slice(&w), file.size);
    guard->pool = pool;
    char text[WHY_SIZE] = "";
    guard->file = password_file_new(file, pool->qsbr, pool->log, (struct why){ text, sizeof text });
    if (guard->file)
        return guard;
    why_refuse(why, pattern, "basic_auth: %s", text);
    guard_free(guard);
    return NULL;
}

static int compare(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The place of the first guard that does not come before this file. */
static size_t place_of(const struct guards *guards, struct slice file)
{
    size_t from = 0, to = guards->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare(guards->at[middle]->path, file) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

struct guard *guards_find(const struct guards *guards, struct slice file)
{
    if (!guards || !file.data)
        return NULL;
    size_t place = place_of(guards, file);
    bool found = place < guards->count && slice_equal(guards->at[place]->path, file);
    return found ? guards->at[place] : NULL;
}

static bool add(struct guards *guards, struct guard_pool *pool, const struct rule *rule, struct why why)
{
    if (!rule->basic_auth.data || guards_find(guards, rule->basic_auth))
        return true;
    struct guard *guard = guard_new(pool, rule, why);
    if (!guard)
        return false;
    size_t place = place_of(guards, guard->path);
    memmove(&guards->at[place + 1], &guards->at[place], (guards->count - place) * sizeof guards->at[0]);
    guards->at[place] = guard;
    guards->count++;
    return true;
}

static size_t count_guarded(const struct rules *rules)
{
    size_t guarded = 0, count = rules ? rules_count(rules) : 0;
    for (size_t i = 0; i < count; i++)
        guarded += rules_at(rules, i)->basic_auth.data != NULL;
    return guarded;
}

static bool start_threads(struct guard_pool *pool, struct why why)
{
    if (!pool->threads)
        pool->threads = background_new(GUARD_THREADS);
    return pool->threads || why_refuse(why, SLICE("basic_auth"), "out of memory or threads");
}

bool guards_new(struct guards **guards, struct guard_pool *pool, const struct rules *rules, struct why why)
{
    size_t guarded = count_guarded(rules);
    *guards = NULL;
    if (guarded == 0)
        return true;
    struct guards *made = calloc(1, sizeof *made + guarded * sizeof made->at[0]);
    if (!made)
        return why_refuse(why, SLICE("basic_auth"), "%s", strerror(errno));
    bool ok = start_threads(pool, why);
    for (size_t i = 0; ok && i < rules_count(rules); i++)
        ok = add(made, pool, rules_at(rules, i), why);
    if (ok)
        *guards = made;
    else
        guards_free(made);
    return ok;
}

void guards_free(struct guards *guards)
{
    for (size_t i = 0; guards && i < guards->count; i++)
        guard_free(guards->at[i]);
    free(guards);
}

/* ---- Answers ------------------------------------------------------------------------------------------------ */

/* Through rh_fail, which keeps the field. That it is not to be stored is said of every error. */
static void challenge(struct exchange *exchange, const struct guard *guard)
{
    exchange_clear_response(exchange);
    if (exchange_add_field(exchange, SLICE("WWW-Authenticate"), guard->challenge))
        rh_fail((rh_request *)exchange, 401, "");
    else
        respond_unavailable(exchange);
}

static void come_home(struct exchange *exchange)
{
    const struct check *check = exchange->done_user;
    switch (check->verdict) {
    case VERDICT_IN: check->go_on(exchange); return;
    case VERDICT_OUT: challenge(exchange, check->guard); return;
    case VERDICT_UNKNOWN: respond_unavailable(exchange); return;
    }
}

/* ---- The check ---------------------------------------------------------------------------------------------- */

static bool take_place(struct guard_pool *pool)
{
    if (atomic_fetch_add_explicit(&pool->checks, 1, memory_order_relaxed) < GUARD_CHECKS_MAX)
        return true;
    atomic_fetch_sub_explicit(&pool->checks, 1, memory_order_relaxed);
    return false;
}

static void leave_place(struct guard_pool *pool)
{
    atomic_fetch_sub_explicit(&pool->checks, 1, memory_order_relaxed);
}

/* Not for each request of a flood. */
static void tell_failure(const struct check *check, int error)
{
    struct guard *guard = check->guard;
    uint64_t told_ms = atomic_load_explicit(&guard->told_ms, memory_order_relaxed);
    if (told_ms != 0 && check->now_ms < told_ms + FAILURE_TOLD_MS)
        return;
    if (atomic_compare_exchange_strong(&guard->told_ms, &told_ms, check->now_ms))
        log_write(guard->pool->log, LOG_LEVEL_WARN, "%.*s: a password could not be checked: %s", (int)guard->path.size,
                  guard->path.data, strerror(error));
}

static enum verdict judge(const struct check *check)
{
    if (exchange_abandoned(check->exchange))
        return VERDICT_UNKNOWN;
    switch (password_file_check(check->guard->file, check->token, check->now_ms)) {
    case PASSWORD_RIGHT: return VERDICT_IN;
    case PASSWORD_WRONG: return VERDICT_OUT;
    case PASSWORD_FAILED: break;
    }
    tell_failure(check, errno);
    return VERDICT_UNKNOWN;
}

static void finish(struct check *check, enum verdict verdict)
{
    check->verdict = verdict;
    deferred_complete(check->exchange, come_home);
}

static void try_password(struct job *job)
{
    struct check *check = (struct check *)job;
    struct guard_pool *pool = check->guard->pool;
    enum verdict verdict = judge(check);
    leave_place(pool);
    finish(check, verdict);
}

static void submit(struct background *background, struct check *check, void (*run)(struct job *job))
{
    check->job.run = run;
    background_submit(background, &check->job);
}

static void look(struct job *job)
{
    struct check *check = (struct check *)job;
    struct guard_pool *pool = check->guard->pool;
    if (password_file_look(check->guard->file, check->token, check->now_ms))
        finish(check, VERDICT_IN);
    else if (take_place(pool))
        submit(pool->threads, check, try_password);
    else
        finish(check, VERDICT_UNKNOWN);
}

/* The token is looked for again, because the head may have been moved. NULL: no memory. */
static struct check *check_new(struct exchange *exchange)
{
    struct check *check = NULL;
    if (exchange_settle(exchange, exchange->head_size))
        check = arena_take(&exchange->arena, sizeof *check);
    if (check) {
        *check = (struct check){ .exchange = exchange };
        basic_token(&exchange->request.fields, &check->token);
    }
    return check;
}

static void begin(struct check *check, bool stale)
{
    struct exchange *exchange = check->exchange;
    struct guard_pool *pool = check->guard->pool;
    if (!stale && !take_place(pool)) {
        respond_unavailable(exchange);
        return;
    }
    exchange->done_user = check; /* `done` is NULL */
    deferred_begin(exchange);
    if (stale)
        submit(exchange_worker(exchange)->server->background, check, look);
    else
        submit(pool->threads, check, try_password);
}

/* Whoever goes on may well ask again. To go by what is remembered would not do: by now that may be forgotten. */
static bool let_in_before(const struct exchange *exchange, const struct guard *guard)
{
    const struct check *check = exchange->done_user;
    return exchange->finish == come_home && check->guard == guard && check->verdict == VERDICT_IN;
}

bool guard_admit(struct exchange *exchange, struct guard *guard, void (*go_on)(struct exchange *exchange))
{
    struct slice token;
    uint64_t now_ms = exchange->session->host->clock->now_ms;
    bool stale = password_file_stale(guard->file, now_ms);
    assert(exchange->settled || exchange->params == NULL); /* they are slices of the head */
    if (let_in_before(exchange, guard))
        return true;
    if (!basic_token(&exchange->request.fields, &token)) {
        challenge(exchange, guard);
        return false;
    }
    if (!stale && password_file_remembers(guard->file, token, now_ms))
        return true;
    struct check *check = check_new(exchange);
    if (!check) {
        respond_unavailable(exchange);
        return false;
    }
    check->guard = guard;
    check->go_on = go_on;
    check->now_ms = now_ms;
    begin(check, stale);
    return false;
}

bool guard_refuse(struct exchange *exchange, const struct guard *guard)
{
    struct slice token;
    if (basic_token(&exchange->request.fields, &token))
        return false;
    challenge(exchange, guard);
    return true;
}
