/* Walks the root, folder by folder, with one open folder at a time. What is found is named and measured here, and read
 * by loader when it is asked for. It decides what has no address: dotfiles, links that lead out or in a circle, FIFOs,
 * sockets, devices, and names that no request can spell. */
#include "serve/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/writer.h"
#include "http/target.h"
#include "serve/percent.h"

enum { NOT_BEFORE = SIZE_MAX, TEXTS_SIZE = 4000 };

struct tree_texts {
    struct tree_texts *next;
    size_t used, size;
    char bytes[];
};

/* What is to be known of a folder only until it has been read. */
struct walked {
    size_t earlier; /* which one of before's it is; NOT_BEFORE: none */
    unsigned depth;
};

struct walk {
    struct tree *tree;
    const struct files *files;
    const struct tree_before *before;
    struct walked *walked; /* for each folder */
    size_t walked_room;
    size_t look_at;      /* within before's folders: where the next one will probably be found */
    char path[PATH_MAX]; /* of the entry in hand */
};

static void skip_error(struct tree *tree, size_t folder, const char *path, int error)
{
    /* strerror: for the errors of the kernel it gives constant texts, so any thread may call it. */
    skips_add(&tree->skips, (uint32_t)folder, path,
              error == EXDEV ? "a link that leads out of the root" : strerror(error));
}

/* Indexes have 32 bits. */
static bool may_grow(size_t count)
{
    if (count < TREE_COUNT_MAX)
        return true;
    errno = ENOMEM;
    return false;
}

static bool make_texts(struct tree *tree, size_t least)
{
    size_t size = least > TEXTS_SIZE ? least : TEXTS_SIZE;
    struct tree_texts *texts = malloc(sizeof *texts + size);
    if (!texts)
        return false;
    *texts = (struct tree_texts){ .next = tree->texts, .size = size };
    tree->texts = texts;
    return true;
}

/* A copy with a NUL behind it. NULL: no memory. */
static char *keep_text(struct tree *tree, struct slice text)
{
    struct tree_texts *texts = tree->texts;
    if ((!texts || texts->size - texts->used < text.size + 1) && !make_texts(tree, text.size + 1))
        return NULL;
    texts = tree->texts;
    char *copy = texts->bytes + texts->used;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    texts->used += text.size + 1;
    return copy;
}

static bool add_folder(struct walk *walk, struct slice path, size_t parent, size_t earlier)
{
    struct tree *tree = walk->tree;
    if (!may_grow(tree->folder_count))
        return false;
    struct tree_folder *folders = array_grow(tree->folders, &tree->folder_room, tree->folder_count, sizeof *folders);
    if (!folders)
        return false;
    tree->folders = folders;
    struct walked *walked = array_grow(walk->walked, &walk->walked_room, tree->folder_count, sizeof *walked);
    if (!walked)
        return false;
    walk->walked = walked;

    char *copy = keep_text(tree, path);
    if (!copy)
        return false;
    unsigned depth = tree->folder_count == 0 ? 0 : walked[parent].depth + 1;
    walked[tree->folder_count] = (struct walked){ earlier, depth };
    folders[tree->folder_count++] = (struct tree_folder){ .path = slice_make(copy, path.size),
                                                          .parent = (uint32_t)parent };
    return true;
}

static bool list_page(struct tree *tree, struct page *page)
{
    struct page **pages = NULL;
    if (may_grow(tree->count))
        pages = array_grow(tree->pages, &tree->room, tree->count, sizeof *pages);
    if (!pages)
        return false;
    tree->pages = pages;
    pages[tree->count++] = page;
    return true;
}

/* One that was there before goes on where its file is the same. */
static struct page *earlier_page(const struct walk *walk, const struct stat *st)
{
    struct slice path = slice_text(walk->path);
    struct page *page = walk->before ? walk->before->find(walk->before->user, path) : NULL;
    return page && page_matches(page, st) ? page : NULL;
}

static bool share_page(struct tree *tree, struct page *page)
{
    if (!list_page(tree, page))
        return false;
    atomic_fetch_add_explicit(&page->count, 1, memory_order_relaxed);
    return true;
}

static bool add_page(struct walk *walk, struct slice path, const struct stat *st)
{
    struct page *page = earlier_page(walk, st);
    if (page)
        return share_page(walk->tree, page);
    page = page_new(path, st);
    if (page && list_page(walk->tree, page))
        return true;
    page_free(page);
    return false;
}

/* Whether some request has this name as the last segment of its normal path: not for a name with a backslash, or
 * one that is not UTF-8. What can be asked for is target's to say, so target is asked. */
static bool addressable(const char *name)
{
    char spelt[3 * NAME_MAX + 1], normal[3 * NAME_MAX + 1];
    size_t size = 0;
    struct writer w = writer_on(spelt, sizeof spelt);

    writer_byte(&w, '/');
    percent_write(&w, slice_text(name));
    return !w.overflowed && target_normalise(writer_slice(&w), normal, &size)
        && slice_equal(slice_make(normal + 1, size - 1), slice_text(name));
}

/* It is we who have too little: that says nothing about what is on the disk. Better no generation than one with
 * holes. */
static bool is_want(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/* What the entry is, behind its link if it is one. False: errno. */
static bool look(const struct walk *walk, int folder_fd, const char *name, struct stat *st)
{
    if (fstatat(folder_fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (!S_ISLNK(st->st_mode))
        return true;

    int fd = files_open(walk->files, walk->path);
    if (fd < 0)
        return false;
    bool known = fstat(fd, st) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return known;
}

/* Which folder of before's this one is. They are read in much the same order as then. */
static size_t find_earlier(struct walk *walk, size_t parent, struct slice path)
{
    if (parent == NOT_BEFORE)
        return NOT_BEFORE;
    const struct tree_folder *folders = walk->before->tree->folders, *in = &folders[parent];
    for (size_t i = 0; i < in->folder_count; i++) {
        size_t at = in->first_folder + (walk->look_at + i) % in->folder_count;
        if (!slice_equal(folders[at].path, path))
            continue;
        walk->look_at = at - in->first_folder + 1;
        return at;
    }
    return NOT_BEFORE;
}

/* The entry in hand. */
static void skip(struct walk *walk, size_t folder, const char *why)
{
    skips_add(&walk->tree->skips, (uint32_t)folder, walk->path, why);
}

/* False: no memory. */
static bool add_entry(struct walk *walk, size_t folder, struct slice path, const struct stat *st)
{
    if (S_ISREG(st->st_mode))
        return add_page(walk, path, st);
    if (!S_ISDIR(st->st_mode))
        skip(walk, folder, "neither a file nor a folder");
    else if (walk->walked[folder].depth == TREE_DEPTH_MAX)
        skip(walk, folder, "too many folders within folders");
    else
        return add_folder(walk, path, folder, find_earlier(walk, walk->walked[folder].earlier, path));
    return true;
}

/* False: errno is a want of ours. */
static bool skip_unseen(struct walk *walk, size_t folder)
{
    if (is_want(errno))
        return false;
    skip_error(walk->tree, folder, walk->path, errno);
    return true;
}

/* False: no memory, or another want. */
static bool visit_entry(struct walk *walk, int folder_fd, size_t folder, const char *name)
{
    struct slice within = walk->tree->folders[folder].path;
    struct writer w = writer_on(walk->path, sizeof walk->path - 1);
    struct stat st;

    writer_put(&w, within);
    if (within.size > 0)
        writer_byte(&w, '/');
    writer_text(&w, name);
    *w.at = '\0';
    if (files_hidden(w.overflowed ? name : walk->path))
        return true;
    if (w.overflowed)
        skips_add(&walk->tree->skips, (uint32_t)folder, within.data, "a path in it is too long");
    else if (!addressable(name))
        skip(walk, folder, "a name that is not UTF-8, or has a backslash, has no address");
    else if (!look(walk, folder_fd, name, &st))
        return skip_unseen(walk, folder);
    else
        return add_entry(walk, folder, writer_slice(&w), &st);
    return true;
}

/* A folder that lies within itself, by way of a link. */
static bool circular(const struct walk *walk, size_t folder)
{
    const struct tree_folder *self = &walk->tree->folders[folder];

    while (folder != 0) {
        folder = walk->tree->folders[folder].parent;
        if (walk->tree->folders[folder].inode == self->inode && walk->tree->folders[folder].device == self->device)
            return true;
    }
    return false;
}

/* The entries of an open folder; takes the descriptor. False: errno, a want of ours. */
static bool read_folder(struct walk *walk, size_t folder, int fd)
{
    DIR *entries = fdopendir(fd);
    if (!entries) {
        close(fd);
        return false;
    }
    bool ok = true;
    while (ok) {
        errno = 0;
        const struct dirent *entry = readdir(entries);
        if (!entry)
            break;
        ok = visit_entry(walk, fd, folder, entry->d_name);
    }
    if (ok && errno != 0)
        skip_error(walk->tree, folder, walk->tree->folders[folder].path.data, errno);
    int error = errno;
    closedir(entries);
    errno = error;
    return ok;
}

/* As it was before. The inode, too: had another folder taken its place, then its parent would have changed. */
static bool take_over(struct walk *walk, size_t folder)
{
    const struct tree *tree = walk->before->tree;
    const struct tree_folder *earlier = &tree->folders[walk->walked[folder].earlier];

    walk->tree->folders[folder].device = earlier->device;
    walk->tree->folders[folder].inode = earlier->inode;
    skips_take_over(&walk->tree->skips, (uint32_t)folder, (uint32_t)walk->walked[folder].earlier);
    for (size_t i = 0; i < earlier->page_count; i++)
        if (!share_page(walk->tree, tree->pages[earlier->first_page + i]))
            return false;
    for (size_t i = 0; i < earlier->folder_count; i++)
        if (!add_folder(walk, tree->folders[earlier->first_folder + i].path, folder, earlier->first_folder + i))
            return false;
    return true;
}

/* False: errno, a want of ours, or it is the root that cannot be read. */
static bool open_folder(struct walk *walk, size_t folder)
{
    struct slice path = walk->tree->folders[folder].path;
    struct stat st = { 0 };
    int fd = files_open(walk->files, path.data);

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode)) {
        int error = fd < 0 ? errno : ENOTDIR;
        if (fd >= 0)
            close(fd);
        skip_error(walk->tree, folder, path.data, error);
        errno = error;
        return folder != 0 && !is_want(error);
    }
    walk->tree->folders[folder].device = (uint32_t)st.st_dev;
    walk->tree->folders[folder].inode = st.st_ino;
    if (circular(walk, folder)) {
        close(fd);
        skips_add(&walk->tree->skips, (uint32_t)folder, path.data, "a link to a folder that it lies in");
        return true;
    }
    return read_folder(walk, folder, fd);
}

static bool visit_folder(struct walk *walk, size_t folder)
{
    struct tree *tree = walk->tree;
    size_t pages = tree->count, folders = tree->folder_count;
    bool same = walk->before && walk->walked[folder].earlier != NOT_BEFORE &&
                !changes_touch(walk->before->changes, tree->folders[folder].path);

    walk->look_at = 0;
    if (!(same ? take_over(walk, folder) : open_folder(walk, folder)))
        return false;
    tree->folders[folder].first_page = (uint32_t)pages;
    tree->folders[folder].page_count = (uint32_t)(tree->count - pages);
    tree->folders[folder].first_folder = (uint32_t)folders;
    tree->folders[folder].folder_count = (uint32_t)(tree->folder_count - folders);
    return true;
}

/* What was room for more is given back, as far as that is possible. */
static void *fit(void *array, size_t *room, size_t count, size_t size)
{
    void *fitting = count > 0 && count < *room ? reallocarray(array, count, size) : NULL;
    if (fitting)
        *room = count;
    return fitting ? fitting : array;
}

bool tree_walk(struct tree *tree, const struct files *files, const struct tree_before *before, const struct log *log)
{
    struct walk walk = { .tree = tree, .files = files, .before = before && before->tree ? before : NULL };
    *tree = (struct tree){ .count = 0 };
    skips_begin(&tree->skips, log, before ? before->skips : NULL);

    bool ok = add_folder(&walk, SLICE(""), 0, walk.before ? 0 : NOT_BEFORE);
    for (size_t i = 0; ok && i < tree->folder_count; i++)
        ok = visit_folder(&walk, i);

    int error = errno;
    skips_end(&tree->skips);
    tree->pages = fit(tree->pages, &tree->room, tree->count, sizeof *tree->pages);
    tree->folders = fit(tree->folders, &tree->folder_room, tree->folder_count, sizeof *tree->folders);
    free(walk.walked);
    errno = error;
    return ok;
}

void tree_fini(struct tree *tree)
{
    while (tree->texts) {
        struct tree_texts *texts = tree->texts;
        tree->texts = texts->next;
        free(texts);
    }
    free(tree->folders);
    free(tree->pages);
    tree->folders = NULL;
    tree->pages = NULL;
    tree->count = tree->room = tree->folder_count = tree->folder_room = 0;
}
