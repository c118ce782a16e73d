/* Links. What a link leads to is served as if it stood in its place, so it changes with everything on its way: with the
 * folders in which its names, and those of further links, are looked up, hidden ones too ("..data", by which Kubernetes
 * swaps a volume). Those folders are watched, and when something happens in one of them, all folders that have links
 * have changed: which link it was about is not worth knowing. */
#include <errno.h>
#include <unistd.h>

#include <dirent.h>

#include "base/writer.h"
#include "serve/survey.h"

enum { LINKS_MAX = 40 }; /* as many as the kernel follows (path_resolution(7)) */

/* A path that is being followed from the root. Before `at` there are no links in it. */
struct trail {
    char text[PATH_MAX];
    size_t size, at;
    unsigned links;
};

enum step { STEP_ON, STEP_END };

/* The text of [from, to) is replaced; the path must not become absolute. What becomes too long leads nowhere. */
static enum step replace(struct trail *trail, size_t from, size_t to, struct slice with)
{
    char text[PATH_MAX];
    struct writer w = writer_on(text, sizeof text - 1);

    while (from == 0 && with.size == 0 && to < trail->size && trail->text[to] == '/')
        to++;
    writer_bytes(&w, trail->text, from);
    writer_put(&w, with);
    writer_bytes(&w, trail->text + to, trail->size - to);
    if (w.overflowed)
        return STEP_END;
    trail->size = writer_used(&w);
    memcpy(trail->text, text, trail->size);
    trail->text[trail->size] = '\0';
    trail->at = from;
    return STEP_ON;
}

/* ".." that ends at `to`: takes away the name before it, which is no link. Above the root nothing is served. */
static enum step climb(struct trail *trail, size_t to)
{
    size_t from = trail->at;
    while (from > 0 && trail->text[from - 1] == '/')
        from--;
    if (from == 0)
        return STEP_END;
    while (from > 0 && trail->text[from - 1] != '/')
        from--;
    return replace(trail, from, to, SLICE(""));
}

/* The folder in which the name at `at` is looked up. */
static enum survey_result pass_through(struct survey *survey, const struct trail *trail)
{
    char folder[PATH_MAX];
    memcpy(folder, trail->text, trail->at);
    folder[trail->at] = '\0';
    return notify_pass(&survey->notify, survey->files->root_fd, folder) ? SURVEY_OK : survey_unwatched(errno);
}

/* The name from `at` to `to`: if it is a link, what it says takes its place. */
static enum step follow(const struct survey *survey, struct trail *trail, size_t to)
{
    char name[PATH_MAX], target[PATH_MAX];
    memcpy(name, trail->text, to);
    name[to] = '\0';

    ssize_t size = readlinkat(survey->files->root_fd, name, target, sizeof target);
    if (size < 0 && errno == EINVAL) { /* no link */
        trail->at = to;
        return STEP_ON;
    }
    if (size <= 0 || size == sizeof target || target[0] == '/' || ++trail->links > LINKS_MAX)
        return STEP_END;
    return replace(trail, trail->at, to, slice_make(target, (size_t)size));
}

static enum step step(struct survey *survey, struct trail *trail, enum survey_result *result)
{
    while (trail->at < trail->size && trail->text[trail->at] == '/')
        trail->at++;
    struct slice rest = slice_part(slice_make(trail->text, trail->size), trail->at, trail->size);
    struct slice name = slice_part(rest, 0, slice_find(rest, '/'));
    size_t to = trail->at + name.size;

    if (name.size == 0)
        return STEP_END;
    if (slice_equal(name, SLICE(".")))
        return replace(trail, trail->at, to, SLICE(""));
    if (slice_equal(name, SLICE("..")))
        return climb(trail, to);
    *result = pass_through(survey, trail);
    return *result == SURVEY_OK ? follow(survey, trail, to) : STEP_END;
}

enum survey_result survey_trace(struct survey *survey)
{
    enum survey_result result = SURVEY_OK;
    struct trail trail = { .size = survey->name_at + survey->name_size };

    memcpy(trail.text, survey->path, trail.size + 1);
    while (step(survey, &trail, &result) == STEP_ON)
        continue;
    return result;
}

/* Follows each link in a folder anew. */
static enum survey_result read_links(struct survey *survey, struct folder *folder)
{
    enum survey_result result = SURVEY_OK;
    char path[PATH_MAX];

    folder_path(folder, path);
    int fd = files_open(survey->files, path);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    if (!entries) {
        if (fd >= 0)
            close(fd);
        return fd < 0 ? survey_unwatched(errno) : SURVEY_AGAIN;
    }
    const struct dirent *entry = readdir(entries);
    for (; entry && result == SURVEY_OK; entry = readdir(entries))
        if ((entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) && survey_spell(survey, folder, entry->d_name))
            result = survey_entry(survey, folder, false);
    closedir(entries);
    return result;
}

/* Folders put themselves on the list again where they still have links. */
static enum survey_result follow_anew(struct survey *survey)
{
    enum survey_result result = SURVEY_OK;
    struct link rest;

    list_init(&rest);
    survey->notify.pass++;
    while (!list_empty(&survey->folders.linking)) {
        struct link *link = survey->folders.linking.next;
        list_remove(link);
        list_append(&rest, link);
    }
    while (!list_empty(&rest)) {
        struct folder *folder = LINK_OWNER(rest.next, struct folder, linking);
        list_remove(&folder->linking);
        folders_mark(&survey->folders, folder, false);
        if (result == SURVEY_OK)
            result = read_links(survey, folder);
    }
    if (result == SURVEY_OK)
        result = survey_read_todo(survey);
    notify_prune(&survey->notify);
    return result;
}

enum survey_result survey_links(struct survey *survey)
{
    bool stale = survey->links_stale, touched = survey->links_touched;

    survey->links_stale = survey->links_touched = false;
    if (stale)
        return follow_anew(survey);
    const struct link *list = &survey->folders.linking;
    for (struct link *link = list->next; touched && link != list; link = link->next)
        folders_mark(&survey->folders, LINK_OWNER(link, struct folder, linking), false);
    return SURVEY_OK;
}
