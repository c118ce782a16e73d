/* Which folders have changed: every kind of event on real folders, links, moves, races, lost events, watches that run
 * out, and the walk that does without inotify. An event is in the queue when the call that made it returns, so
 * nothing here waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "scratch.h"
#include "serve/survey.h"

/* ---- Faults ----------------------------------------------------------------------------------------------------- */

static int allocations_left = -1; /* -1: no limit */
static int init_error;            /* errno for inotify_init1; 0: none */
static int watches_left = -1;     /* then inotify_add_watch fails */
static int watch_error;
static int folders_left = -1;     /* then fdopendir fails */
static long file_system;          /* what every file system is said to be; 0: what it is */

static bool used_up(int *left)
{
    if (*left == 0)
        return true;
    if (*left > 0)
        --*left;
    return false;
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    if (!used_up(&allocations_left))
        return __real_calloc(count, size);
    errno = ENOMEM;
    return NULL;
}

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __wrap_inotify_init1(int flags)
{
    if (!init_error)
        return __real_inotify_init1(flags);
    errno = init_error;
    return -1;
}

int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (!used_up(&watches_left))
        return __real_inotify_add_watch(fd, path, mask);
    errno = watch_error;
    return -1;
}

DIR *__real_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd);
DIR *__wrap_fdopendir(int fd)
{
    if (!used_up(&folders_left))
        return __real_fdopendir(fd);
    errno = ENOMEM;
    return NULL;
}

/* fstatfs under the name that it has with 64-bit offsets, which Meson asks for. */
int __real_fstatfs64(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs);
int __wrap_fstatfs64(int fd, struct statfs *fs)
{
    if (file_system == -1) {
        errno = EIO;
        return -1;
    }
    int result = __real_fstatfs64(fd, fs);
    if (file_system)
        fs->f_type = file_system;
    return result;
}

/* fstatat with 64-bit offsets. */
static bool coarse; /* a file system whose stamps are whole seconds */

int __real_fstatat64(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat64(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat64(int fd, const char *path, struct stat *st, int flags)
{
    int result = __real_fstatat64(fd, path, st, flags);
    if (coarse)
        st->st_mtim.tv_nsec = st->st_ctim.tv_nsec = 0;
    return result;
}

/* ---- A tree and its survey -------------------------------------------------------------------------------------- */

static struct scratch scratch;
static struct survey survey;
static atomic_bool stop;

static int start(void **state)
{
    (void)state;
    allocations_left = watches_left = folders_left = -1;
    init_error = 0;
    file_system = 0;
    coarse = false;
    atomic_store(&stop, false);
    scratch_open(&scratch);
    survey_init(&survey, &scratch.files, &stop, SIZE_MAX);
    return 0;
}

static int end(void **state)
{
    (void)state;
    allocations_left = watches_left = folders_left = -1;
    survey_fini(&survey);
    scratch_close(&scratch);
    return 0;
}

static void make_tree(const char *paths)
{
    char path[PATH_MAX];
    struct slice rest = slice_text(paths);
    while (rest.size > 0) {
        struct slice word = slice_part(rest, 0, slice_find(rest, ' '));
        rest = slice_skip(rest, word.size + (word.size < rest.size));
        snprintf(path, sizeof path, "root/%.*s", (int)word.size, word.data);
        if (slice_ends(word, SLICE("/")))
            scratch_mkdir(&scratch, path);
        else
            scratch_write(&scratch, path, "content");
    }
}

static void move(const char *from, const char *to)
{
    assert_int_equal(renameat(scratch.fd, from, scratch.fd, to), 0);
}

static void delete(const char *path)
{
    struct stat st;
    assert_int_equal(fstatat(scratch.fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(unlinkat(scratch.fd, path, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0), 0);
}

static void permit(const char *path, mode_t mode)
{
    assert_int_equal(fchmodat(scratch.fd, path, mode, 0), 0);
}

static void surveyed(void)
{
    assert_int_equal(survey_all(&survey, false), SURVEY_OK);
    folders_unmark_all(&survey.folders);
}

/* Takes in all events there are. */
static enum survey_result take_all(bool *mattered)
{
    _Alignas(struct inotify_event) char buffer[64 * 1024];
    enum survey_result result = SURVEY_OK;
    size_t size = 0;

    *mattered = false;
    while (result == SURVEY_OK && (size = notify_read(&survey.notify, buffer, sizeof buffer)) > 0)
        for (size_t at = 0; at < size && result == SURVEY_OK;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            result = survey_event(&survey, event, mattered);
            at += sizeof *event + event->len;
        }
    return result;
}

static const char *marked(void)
{
    static char text[4096];
    size_t used = 0;
    struct changes *changes = folders_changes(&survey.folders, 100);

    assert_non_null(changes);
    text[0] = '\0';
    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->at[i];
        bool root = change->folder.size == 0 && !change->beneath;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s", i ? " " : "", change->folder.data,
                                 root ? "." : change->beneath ? "/" : "");
    }
    free(changes);
    folders_unmark_all(&survey.folders);
    return text;
}

/* What has changed by now: "." the root, "a" a folder, "a/" with all beneath it. */
static void changed(const char *expected)
{
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_OK);
    assert_int_equal(survey_links(&survey), SURVEY_OK);
    assert_true(list_empty(&survey.todo));
    assert_string_equal(marked(), expected);
    if (*expected)
        assert_true(mattered);
}

/* Nothing that happened was of any interest. */
static void ignored(void)
{
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_OK);
    assert_false(mattered);
    changed("");
}

/* Each folder that is known is watched: a file that comes and goes in it is noticed. */
static void alive(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "root/%s%salive", folder, *folder ? "/" : "");
    scratch_write(&scratch, path, "");
    changed(*folder ? folder : ".");
    delete(path);
    changed(*folder ? folder : ".");
}

/* ---- Files ------------------------------------------------------------------------------------------------------ */

static void at_first_everything(void **state)
{
    (void)state;
    make_tree("a/ a/b/ x a/y");
    assert_int_equal(survey_all(&survey, false), SURVEY_OK);
    assert_string_equal(marked(), "/");
    assert_int_equal(survey.folders.by_name.count, 3);
    assert_int_equal(survey.notify.watches.count, 3);
    changed("");
    alive("");
    alive("a");
    alive("a/b");
    assert_int_equal(survey_all(&survey, false), SURVEY_OK); /* and again from the start */
    assert_string_equal(marked(), "/");
    alive("a/b");
}

static void files_of_every_fate(void **state)
{
    (void)state;
    make_tree("a/ b/ a/f a/g b/h");
    scratch_mkdir(&scratch, "beside");
    scratch_write(&scratch, "beside/o", "o");
    surveyed();

    scratch_write(&scratch, "root/a/new", "1");
    changed("a");
    scratch_write(&scratch, "root/a/new", "22"); /* rewritten */
    changed("a");
    scratch_write(&scratch, "root/top", "");
    changed(".");
    permit("root/a/f", 0600);
    changed("a");
    scratch_date(&scratch, "root/a/f", 1000, 0);
    changed("a");
    move("root/a/f", "root/a/f2");
    changed("a");
    move("root/a/f2", "root/b/f3");
    changed("a b");
    move("root/b/f3", "root/b/h"); /* in the place of another one */
    changed("b");
    move("root/b/h", "beside/h");
    changed("b");
    move("beside/o", "root/a/o");
    changed("a");
    assert_int_equal(linkat(scratch.fd, "beside/h", scratch.fd, "root/b/hard", 0), 0);
    changed("b");
    delete("root/a/g");
    delete("root/b/hard");
    changed("a b");
}

static void a_file_that_is_kept_open(void **state)
{
    (void)state;
    make_tree("a/ a/log");
    surveyed();
    int fd = openat(scratch.fd, "root/a/log", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    changed("");
    assert_int_equal(write(fd, "line", 4), 4);
    changed("a");
    assert_int_equal(ftruncate(fd, 0), 0);
    changed("a");
    close(fd);
    changed("a");
}

static void reading_is_no_change(void **state)
{
    char byte = 0;
    (void)state;
    make_tree("a/ a/f");
    surveyed();
    int fd = files_open(&scratch.files, "a/f");
    assert_int_equal(read(fd, &byte, 1), 1);
    close(fd);
    close(files_open(&scratch.files, "a"));
    ignored();
}

static void dotfiles_do_not_matter(void **state)
{
    (void)state;
    make_tree("a/ .git/ .git/objects/ .well-known/ .well-known/x/ a/.hidden/ a/.well-known/");
    surveyed();
    assert_int_equal(survey.notify.watches.count, 4); /* the root, a, .well-known, x */
    scratch_write(&scratch, "root/.git/index", "");
    scratch_write(&scratch, "root/.env", "");
    scratch_write(&scratch, "root/a/.f.swp", "");
    scratch_mkdir(&scratch, "root/.cache");
    ignored();
    alive(".well-known");
    alive(".well-known/x");

    move("root/a/.f.swp", "root/a/f"); /* as editors save */
    changed("a");
    move("root/a", "root/.a");
    changed(".");
    scratch_write(&scratch, "root/.a/f", "");
    ignored();
}

/* ---- Folders ---------------------------------------------------------------------------------------------------- */

static void new_folder(void **state)
{
    (void)state;
    surveyed();
    make_tree("n/");
    changed(". n/");
    alive("n");
    make_tree("n/m/ n/m/f");
    changed("n n/m/");
    alive("n/m");
}

/* All before the first event is read: what was made before there was a watch is found by reading. */
static void folder_filled_in_one_go(void **state)
{
    (void)state;
    surveyed();
    make_tree("n/ n/f n/a/ n/a/b/ n/a/b/c/ n/a/b/c/d/ n/a/b/c/d/f n/e/ n/e/f");
    changed(". n/");
    assert_int_equal(survey.folders.by_name.count, 7);
    alive("n");
    alive("n/a/b/c/d");
    alive("n/e");
}

/* The watch on the upper folder is there while the lower ones come, in every position. */
static void folders_made_while_looking(void **state)
{
    char path[PATH_MAX];
    (void)state;
    surveyed();
    for (unsigned round = 0; round < 12; round++) {
        size_t size = (size_t)snprintf(path, sizeof path, "root/r%u", round);
        for (unsigned depth = 0; depth < 12; depth++) {
            scratch_mkdir(&scratch, path);
            if (depth == round) {
                bool mattered = false;
                assert_int_equal(take_all(&mattered), SURVEY_OK);
                assert_true(mattered);
            }
            size += (size_t)snprintf(path + size, sizeof path - size, "/d");
        }
        snprintf(path + size, sizeof path - size, "/file");
        path[size - 2] = '\0';
        bool mattered = false;
        assert_int_equal(take_all(&mattered), SURVEY_OK);
        marked();
        assert_int_equal(survey.folders.by_name.count, 1 + 12 * (round + 1));
        assert_int_equal(survey.notify.watches.count, 1 + 12 * (round + 1));
        alive(path + strlen("root/"));
    }
}

static void folders_moved(void **state)
{
    (void)state;
    make_tree("a/ a/x/ a/x/y/ a/x/y/f b/");
    scratch_mkdir(&scratch, "beside");
    scratch_mkdir(&scratch, "beside/deep");
    scratch_mkdir(&scratch, "beside/deep/er");
    scratch_write(&scratch, "beside/deep/er/f", "");
    surveyed();

    move("root/a/x", "root/a/z"); /* within one */
    changed("a a/z/");
    alive("a/z/y");
    move("root/a/z", "root/b/x"); /* to another one */
    changed("a b b/x/");
    alive("b/x/y");
    move("beside/deep", "root/b/in"); /* in */
    changed("b b/in/");
    alive("b/in/er");
    move("root/b/x", "beside/x"); /* out */
    changed("b");
    scratch_write(&scratch, "beside/x/y/f", "");
    ignored();
    assert_int_equal(survey.folders.by_name.count, 5); /* the root, a, b, b/in, b/in/er */
    assert_int_equal(survey.notify.watches.count, 5);
}

/* mv site site.old; mv site.new site, as deploys do. */
static void folder_swapped(void **state)
{
    (void)state;
    make_tree("site/ site/old/ site/f new/ new/young/ new/f");
    surveyed();
    move("root/site", "root/site.old");
    move("root/new", "root/site");
    changed(". site/ site.old/");
    alive("site/young");
    alive("site.old/old");
    assert_null(folders_find(&survey.folders, survey.folders.root, SLICE("new")));

    assert_int_equal(renameat2(scratch.fd, "root/site", scratch.fd, "root/site.old", RENAME_EXCHANGE), 0);
    changed(". site/ site.old/");
    alive("site/old");
    alive("site.old/young");
}

static void folder_deleted_and_made_again(void **state)
{
    (void)state;
    make_tree("a/ a/b/ a/b/f");
    surveyed();
    delete("root/a/b/f");
    delete("root/a/b");
    delete("root/a");
    changed(".");
    assert_int_equal(survey.folders.by_name.count, 1);
    assert_int_equal(survey.notify.watches.count, 1);
    make_tree("a/");
    changed(". a/");

    for (unsigned i = 0; i < 20; i++) { /* the inode number is likely to be the same again */
        delete("root/a");
        make_tree("a/ a/b/");
        delete("root/a/b");
        if (i % 3 == 0)
            changed(". a/");
    }
    changed(". a/");
    alive("a");
    assert_int_equal(survey.notify.watches.count, 2);
}

static void file_becomes_folder(void **state)
{
    (void)state;
    make_tree("a/ t");
    surveyed();
    delete("root/t");
    make_tree("t/ t/f");
    delete("root/a");
    scratch_write(&scratch, "root/a", "file");
    changed(". t/");
    alive("t");
    assert_null(folders_find(&survey.folders, survey.folders.root, SLICE("a")));
}

static void thousand_files_moved_in(void **state)
{
    char path[64];
    (void)state;
    make_tree("d/");
    scratch_mkdir(&scratch, "beside");
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(path, sizeof path, "beside/%u", i);
        scratch_write(&scratch, path, "");
    }
    surveyed();
    for (unsigned i = 0; i < 1000; i++) {
        char to[64];
        snprintf(path, sizeof path, "beside/%u", i);
        snprintf(to, sizeof to, "root/d/%u", i);
        move(path, to);
    }
    changed("d");
    move("root/d", "beside/d");
    changed(".");
    move("beside/d", "root/d");
    changed(". d/");
}

static void names_of_all_kinds(void **state)
{
    char longest[NAME_MAX + 1], path[PATH_MAX];
    (void)state;
    memset(longest, 'n', NAME_MAX);
    longest[NAME_MAX] = '\0';
    surveyed();
    make_tree("sp\tace/ back\\slash/ \xff\xfe/ a-b/ a/");
    snprintf(path, sizeof path, "root/%s", longest);
    scratch_mkdir(&scratch, path);
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_OK);
    marked();
    assert_int_equal(survey.notify.watches.count, 7);
    alive(longest);
    alive("\xff\xfe");
}

/* ---- Permissions ------------------------------------------------------------------------------------------------ */

static void folder_that_may_not_be_read(void **state)
{
    (void)state;
    make_tree("a/ a/b/ c/");
    permit("root/a", 0);
    scratch_drop_root();
    surveyed();
    scratch_regain_root();
    assert_int_equal(survey.notify.watches.count, 2);
    alive("c"); /* the rest goes on */
    permit("root/a", 0755);
    changed(". a/");
    alive("a");
    alive("a/b");

    permit("root/a", 0700);
    changed(". a/");
    permit("root/a", 0755);
    scratch_date(&scratch, "root/a", 1000, 0); /* as rsync does, when a folder's files are done */
    changed(". a/");
    scratch_date(&scratch, "root/a", 2000, 0);
    changed(".");
    scratch_date(&scratch, "root", 2000, 0);
    ignored();
    alive("a/b");
}

static void root_that_changes_its_permissions(void **state)
{
    (void)state;
    make_tree("a/");
    surveyed();
    permit("root", 0700);
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_LOST);
    assert_true(mattered);
}

/* ---- Links ------------------------------------------------------------------------------------------------------ */

static void link_to_a_file(void **state)
{
    (void)state;
    make_tree("a/ b/ b/f c/ b/sub/");
    scratch_link(&scratch, "root/a/l", "../b/f");
    surveyed();
    scratch_write(&scratch, "root/b/f", "changed");
    changed("a b");
    scratch_write(&scratch, "root/c/f", "no matter");
    changed("c");
    scratch_write(&scratch, "root/b/sub/f", "no matter");
    changed("b/sub");
    move("root/b/f", "root/b/g");
    changed("a b");
    scratch_write(&scratch, "root/b/f", "again");
    changed("a b");

    delete("root/a/l");
    scratch_link(&scratch, "root/a/l", "../c/f"); /* leads elsewhere now */
    changed("a");
    scratch_write(&scratch, "root/c/f", "it matters now");
    changed("a c");
    delete("root/a/l");
    changed("a");
    scratch_write(&scratch, "root/c/f", "no matter");
    changed("c");
}

static void link_to_a_folder(void **state)
{
    (void)state;
    make_tree("v1/ v1/x/ v1/x/f v2/ v2/y/");
    scratch_link(&scratch, "root/latest", "v1");
    surveyed();
    assert_int_equal(survey.folders.by_name.count, 7);
    assert_int_equal(survey.notify.watches.count, 5); /* paths to one folder share its watch */
    scratch_write(&scratch, "root/v1/x/f", "changed");
    changed("latest/x v1/x");
    make_tree("v1/n/");
    changed("latest latest/n/ v1 v1/n/");

    scratch_link(&scratch, "root/latest.new", "v2"); /* ln -sfn */
    move("root/latest.new", "root/latest");
    changed(". latest/");
    scratch_write(&scratch, "root/v2/y/f", "");
    changed("latest/y v2/y");
    scratch_write(&scratch, "root/v1/x/f", "");
    changed("v1/x");
    delete("root/latest");
    changed(".");
    scratch_write(&scratch, "root/v2/y/f", "");
    changed("v2/y");
}

/* What a link leads to by way of another one, whose folder has nothing else to do with it. */
static void link_by_way_of_a_link(void **state)
{
    (void)state;
    make_tree("page/ far/ far/off/ v1/ v1/f v1/d/ v2/ v2/f v2/d/");
    scratch_link(&scratch, "root/far/off/cur", "../../v1");
    scratch_link(&scratch, "root/page/f", "./../far//off/cur/f");
    scratch_link(&scratch, "root/page/d", "../far/off/cur/d");
    surveyed();
    scratch_write(&scratch, "root/v1/d/x", "");
    changed("far/off/cur/d page/d v1/d");
    scratch_link(&scratch, "root/far/off/new", "../../v2");
    move("root/far/off/new", "root/far/off/cur");
    changed("far/off far/off/cur/ page page/d/");
    scratch_write(&scratch, "root/v2/d/x", "");
    changed("far/off/cur/d page/d v2/d");
    scratch_write(&scratch, "root/v1/d/x", "");
    changed("v1/d");
}

/* Kubernetes: f -> ..data/f, ..data -> ..2024, and the swap renames a new ..data over the old one. */
static void link_through_dotfolders(void **state)
{
    (void)state;
    make_tree("..2024/ ..2024/f ..2025/ ..2025/f");
    scratch_link(&scratch, "root/..data", "..2024");
    scratch_link(&scratch, "root/f", "..data/f");
    surveyed();
    assert_int_equal(survey.notify.watches.count, 2); /* the root and ..2024 */
    scratch_write(&scratch, "root/..2024/f", "changed");
    changed(".");
    scratch_write(&scratch, "root/..2025/f", "not yet");
    ignored();
    scratch_link(&scratch, "root/..data_tmp", "..2025");
    move("root/..data_tmp", "root/..data");
    changed(".");
    assert_int_equal(survey.notify.watches.count, 2); /* ..2025 instead of ..2024 */
    scratch_write(&scratch, "root/..2025/f", "now");
    changed(".");
    scratch_write(&scratch, "root/..2024/f", "not any more");
    ignored();
    delete("root/..2024/f");
    delete("root/..2024");
    changed(".");
    assert_int_equal(survey.notify.watches.count, 2);
}

static void link_that_dangles(void **state)
{
    (void)state;
    make_tree("a/ b/");
    scratch_link(&scratch, "root/a/l", "../b/not/yet");
    surveyed();
    make_tree("b/not/");
    changed("a b b/not/");
    make_tree("b/not/yet");
    changed("a b/not");
    scratch_write(&scratch, "root/b/not/yet", "there");
    changed("a b/not");
}

static void links_that_lead_nowhere(void **state)
{
    (void)state;
    make_tree("a/ a/b/ out/");
    scratch_mkdir(&scratch, "beside");
    scratch_link(&scratch, "root/a/self", "self");
    scratch_link(&scratch, "root/a/up", "../../beside");
    scratch_link(&scratch, "root/a/abs", "/tmp");
    scratch_link(&scratch, "root/a/circle", "../a");
    scratch_link(&scratch, "root/a/b/ping", "pong");
    scratch_link(&scratch, "root/a/b/pong", "ping");
    scratch_link(&scratch, "root/a/around", "../out/../a/b/../b");
    surveyed();
    scratch_write(&scratch, "beside/f", "");
    ignored();
    scratch_write(&scratch, "root/a/b/f", "");
    changed("a a/around a/b");
    alive("out");
}

static void link_that_is_too_long(void **state)
{
    char target[PATH_MAX];
    (void)state;
    make_tree("a/");
    for (size_t i = 0; i + 2 < sizeof target; i += 2) /* 4,094 bytes, and with what stands before it too many */
        memcpy(target + i, "./", 3);
    target[PATH_MAX - 2] = '\0';
    scratch_link(&scratch, "root/a/l", target);
    surveyed();
    alive("a");
}

static void folders_too_deep(void **state)
{
    char path[PATH_MAX] = "root";
    size_t size = strlen(path);
    (void)state;
    for (unsigned i = 0; i < 70; i++) {
        size += (size_t)snprintf(path + size, sizeof path - size, "/d");
        scratch_mkdir(&scratch, path);
    }
    surveyed();
    assert_int_equal(survey.folders.by_name.count, 65);
    assert_false(survey.crowded);
}

static void too_many_folders(void **state)
{
    (void)state;
    surveyed();
    survey.folders.by_name.count += FOLDERS_MAX - 1; /* as if */
    make_tree("a/");
    changed(".");
    assert_true(survey.crowded);
    survey.folders.by_name.count -= FOLDERS_MAX - 1;
}

/* ---- What goes wrong -------------------------------------------------------------------------------------------- */

static void events_that_are_lost(void **state)
{
    static const uint32_t masks[] = { IN_Q_OVERFLOW, IN_UNMOUNT };
    (void)state;
    surveyed();
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        struct inotify_event event = { .wd = -1, .mask = masks[i] };
        bool mattered = false;
        assert_int_equal(survey_event(&survey, &event, &mattered), SURVEY_LOST);
        assert_true(mattered);
    }
    struct inotify_event unknown = { .wd = 12345, .mask = IN_MODIFY };
    bool mattered = false;
    assert_int_equal(survey_event(&survey, &unknown, &mattered), SURVEY_OK);
    assert_false(mattered);
}

static void watches_run_out(void **state)
{
    (void)state;
    make_tree("a/ a/b/ c/");
    survey.watches_max = 3; /* of 4 */
    assert_int_equal(survey_all(&survey, false), SURVEY_NO_WATCHES);
    assert_int_equal(survey.notify.fd, -1); /* and all are given back */
    assert_null(survey.folders.root);
    survey.watches_max = 4;
    surveyed();
    make_tree("d/");
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_NO_WATCHES);

    survey.watches_max = SIZE_MAX;
    watch_error = ENOSPC; /* the kernel's limit */
    for (watches_left = 0; watches_left < 5; watches_left++) {
        int left = watches_left;
        assert_int_equal(survey_all(&survey, false), SURVEY_NO_WATCHES);
        watches_left = left;
    }
    watches_left = 5;
    surveyed();
}

static void watches_for_links_run_out(void **state)
{
    (void)state;
    make_tree(".h/ .h/f");
    scratch_link(&scratch, "root/l", ".h/f");
    survey.watches_max = 1;
    assert_int_equal(survey_all(&survey, false), SURVEY_NO_WATCHES);
    survey.watches_max = 2;
    surveyed();
    make_tree(".i/ .i/f");
    scratch_link(&scratch, "root/m", ".i/f");
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_NO_WATCHES);
}

static void no_inotify(void **state)
{
    static const struct {
        int error;
        enum survey_result result;
    } rows[] = {
        { ENOSYS, SURVEY_NO_INOTIFY }, { EPERM, SURVEY_NO_INOTIFY },      { ENOMEM, SURVEY_AGAIN },
        { ENFILE, SURVEY_AGAIN },      { EMFILE, SURVEY_NO_INSTANCE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        init_error = rows[i].error;
        assert_int_equal(survey_all(&survey, false), rows[i].result);
    }
    init_error = 0;
    watch_error = ENOENT; /* no /proc */
    watches_left = 0;
    assert_int_equal(survey_all(&survey, false), SURVEY_NO_INOTIFY);
    make_tree("a/");
    watches_left = 1; /* a folder that cannot be watched is the folder's own trouble */
    surveyed();
}

static void file_systems_of_others(void **state)
{
    (void)state;
    file_system = 0x6969; /* NFS */
    assert_int_equal(survey_all(&survey, false), SURVEY_REMOTE);
    assert_int_equal(survey_all(&survey, true), SURVEY_OK);
    file_system = 0xff534d42; /* CIFS: the sign bit is set in a long of 32 bits */
    assert_int_equal(survey_all(&survey, false), SURVEY_REMOTE);
    file_system = 0xef53; /* ext4 */
    assert_int_equal(survey_all(&survey, false), SURVEY_OK);
    file_system = -1; /* it does not say */
    assert_int_equal(survey_all(&survey, false), SURVEY_OK);
}

static void memory_at_every_step(void **state)
{
    (void)state;
    make_tree("a/ a/b/ .h/ .h/f c/ c/d/");
    scratch_link(&scratch, "root/a/l", "../.h/f");
    scratch_link(&scratch, "root/m", "c");
    for (int i = 0;; i++) {
        allocations_left = i;
        enum survey_result result = survey_all(&survey, i % 2);
        bool enough = allocations_left > 0;
        allocations_left = -1;
        if (enough)
            break;
        if (result != SURVEY_OK) /* a table that cannot grow makes do with longer chains */
            assert_int_equal(result, SURVEY_AGAIN);
        assert_true(i < 100);
    }
    for (folders_left = 0; folders_left < 6; folders_left++) {
        int left = folders_left;
        assert_int_equal(survey_all(&survey, false), SURVEY_AGAIN);
        folders_left = left;
    }
    folders_left = -1;
    surveyed();
    make_tree("n/");
    allocations_left = 0;
    bool mattered = false;
    assert_int_equal(take_all(&mattered), SURVEY_AGAIN);
    allocations_left = -1;
    surveyed();
    scratch_link(&scratch, "root/a/k", "../.h/f"); /* there is one in this folder already */
    assert_int_equal(take_all(&mattered), SURVEY_OK);
    folders_left = 0; /* while links are followed anew */
    assert_int_equal(survey_links(&survey), SURVEY_AGAIN);
}

static void descriptors_run_out(void **state)
{
    struct rlimit before, none;
    (void)state;
    make_tree("a/");
    scratch_link(&scratch, "root/l", "a");
    surveyed();
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    int spare = dup(0);
    close(spare);
    none.rlim_cur = (rlim_t)spare;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    scratch_mkdir(&scratch, "root/n");
    bool mattered = false;
    enum survey_result at_event = take_all(&mattered), from_start = survey_all(&survey, false);
    enum survey_result rescanning = survey_all(&survey, true);
    int last = dup(0); /* where the queue's descriptor was */
    init_error = EMFILE;
    enum survey_result without_queue = survey_all(&survey, false);
    init_error = 0;
    close(last);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(at_event, SURVEY_AGAIN);
    assert_int_equal(from_start, SURVEY_AGAIN);
    assert_int_equal(rescanning, SURVEY_AGAIN);
    assert_int_equal(without_queue, SURVEY_AGAIN); /* and not SURVEY_NO_INSTANCE */
    surveyed();
    alive("n");
}

static void stopped(void **state)
{
    (void)state;
    atomic_store(&stop, true);
    assert_int_equal(survey_all(&survey, false), SURVEY_STOPPED);
    assert_int_equal(survey_all(&survey, true), SURVEY_STOPPED);
}

/* ---- Rescanning ------------------------------------------------------------------------------------------------- */

enum { TURN_MS = 3600 * 1000 }; /* everything is read in each pass */

/* What is as young as a tick is looked at twice; these tests begin with a tree that is older. */
static void rescanned_first(void)
{
    assert_int_equal(survey_all(&survey, true), SURVEY_OK);
    assert_int_equal(survey.notify.fd, -1);
    assert_string_equal(marked(), "/");
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
        if (!*marked())
            return;
        usleep(10 * 1000);
    }
    fail_msg("it does not come to rest");
}

/* What the next walk finds, and that what was young then comes to rest. */
static void found(const char *expected)
{
    assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
    assert_string_equal(marked(), expected);
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
        if (!*marked())
            return;
        usleep(10 * 1000);
    }
    fail_msg("it does not come to rest after \"%s\"", expected);
}

static void rescan_finds_all(void **state)
{
    (void)state;
    make_tree("a/ a/b/ a/b/f c/ c/f .h/ .h/f");
    scratch_mkdir(&scratch, "beside");
    scratch_link(&scratch, "root/c/l", "../.h/f");
    rescanned_first();

    scratch_write(&scratch, "root/a/b/f", "longer than before");
    found("a/b");
    scratch_write(&scratch, "root/a/b/f", "longer than BEFORE");
    found("a/b");
    permit("root/a/b/f", 0600);
    found("a/b");
    scratch_write(&scratch, "root/.h/f", "behind the link");
    found("c");
    scratch_write(&scratch, "root/.h/g", "no matter");
    found("");
    make_tree("n/ n/m/ n/m/o/ n/f");
    found(". n/");
    scratch_write(&scratch, "root/n/m/o/f", "");
    found("n/m/o");
    move("root/n/m", "root/a/m");
    found("a a/m/ n");
    move("root/a/m", "beside/m");
    found("a");
    delete("root/a/b/f");
    delete("root/a/b");
    found("a");
    assert_int_equal(survey.folders.by_name.count, 4); /* the root, a, c, n */
    delete("root/c/l");
    scratch_link(&scratch, "root/c/l", "../a");
    found("c c/l/");
    scratch_write(&scratch, "root/a/f", "");
    found("a c/l");
    permit("root/a", 0700);
    found(". c");
}

/* The same size, again and again, within a tick of the clock by which files are stamped. */
static void rescan_sees_what_keeps_its_looks(void **state)
{
    (void)state;
    make_tree("a/ a/f");
    rescanned_first();
    for (unsigned i = 0; i < 100; i++) {
        coarse = i >= 50;
        scratch_write(&scratch, "root/a/f", i % 2 ? "1st one" : "2nd one");
        assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
        assert_string_equal(marked(), "a");
    }
}

/* Whoever was told of the last change may have read the folder while it was there. */
static void rescan_sees_what_came_and_went(void **state)
{
    (void)state;
    make_tree("a/ a/f");
    rescanned_first();
    scratch_write(&scratch, "root/a/g", "there");
    delete("root/a/g");
    found("a");
}

static struct folder *folder_at(const char *path)
{
    struct slice rest = slice_text(path);
    struct folder *folder = survey.folders.root;
    while (folder && rest.size > 0) {
        struct slice name = slice_part(rest, 0, slice_find(rest, '/'));
        rest = slice_skip(rest, name.size + (name.size < rest.size));
        folder = folders_find(&survey.folders, folder, name);
    }
    assert_non_null(folder);
    return folder;
}

/* Until every folder without links is old enough to be known by its own looks. */
static void settle(void)
{
    bool settled = false;
    for (unsigned i = 0; i < 500 && !settled; i++) {
        usleep(10 * 1000);
        assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
        settled = !*marked();
        for (struct link *link = survey.quiet.next; link != &survey.quiet; link = link->next)
            settled &= LINK_OWNER(link, struct folder, watched)->stamp != 0;
    }
    assert_true(settled);
}

/* What is found in the time that it takes to look at all folders. */
static void glance_finds(const char *expected)
{
    assert_int_equal(survey_scan(&survey, 0), SURVEY_OK);
    assert_string_equal(marked(), expected);
    settle();
}

/* Names that come, go and mean something else show at once, however many files there are; what is written in its place
 * in its turn. */
static void rescan_looks_at_folders_first(void **state)
{
    (void)state;
    make_tree("a/ a/b/ a/b/f a/g c/ c/f v1/ v2/ .h/ .h/f");
    scratch_mkdir(&scratch, "beside");
    scratch_link(&scratch, "root/c/l", "../.h/f");
    scratch_link(&scratch, "root/v", "v1");
    assert_int_equal(survey_all(&survey, true), SURVEY_OK);
    settle();

    scratch_write(&scratch, "root/a/b/f", "longer than before");
    assert_int_equal(survey_scan(&survey, 0), SURVEY_OK);
    assert_string_equal(marked(), "");
    assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
    assert_string_equal(marked(), "a/b");
    settle();

    scratch_write(&scratch, "root/a/b/new", "");
    glance_finds("a/b");
    scratch_write(&scratch, "other", "another one");
    move("other", "root/a/b/f");
    glance_finds("a/b");
    delete("root/a/b/new");
    glance_finds("a/b");
    make_tree("n/ n/m/ n/m/f");
    glance_finds(". n/");
    move("root/n", "beside/n");
    scratch_mkdir(&scratch, "root/n");
    glance_finds(". n/");
    delete("root/n");
    glance_finds(".");
    move("root/a/b", "root/c/b");
    glance_finds("a c c/b/");
    scratch_write(&scratch, "root/.h/f", "behind the link");
    glance_finds("c");
    delete("root/v");
    scratch_link(&scratch, "root/v", "v2");
    glance_finds(". v/");
}

static void rescan_reads_in_turn(void **state)
{
    char path[64];
    unsigned passes = 0;
    (void)state;
    make_tree("a/ a/f");
    for (unsigned i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "root/%u", i);
        scratch_mkdir(&scratch, path);
    }
    assert_int_equal(survey_all(&survey, true), SURVEY_OK);
    settle();
    scratch_write(&scratch, "root/a/f", "something");
    for (; passes < 10000 && !*marked(); passes++)
        assert_int_equal(survey_scan(&survey, 1), SURVEY_OK);
    assert_true(passes < 10000);
}

/* Where something has changed it is looked again before others have their turn, but not for ever. */
static void rescan_reads_lively_ones_more_often(void **state)
{
    (void)state;
    make_tree("a/ a/f b/");
    assert_int_equal(survey_all(&survey, true), SURVEY_OK);
    settle();
    assert_true(list_empty(&survey.lively) || folder_at("a")->lively > 0);
    scratch_write(&scratch, "root/a/f", "something");
    assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
    assert_string_equal(marked(), "a");
    assert_int_equal(folder_at("a")->lively, UINT8_MAX);
    assert_ptr_equal(survey.lively.prev, &folder_at("a")->watched);
    settle();
    for (unsigned i = 0; i < UINT8_MAX; i++)
        assert_int_equal(survey_scan(&survey, TURN_MS), SURVEY_OK);
    assert_true(list_empty(&survey.lively));
    assert_int_equal(folder_at("a")->lively, 0);
}

static void rescan_of_what_may_not_be_read(void **state)
{
    (void)state;
    make_tree("a/ a/b/ a/b/f");
    rescanned_first();
    permit("root/a/b", 0);
    scratch_drop_root();
    if (getuid() == 0)
        assert_int_equal(geteuid(), 65534);
    enum survey_result result = survey_scan(&survey, TURN_MS);
    const char *first = strdup(marked());
    enum survey_result again = survey_scan(&survey, TURN_MS);
    const char *second = strdup(marked());
    scratch_regain_root();
    assert_int_equal(result, SURVEY_OK);
    assert_string_equal(first, "a a/b");
    assert_int_equal(again, SURVEY_OK);
    assert_string_equal(second, "");
    free((char *)first);
    free((char *)second);
    permit("root/a/b", 0755);
    found("a a/b");
}

static void rescan_of_links_in_circles(void **state)
{
    (void)state;
    make_tree("a/ a/b/");
    scratch_link(&scratch, "root/a/b/up", "../../a");
    scratch_link(&scratch, "root/a/dangling", "nowhere");
    rescanned_first();
    make_tree("a/b/f");
    found("a/b");
}

static void rescan_of_a_root_that_is_gone(void **state)
{
    (void)state;
    make_tree("a/");
    rescanned_first();
    delete("root/a");
    delete("root");
    found("."); /* the open folder is an empty one now */
    scratch_mkdir(&scratch, "root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(at_first_everything, start, end),
        cmocka_unit_test_setup_teardown(files_of_every_fate, start, end),
        cmocka_unit_test_setup_teardown(a_file_that_is_kept_open, start, end),
        cmocka_unit_test_setup_teardown(reading_is_no_change, start, end),
        cmocka_unit_test_setup_teardown(dotfiles_do_not_matter, start, end),
        cmocka_unit_test_setup_teardown(new_folder, start, end),
        cmocka_unit_test_setup_teardown(folder_filled_in_one_go, start, end),
        cmocka_unit_test_setup_teardown(folders_made_while_looking, start, end),
        cmocka_unit_test_setup_teardown(folders_moved, start, end),
        cmocka_unit_test_setup_teardown(folder_swapped, start, end),
        cmocka_unit_test_setup_teardown(folder_deleted_and_made_again, start, end),
        cmocka_unit_test_setup_teardown(file_becomes_folder, start, end),
        cmocka_unit_test_setup_teardown(thousand_files_moved_in, start, end),
        cmocka_unit_test_setup_teardown(names_of_all_kinds, start, end),
        cmocka_unit_test_setup_teardown(folder_that_may_not_be_read, start, end),
        cmocka_unit_test_setup_teardown(root_that_changes_its_permissions, start, end),
        cmocka_unit_test_setup_teardown(link_to_a_file, start, end),
        cmocka_unit_test_setup_teardown(link_to_a_folder, start, end),
        cmocka_unit_test_setup_teardown(link_by_way_of_a_link, start, end),
        cmocka_unit_test_setup_teardown(link_through_dotfolders, start, end),
        cmocka_unit_test_setup_teardown(link_that_dangles, start, end),
        cmocka_unit_test_setup_teardown(links_that_lead_nowhere, start, end),
        cmocka_unit_test_setup_teardown(link_that_is_too_long, start, end),
        cmocka_unit_test_setup_teardown(folders_too_deep, start, end),
        cmocka_unit_test_setup_teardown(too_many_folders, start, end),
        cmocka_unit_test_setup_teardown(events_that_are_lost, start, end),
        cmocka_unit_test_setup_teardown(watches_run_out, start, end),
        cmocka_unit_test_setup_teardown(watches_for_links_run_out, start, end),
        cmocka_unit_test_setup_teardown(no_inotify, start, end),
        cmocka_unit_test_setup_teardown(file_systems_of_others, start, end),
        cmocka_unit_test_setup_teardown(memory_at_every_step, start, end),
        cmocka_unit_test_setup_teardown(descriptors_run_out, start, end),
        cmocka_unit_test_setup_teardown(stopped, start, end),
        cmocka_unit_test_setup_teardown(rescan_finds_all, start, end),
        cmocka_unit_test_setup_teardown(rescan_sees_what_keeps_its_looks, start, end),
        cmocka_unit_test_setup_teardown(rescan_sees_what_came_and_went, start, end),
        cmocka_unit_test_setup_teardown(rescan_looks_at_folders_first, start, end),
        cmocka_unit_test_setup_teardown(rescan_reads_in_turn, start, end),
        cmocka_unit_test_setup_teardown(rescan_reads_lively_ones_more_often, start, end),
        cmocka_unit_test_setup_teardown(rescan_of_what_may_not_be_read, start, end),
        cmocka_unit_test_setup_teardown(rescan_of_links_in_circles, start, end),
        cmocka_unit_test_setup_teardown(rescan_of_a_root_that_is_gone, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
