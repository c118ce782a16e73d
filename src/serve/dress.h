/* What is said with a page beside what it is: how long it may be kept, and the fields that rules or good sense add. */
#ifndef SERVE_DRESS_H
#define SERVE_DRESS_H

#include "http/answer.h"

struct page;

enum { DRESS_FIELDS_MAX = 32 };

struct dress {
    struct slice cache_control; /* empty: no such field */
    unsigned count;
    struct field_pair fields[DRESS_FIELDS_MAX]; /* slices of static memory, or of the rules' */
};

void dress_page(struct dress *dress, const struct page *page);

#endif
