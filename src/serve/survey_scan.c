/* Without inotify: looking again and again. All that makes an entry what it is goes into the print of its folder, and
 * two of its prints are compared.
 *
 * To look at every file takes long where there are many. But most of what happens shows in the folder itself, whose own
 * time changes when a name comes, goes or means something else; and folders are few. So each pass looks at all folders,
 * and reads those that look different. Only a file that is written to in its place changes nothing but itself: for
 * these, folders are read in turn, for as long as there is time, those that have changed lately more often.
 *
 * When a folder was modified is in its print as well. What comes and goes between two passes leaves the entries as they
 * were, but whoever was told of an earlier change may have read the folder meanwhile, and have what is gone. */
#include "serve/survey.h"

#include <fcntl.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A file that changes twice within one tick of whoever stamps it has the same stamp twice: the kernel's is up to 10
 * ms long, FAT's two seconds. */
enum { TICK_MS = 20, COARSE_TICK_MS = 2100 };

/* A folder in which something has changed is among the lively ones for as many readings. */
enum { LIVELY = UINT8_MAX };

/* What is read in turn gets at least one part in so many of the time that the rest has taken. */
enum { TURN_SHARE = 2 };

/* ---- Prints ---- */

static int64_t time_ns(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* It may change once more without looking different. */
static bool is_young(const struct survey *survey, struct timespec changed)
{
    int64_t tick_ms = changed.tv_nsec == 0 ? COARSE_TICK_MS : TICK_MS;
    return time_ns(changed) >= survey->walk_ns - tick_ms * 1000000;
}

/* All that makes an entry what it is. Of a folder not what changes with its entries: those are looked at too. */
static uint64_t print_of(struct survey *survey, const struct stat *st, uint64_t seed)
{
    uint64_t parts[] = { st->st_dev, st->st_ino, st->st_mode, ((uint64_t)st->st_uid << 32) | st->st_gid,
                         (uint64_t)st->st_size, (uint64_t)time_ns(st->st_mtim), (uint64_t)time_ns(st->st_ctim), 0 };
    if (S_ISDIR(st->st_mode))
        return XXH3_64bits_withSeed(parts, 4 * sizeof parts[0], seed);
    if (is_young(survey, st->st_ctim)) {
        parts[7] = survey->pass; /* different from the next one, whatever that finds */
        survey->unsettled = true;
    }
    return XXH3_64bits_withSeed(parts, sizeof parts, seed);
}

/* What a link leads to changes without the folder in which the link is. */
void survey_print(struct survey *survey, const struct sight *sight)
{
    struct slice name = slice_make(survey->path + survey->name_at, survey->name_size);
    uint64_t print = print_of(survey, &sight->self, XXH3_64bits(name.data, name.size));
    if (S_ISLNK(sight->self.st_mode)) {
        print = print_of(survey, &sight->target, print);
        survey->unsettled = true;
    }
    survey->print += print; /* a sum, because the order of entries says nothing */
}

uint64_t survey_print_folder(const struct stat *st)
{
    const int64_t modified = time_ns(st->st_mtim);
    return XXH3_64bits(&modified, sizeof modified);
}

uint64_t survey_stamp(const struct survey *survey, const struct stat *st)
{
    const int64_t times[] = { time_ns(st->st_mtim), time_ns(st->st_ctim) };
    return is_young(survey, st->st_ctim) ? 0 : XXH3_64bits(times, sizeof times) | 1;
}

/* ---- What was read ---- */

static void drop_unseen(struct survey *survey, struct folder *folder)
{
    struct link *next = folder->children.next;
    while (next != &folder->children) {
        struct folder *child = LINK_OWNER(next, struct folder, sibling);
        next = next->next;
        if (child->pass != survey->pass)
            survey_drop(survey, child);
    }
}

void survey_compare(struct survey *survey, struct folder *folder, uint64_t print)
{
    bool changed = folder->print != 0 && folder->print != print; /* 0: it is new, and marked already */

    drop_unseen(survey, folder);
    if (changed)
        folders_mark(&survey->folders, folder, false);
    folder->print = print;
    if (changed || survey->unsettled)
        folder->stamp = 0;
    if (changed)
        folder->lively = LIVELY;
    else if (folder->lively > 0)
        folder->lively--;
    list_remove(&folder->watched);
    list_append(folder->lively > 0 ? &survey->lively : &survey->quiet, &folder->watched);
    folder->read = survey->pass;
}

/* ---- A pass ---- */

static int64_t now_ms(struct clock *clock)
{
    clock_update(clock);
    return (int64_t)clock->now_ms;
}

void survey_begin_pass(struct survey *survey)
{
    struct clock clock = { .now_ms = 0 };
    clock_update(&clock);
    survey->walk_ns = (clock.unix_s * 1000 + clock.unix_ms) * 1000000;
    survey->pass++;
}

static void enqueue(struct survey *survey, struct folder *folder)
{
    if (list_empty(&folder->todo))
        list_append(&survey->todo, &folder->todo);
}

/* One that is no more, or another one by now, is its parent's to sort out. */
static void glance(struct survey *survey, struct folder *folder)
{
    char path[PATH_MAX];
    struct stat st;

    folder_path(folder, path);
    bool there = fstatat(survey->files->root_fd, *path ? path : ".", &st, 0) == 0 && S_ISDIR(st.st_mode);
    bool same = there && st.st_ino == folder->inode && st.st_dev == folder->device;
    if (!same && folder->parent)
        enqueue(survey, folder->parent);
    else if (!same || folder->stamp == 0 || folder->stamp != survey_stamp(survey, &st))
        enqueue(survey, folder);
}

static void glance_at(struct survey *survey, const struct link *list)
{
    for (const struct link *link = list->next; link != list; link = link->next)
        glance(survey, LINK_OWNER(link, struct folder, watched));
}

/* Those that were read longest ago, each once. */
static enum survey_result read_in_turn(struct survey *survey, struct link *list, int64_t until_ms)
{
    struct clock clock = { .now_ms = 0 };
    enum survey_result result = SURVEY_OK;

    while (result == SURVEY_OK && !list_empty(list) && now_ms(&clock) < until_ms) {
        struct folder *folder = LINK_OWNER(list->next, struct folder, watched);
        if (folder->read == survey->pass)
            break;
        enqueue(survey, folder);
        result = survey_read_todo(survey);
    }
    return result;
}

enum survey_result survey_scan(struct survey *survey, unsigned turn_ms)
{
    struct clock clock = { .now_ms = 0 };
    int64_t from_ms = now_ms(&clock);

    survey_begin_pass(survey);
    glance_at(survey, &survey->lively);
    glance_at(survey, &survey->quiet);
    enum survey_result result = survey_read_todo(survey);
    if (turn_ms == 0)
        return result;
    int64_t at_ms = now_ms(&clock), took_ms = at_ms - from_ms, left_ms = turn_ms - took_ms;
    if (left_ms < took_ms / TURN_SHARE)
        left_ms = took_ms / TURN_SHARE;
    if (result == SURVEY_OK)
        result = read_in_turn(survey, &survey->lively, at_ms + left_ms / 2);
    if (result == SURVEY_OK)
        result = read_in_turn(survey, &survey->quiet, at_ms + left_ms);
    return result;
}
