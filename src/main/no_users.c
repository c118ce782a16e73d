/* No users: for a static program, in the place of the C library's look-up of them, which needs shared libraries at run
 * time and warns of that when it is linked. Only libConfuse names it, for a "~" in the name of a file that it opens
 * itself; here it opens none. */
#include <pwd.h>
#include <stddef.h>

struct passwd *getpwnam(const char *name)
{
    (void)name;
    return NULL;
}

struct passwd *getpwuid(uid_t user)
{
    (void)user;
    return NULL;
}
