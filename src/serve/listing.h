/* What is in a folder, as a page for a person or as JSON for a program, made while it is sent: a listing is the sorted
 * entries, which somebody else owns, and a place in them. However many they are, it takes no more than that.
 *
 * It knows no disk and no exchange. What an entry is called and how large it is comes from the caller. */
#ifndef SERVE_LISTING_H
#define SERVE_LISTING_H

#include "base/writer.h"

enum {
    LISTING_NAME_MAX = 255, /* bytes: NAME_MAX, which only few file systems exceed. Longer names are left out */
    LISTING_TEXT = 4096     /* the largest piece: a row of a name of 255 times "&", which becomes "&amp;" twice */
};

struct listing_entry {
    struct slice name;   /* without slashes, any bytes: what is not UTF-8 is shown as U+FFFD, and linked as it is */
    uint64_t size;       /* of a file */
    int64_t modified_s;  /* seconds since 1970; -1: unknown */
    bool is_folder;
};

enum listing_format { LISTING_HTML, LISTING_JSON };

enum listing_key { LISTING_BY_NAME, LISTING_BY_SIZE, LISTING_BY_DATE, LISTING_KEYS };

/* Folders always stand first; what is the same by its key stands by name. */
struct listing_order {
    enum listing_key key;
    bool descending;
};

struct listing_folder {
    struct slice path;             /* as requested, normal and decoded; begins and ends with "/" */
    struct listing_entry *entries; /* in any order: they are sorted where they are */
    size_t count;
};

struct listing;

/* Writes the next piece; false: it was the last one of its stage. `at` counts within the stage, from 0. */
typedef bool listing_stage(struct listing *listing, struct writer *w);

struct listing {
    struct listing_folder folder;
    struct listing_order order;
    size_t folder_count;         /* of folder.count entries */
    uint64_t bytes;              /* of all files */
    listing_stage *const *stage; /* NULL at the end */
    size_t at;
    struct slice piece;          /* what has not been pulled yet: in `text` */
    char text[LISTING_TEXT];
};

/* From the query: sort=name|size|date, order=asc|desc. By name where it does not say, or says something else. */
struct listing_order listing_order_of(struct slice query);
struct slice listing_key_name(enum listing_key key);

struct slice listing_type(enum listing_format format); /* Content-Type */

/* Sorts, which for 100,000 entries takes some 60 ms: not on a worker's loop. Path and entries are borrowed until the
 * last piece has been pulled. */
void listing_begin(struct listing *listing, const struct listing_folder *folder, enum listing_format format,
                   struct listing_order order);

/* A body_pull (http/answer.h) with the listing as its user. It never fails. */
long listing_pull(void *listing, char *out, size_t size);

#endif
