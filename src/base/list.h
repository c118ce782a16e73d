/* A ring of links inside the things listed: O(1) to add and remove, no memory of its own. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next, *prev;
};

#define LINK_OWNER(link, type, member) ((type *)((char *)(link) - offsetof(type, member)))

static inline void list_init(struct link *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct link *list)
{
    return list->next == list;
}

static inline void list_append(struct link *list, struct link *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

static inline void list_prepend(struct link *list, struct link *link)
{
    list_append(list->next, link);
}

/* Also leaves `link` as a ring of its own, so that removing it twice does no harm. */
static inline void list_remove(struct link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Moves all that are in `from` behind those in `list`. */
static inline void list_splice(struct link *list, struct link *from)
{
    if (list_empty(from))
        return;
    from->next->prev = list->prev;
    list->prev->next = from->next;
    from->prev->next = list;
    list->prev = from->prev;
    list_init(from);
}

#endif
