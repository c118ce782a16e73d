/* Finds out which folders lie beneath the root and keeps that true: by reading all of them (at the start, and
 * whenever it is no longer certain), by what the kernel tells of those that are watched, or, where it tells nothing,
 * by reading all of them again and again and comparing. Folders that have changed are marked.
 *
 * It sees what tree sees, dotfiles and links included, but cares for no page. When to look and whom to tell is
 * watcher's to know. One thread calls it. */
#ifndef SERVE_SURVEY_H
#define SERVE_SURVEY_H

#include <stdatomic.h>

#include "base/clock.h"
#include "serve/files.h"
#include "serve/folders.h"
#include "serve/notify.h"

enum survey_result {
    SURVEY_OK,
    SURVEY_STOPPED,     /* somebody set `stop` */
    SURVEY_AGAIN,       /* memory or descriptors were short: survey_all again, later */
    SURVEY_LOST,        /* events were lost, or it is uncertain what they mean: survey_all again */
    SURVEY_NO_WATCHES,  /* watches have run out (errno ENOSPC): survey_all without them */
    SURVEY_NO_INSTANCE, /* the user has too many of inotify itself */
    SURVEY_NO_INOTIFY,  /* there is no inotify: errno */
    SURVEY_REMOTE       /* what others change in this file system, inotify does not tell */
};

struct survey {
    const struct files *files;
    const atomic_bool *stop;
    size_t watches_max;
    bool rescans;       /* without inotify */
    bool crowded;       /* a folder was left out because there are FOLDERS_MAX */
    bool links_touched; /* something has happened where links pass through */
    bool links_stale;   /* and some may lead elsewhere now */
    struct notify notify;
    struct folders folders;
    struct link todo;   /* folders that have to be read */

    /* Rescanning: */
    unsigned pass;      /* the number of the walk */
    int64_t walk_ns;    /* when it began, since 1970; what was changed just before may change unseen */
    struct link quiet, lively; /* all folders, the one first that was read longest ago */
    uint64_t print;     /* of the folder in hand */
    bool unsettled;     /* and it may change without looking different itself */

    size_t name_at, name_size; /* the entry in hand: its path, and where its name stands in it */
    char path[PATH_MAX];
};

/* All three stay the caller's. `files` may be opened anew before a survey_all. */
void survey_init(struct survey *survey, const struct files *files, const atomic_bool *stop, size_t watches_max);
void survey_fini(struct survey *survey);

/* Forgets everything and reads all folders; the root is marked with all beneath it. On anything but OK no folder is
 * known any more. */
enum survey_result survey_all(struct survey *survey, bool rescans);

/* Rescanning: looks at all folders, reads those that look different from before, and others in turn, for as long as
 * `turn_ms` in all, but a little in any case (0: none). Those are marked that are different. */
enum survey_result survey_scan(struct survey *survey, unsigned turn_ms);

/* Watching: takes in one event. `*mattered`: set where something served may have changed. */
enum survey_result survey_event(struct survey *survey, const struct inotify_event *event, bool *mattered);

/* Watching, before changes are told: follows links anew, if need be, and marks the folders that have links. */
enum survey_result survey_links(struct survey *survey);

/* ---- Between the files of survey ---- */

/* What stands at a path. */
struct sight {
    struct stat self, target; /* target: behind the link, if it is one; st_mode is 0 where there is nothing */
};

/* survey->path becomes that of this entry. False: it is never served, or its path is too long. */
bool survey_spell(struct survey *survey, const struct folder *folder, const char *name);

/* Looks at the entry in hand and does what follows from it: a folder (also behind a link) is added and read later,
 * what is no folder any more goes. `anew`: what was known of it no longer holds. */
enum survey_result survey_entry(struct survey *survey, struct folder *folder, bool anew);

enum survey_result survey_read_todo(struct survey *survey);

/* Rescanning: a pass begins; the entry in hand goes into the print of the folder in hand; that has been read, or what
 * kept it from being read is its print; what the print of a folder begins with; what a folder itself looks like, 0
 * where that may stay although it changes. */
void survey_begin_pass(struct survey *survey);
void survey_print(struct survey *survey, const struct sight *sight);
void survey_compare(struct survey *survey, struct folder *folder, uint64_t print);
uint64_t survey_print_folder(const struct stat *st);
uint64_t survey_stamp(const struct survey *survey, const struct stat *st);

/* A link at survey->path: watches every folder in which a name is looked up on its way. */
enum survey_result survey_trace(struct survey *survey);

/* The result that errno of notify stands for; OK: this one folder cannot be watched, which is no harm. */
enum survey_result survey_unwatched(int error);

void survey_drop(struct survey *survey, struct folder *folder); /* with all beneath it */

#endif
