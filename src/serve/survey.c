/* Reads folders, one open at a time, in the order in which they were found. A folder is watched before it is read: what
 * appears in it is either there when it is read, or told of afterwards.
 *
 * Watching, only folders and links are looked at, which most file systems tell apart from files without a further
 * call. Rescanning, every entry is looked at: see survey_scan.c. */
#include "serve/survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "serve/tree.h"

void survey_init(struct survey *survey, const struct files *files, const atomic_bool *stop, size_t watches_max)
{
    *survey = (struct survey){ .files = files, .stop = stop, .watches_max = watches_max };
    notify_init(&survey->notify);
    folders_init(&survey->folders);
    list_init(&survey->todo);
    list_init(&survey->quiet);
    list_init(&survey->lively);
}

void survey_drop(struct survey *survey, struct folder *folder)
{
    struct folder *at = folder, *up = NULL;
    do {
        while (!list_empty(&at->children))
            at = LINK_OWNER(at->children.next, struct folder, sibling);
        up = at == folder ? NULL : at->parent;
        notify_leave(&survey->notify, at);
        folders_remove(&survey->folders, at);
        at = up;
    } while (up);
}

static void forget(struct survey *survey)
{
    notify_end_all(&survey->notify);
    if (survey->folders.root)
        survey_drop(survey, survey->folders.root);
    notify_close(&survey->notify);
    folders_fini(&survey->folders);
    folders_init(&survey->folders);
    survey->links_touched = survey->links_stale = false;
}

void survey_fini(struct survey *survey)
{
    forget(survey);
}

bool survey_spell(struct survey *survey, const struct folder *folder, const char *name)
{
    size_t size = folder_path(folder, survey->path), name_size = strlen(name);

    if (size + (size > 0) + name_size >= sizeof survey->path)
        return false;
    if (size > 0)
        survey->path[size++] = '/';
    survey->name_at = size;
    survey->name_size = name_size;
    memcpy(survey->path + size, name, name_size + 1);
    return !files_hidden(survey->path);
}

static struct slice name_in_hand(const struct survey *survey)
{
    return slice_make(survey->path + survey->name_at, survey->name_size);
}

/* What is short now may be there later; everything else is the folder's own trouble. */
static bool passing(int error)
{
    return error == ENOMEM || error == EMFILE || error == ENFILE;
}

enum survey_result survey_unwatched(int error)
{
    if (error == ENOSPC)
        return SURVEY_NO_WATCHES;
    return passing(error) ? SURVEY_AGAIN : SURVEY_OK;
}

/* Nothing there, or nothing that is allowed to be looked at, is an answer as well. */
static enum survey_result look(const struct survey *survey, struct sight *sight)
{
    *sight = (struct sight){ .self.st_mode = 0 };
    if (fstatat(survey->files->root_fd, survey->path, &sight->self, AT_SYMLINK_NOFOLLOW) < 0)
        return SURVEY_OK;
    if (!S_ISLNK(sight->self.st_mode)) {
        sight->target = sight->self;
        return SURVEY_OK;
    }
    int fd = files_open(survey->files, survey->path);
    if (fd < 0)
        return passing(errno) ? SURVEY_AGAIN : SURVEY_OK;
    if (fstat(fd, &sight->target) < 0)
        sight->target.st_mode = 0;
    close(fd);
    return SURVEY_OK;
}

/* Links can lead to so many paths that there is no place for all of them; those that tree cannot hold either need
 * none. */
static enum survey_result add_child(struct survey *survey, struct folder *folder, const struct stat *st)
{
    struct folder *child = folders_add(&survey->folders, folder, name_in_hand(survey));
    if (!child && errno == ENOMEM)
        return SURVEY_AGAIN;
    if (!child) {
        survey->crowded |= errno == ENOSPC;
        return SURVEY_OK;
    }
    child->pass = survey->pass;
    child->device = st->st_dev;
    child->inode = st->st_ino;
    list_append(&survey->todo, &child->todo);
    folders_mark(&survey->folders, child, true);
    return SURVEY_OK;
}

static bool same(const struct survey *survey, const struct folder *child, const struct stat *st)
{
    bool known = survey->rescans || child->watch || child->circular;
    return known && child->inode == st->st_ino && child->device == st->st_dev;
}

static enum survey_result place(struct survey *survey, struct folder *folder, const struct stat *st, bool anew)
{
    struct folder *child = folders_find(&survey->folders, folder, name_in_hand(survey));
    bool there = S_ISDIR(st->st_mode);

    if (child && (!there || anew || !same(survey, child, st))) {
        survey_drop(survey, child);
        child = NULL;
    }
    if (!there)
        return SURVEY_OK;
    if (!child)
        return add_child(survey, folder, st);
    child->pass = survey->pass;
    return SURVEY_OK;
}

enum survey_result survey_entry(struct survey *survey, struct folder *folder, bool anew)
{
    struct sight sight;
    enum survey_result result = look(survey, &sight);

    if (result == SURVEY_OK && survey->rescans)
        survey_print(survey, &sight);
    if (result == SURVEY_OK && !survey->rescans && S_ISLNK(sight.self.st_mode)) {
        if (list_empty(&folder->linking))
            list_append(&survey->folders.linking, &folder->linking);
        result = survey_trace(survey);
    }
    return result == SURVEY_OK ? place(survey, folder, &sight.target, anew) : result;
}

static enum survey_result visit(struct survey *survey, struct folder *folder, const struct dirent *entry)
{
    bool plain = entry->d_type != DT_DIR && entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN;

    if ((plain && !survey->rescans) || !survey_spell(survey, folder, entry->d_name))
        return SURVEY_OK;
    return survey_entry(survey, folder, false);
}

/* Takes the descriptor. */
static enum survey_result read_entries(struct survey *survey, struct folder *folder, int fd)
{
    enum survey_result result = SURVEY_OK;
    DIR *entries = fdopendir(fd);
    if (!entries) {
        close(fd);
        return SURVEY_AGAIN;
    }
    while (result == SURVEY_OK) {
        const struct dirent *entry = readdir(entries);
        if (!entry)
            break;
        result = visit(survey, folder, entry);
    }
    closedir(entries);
    if (result == SURVEY_OK && survey->rescans)
        survey_compare(survey, folder, survey->print);
    return result;
}

/* A folder that lies within itself, by way of a link. */
static bool circular(const struct folder *folder)
{
    for (const struct folder *up = folder->parent; up; up = up->parent)
        if (up->inode == folder->inode && up->device == folder->device)
            return true;
    return false;
}

/* Other machines, or the other side of a FUSE server, change what is in there without this kernel's knowing. */
static bool remote(int fd)
{
    static const uint32_t kinds[] = {
        NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, FUSE_SUPER_MAGIC, V9FS_MAGIC,
        CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, AFS_FS_MAGIC, CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC,
        0x01161970, /* GFS2 */ 0x0bd00bd0, /* Lustre */ 0xbacbacbc, /* VMware's shared folders */
        0x786f4256, /* VirtualBox's */ 0x7c7c6673, /* Parallels' */
    };
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if ((uint32_t)fs.f_type == kinds[i])
            return true;
    return false;
}

static enum survey_result watch(struct survey *survey, struct folder *folder, int fd)
{
    bool other = !folder->parent || folder->parent->device != folder->device;

    if (survey->rescans)
        return SURVEY_OK;
    if (other && remote(fd))
        return SURVEY_REMOTE;
    if (notify_watch(&survey->notify, fd, folder))
        return SURVEY_OK;
    enum survey_result result = survey_unwatched(errno);
    return result == SURVEY_OK && !folder->parent ? SURVEY_NO_INOTIFY : result;
}

/* 0: it is a folder to be read; else what is in the way, an errno. */
static int describe(struct survey *survey, struct folder *folder, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return errno;
    if (!S_ISDIR(st.st_mode))
        return ENOTDIR;
    folder->device = st.st_dev;
    folder->inode = st.st_ino;
    folder->mode = st.st_mode;
    folder->owner = st.st_uid;
    folder->group = st.st_gid;
    folder->stamp = survey_stamp(survey, &st);
    survey->print = survey_print_folder(&st);
    folder->circular = circular(folder);
    return folder->circular ? ELOOP : 0;
}

/* What cannot be read now is read when its permissions change or something else comes in its place, which its parent is
 * told of; the root has no parent. */
static enum survey_result skip(struct survey *survey, struct folder *folder, int error)
{
    if (passing(error) || !folder->parent)
        return SURVEY_AGAIN;
    if (survey->rescans)
        survey_compare(survey, folder, (uint64_t)error);
    return SURVEY_OK;
}

static enum survey_result read_folder(struct survey *survey, struct folder *folder)
{
    char path[PATH_MAX];
    survey->print = 1;
    survey->unsettled = false;
    folder_path(folder, path);
    int fd = files_open(survey->files, path);
    int error = fd < 0 ? errno : describe(survey, folder, fd);

    enum survey_result result = error ? skip(survey, folder, error) : watch(survey, folder, fd);
    if (error == 0 && result == SURVEY_OK)
        return read_entries(survey, folder, fd);
    error = errno; /* of the watch */
    if (fd >= 0)
        close(fd);
    errno = error;
    return result;
}

enum survey_result survey_read_todo(struct survey *survey)
{
    enum survey_result result = SURVEY_OK;
    while (result == SURVEY_OK && !list_empty(&survey->todo)) {
        struct folder *folder = LINK_OWNER(survey->todo.next, struct folder, todo);
        list_remove(&folder->todo);
        if (atomic_load_explicit(survey->stop, memory_order_relaxed))
            result = SURVEY_STOPPED;
        else
            result = read_folder(survey, folder);
    }
    return result;
}

static enum survey_result read_all(struct survey *survey)
{
    survey->folders.root = folders_add(&survey->folders, NULL, SLICE(""));
    if (!survey->folders.root)
        return SURVEY_AGAIN;
    folders_mark(&survey->folders, survey->folders.root, true);
    list_append(&survey->todo, &survey->folders.root->todo);
    survey_begin_pass(survey);
    return survey_read_todo(survey);
}

static enum survey_result open_notify(struct survey *survey)
{
    if (survey->rescans || notify_open(&survey->notify, survey->watches_max))
        return SURVEY_OK;
    if (errno == ENOMEM || errno == ENFILE)
        return SURVEY_AGAIN;
    if (errno != EMFILE)
        return SURVEY_NO_INOTIFY;
    int spare = fcntl(survey->files->root_fd, F_DUPFD_CLOEXEC, 0);
    if (spare < 0)
        return SURVEY_AGAIN; /* it is not about inotify: the process has no descriptor left */
    close(spare);
    return SURVEY_NO_INSTANCE;
}

enum survey_result survey_all(struct survey *survey, bool rescans)
{
    forget(survey);
    survey->rescans = rescans;
    enum survey_result result = open_notify(survey);
    if (result == SURVEY_OK)
        result = read_all(survey);
    if (result == SURVEY_OK)
        return SURVEY_OK;
    int error = errno;
    forget(survey);
    errno = error;
    return result;
}
