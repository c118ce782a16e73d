/* The answer to a request for a folder that has no index.html: what is in it, as a page or as JSON. It is found and
 * sorted in the background, since a folder may have 100,000 entries, and made while it is sent.
 *
 * It knows what is in the folder, not whether it may be shown. */
#ifndef SERVER_FOLDER_LIST_H
#define SERVER_FOLDER_LIST_H

#include "server/server.h"

/* For a GET or HEAD of site->tree.folders[folder], whose address, ending with "/", is the request's path: links lead
 * from there. Rules and `_headers` say with it what they say with a page at that path. On return the exchange is
 * answered, or deferred and will be. A worker. */
void folder_list_begin(struct exchange *exchange, struct site *site, size_t folder);

#endif
