/* What an event means. It is taken as a hint where to look, not as news: an event is old when it is read, and what is
 * true by then is on disk. So a name that was created, moved or deleted is looked at, whatever is told of it. */
#include <fcntl.h>

#include "serve/survey.h"

enum { SHAPE = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO }; /* a name came, went or means something else */

/* Something about the folder itself: who may look into it, perhaps. Times do not matter, rsync sets them everywhere. */
static enum survey_result look_again(struct survey *survey, struct folder *folder, bool *mattered)
{
    char path[PATH_MAX], name[NAME_MAX + 1];
    struct stat st;

    folder_path(folder, path);
    if (fstatat(survey->files->root_fd, *path ? path : ".", &st, 0) < 0)
        return SURVEY_OK;
    if (st.st_mode == folder->mode && st.st_uid == folder->owner && st.st_gid == folder->group)
        return SURVEY_OK;
    *mattered = true;
    if (!folder->parent)
        return SURVEY_LOST;
    memcpy(name, folder->name, folder->name_size); /* which goes with the folder */
    name[folder->name_size] = '\0';
    return survey_spell(survey, folder->parent, name) ? survey_entry(survey, folder->parent, true) : SURVEY_OK;
}

/* Something about one of its entries. */
static enum survey_result look_at(struct survey *survey, struct folder *folder, const struct inotify_event *event)
{
    struct folder *child = folders_find(&survey->folders, folder, slice_text(event->name));

    folders_mark(&survey->folders, folder, false);
    if (event->mask & SHAPE)
        return survey_entry(survey, folder, true);
    if ((event->mask & IN_ISDIR) && (!child || !child->watch)) /* one with a watch tells by itself */
        return survey_entry(survey, folder, true);
    return SURVEY_OK;
}

static enum survey_result take(struct survey *survey, struct folder *folder, const struct inotify_event *event,
                               bool *mattered)
{
    if (event->len == 0)
        return look_again(survey, folder, mattered);
    if (!survey_spell(survey, folder, event->name))
        return SURVEY_OK;
    *mattered = true;
    return look_at(survey, folder, event);
}

/* For each path that leads to the folder. Any of them may go meanwhile, and the watch with the last. */
static enum survey_result take_for_all(struct survey *survey, struct notify_watch *watch,
                                       const struct inotify_event *event, bool *mattered)
{
    enum survey_result result = SURVEY_OK;
    struct link rest;

    list_init(&rest);
    while (!list_empty(&watch->folders)) {
        struct link *link = watch->folders.next;
        list_remove(link);
        list_append(&rest, link);
    }
    while (!list_empty(&rest)) {
        struct folder *folder = LINK_OWNER(rest.next, struct folder, watched);
        list_remove(&folder->watched);
        list_append(&watch->folders, &folder->watched);
        if (result == SURVEY_OK)
            result = take(survey, folder, event, mattered);
    }
    return result;
}

enum survey_result survey_event(struct survey *survey, const struct inotify_event *event, bool *mattered)
{
    if (event->mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) {
        *mattered = true;
        return SURVEY_LOST;
    }
    struct notify_watch *watch = notify_find(&survey->notify, event->wd);
    if (!watch)
        return SURVEY_OK;
    if (event->mask & IN_IGNORED) {
        notify_forget(&survey->notify, watch);
        return SURVEY_OK;
    }
    if (notify_passed(&survey->notify, watch)) {
        survey->links_touched = *mattered = true;
        survey->links_stale |= (event->mask & (SHAPE | IN_ISDIR)) != 0;
    }
    enum survey_result result = take_for_all(survey, watch, event, mattered);
    return result == SURVEY_OK ? survey_read_todo(survey) : result;
}
