/* The folders of a site by their addresses: for those sites only whose folders are listed, since pages have their table
 * (site.h) and need no other. Made for a generation, immutable; any thread. */
#ifndef SERVE_SITE_FOLDERS_H
#define SERVE_SITE_FOLDERS_H

#include "serve/site.h"

struct site_folders;

/* The site must outlive it. NULL: no memory. */
struct site_folders *site_folders_new(const struct site *site);
void site_folders_free(struct site_folders *folders);

/* Which of site->tree.folders has this address, "/" or "/docs/"; "/docs", from where a client is to be redirected,
 * finds it too. `path` is normal. False: none; `folders` may be NULL, which has none. */
bool site_folders_find(const struct site_folders *folders, struct slice path, size_t *folder);

/* False for a folder that could not be opened, or that lies within itself by way of a link: it has no address. */
bool site_folders_served(const struct tree *tree, size_t folder);

#endif
