/* Who may see what is behind basic authentication: the names and hashes of an htpasswd file, and whether the
 * credentials of a request are right. Immutable but for what is remembered; when the file has changed, another one is
 * read. Any thread.
 *
 * It knows no request: where credentials stand is http/basic's to know, and what a path needs is a rule's. */
#ifndef SERVE_PASSWORDS_H
#define SERVE_PASSWORDS_H

#include "base/why.h"
#include "serve/password_hash.h"

enum {
    PASSWORDS_FILE_MAX = 1 << 20, /* bytes: some 12,000 entries */
    PASSWORDS_COSTS_MAX = 8       /* kinds of hashes, and of one kind different costs: see passwords_check */
};

struct passwords;

/* Lines "name:hash", of which crypt(3) is to take the hash (password_hash.h); empty lines, and those that begin with
 * '#', are for people. One line that cannot be used refuses the file, and so do no entries, and hashes of more than
 * PASSWORDS_COSTS_MAX costs. NULL: `why` has "file:line: what is wrong", or "file: ...". Blocks. */
struct passwords *passwords_read(const char *file, struct why why);
void passwords_free(struct passwords *passwords);

/* Whether this token (basic_token) was right a few seconds ago: some 500 instructions, for the loop to ask first. */
bool passwords_remembers(struct passwords *passwords, struct slice token, uint64_t now_ms);

/* Whether the token is a name of the file and its password. Blocks for as long as the hashes were made to take, some 50
 * ms, so this is for the background. For a name that is not in the file as long as for one that is: what is not right
 * costs one hash of each kind and cost that the file has. What is malformed is wrong, and that at once. `now_ms` is the
 * time of the request (monotonic), from which on it is remembered. PASSWORD_FAILED: errno, for 503. */
enum password_result passwords_check(struct passwords *passwords, struct slice token, uint64_t now_ms)
    __attribute__((warn_unused_result));

#endif
