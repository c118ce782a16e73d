/* A hash as it stands in a password file: whether it is one of the three kinds that withstand guessing (bcrypt,
 * sha512-crypt, yescrypt), and whether a password is the one that it was made of. Whose it is is for others to know. */
#ifndef SERVE_PASSWORD_HASH_H
#define SERVE_PASSWORD_HASH_H

#include "base/slice.h"

enum {
    PASSWORD_HASH_SIZE = 144, /* more than any that is taken, which is 137 */
    PASSWORD_SIZE_MAX = 511,  /* crypt(3) */

    /* Each check costs one CPU as long as this takes, and nobody is to stop a server by asking with four passwords a
     * second. Measured: 1.6 s, 1.2 s and 0.15 s; yescrypt is limited by memory, of which this takes 128 MiB. */
    PASSWORD_BCRYPT_COST_MAX = 15,
    PASSWORD_SHA512_ROUNDS_MAX = 5000000,
    PASSWORD_YESCRYPT_N_MAX = 15, /* log2 */
    PASSWORD_YESCRYPT_R_MAX = 32
};

/* NULL: it can be used. Else what is wrong with it, to be put behind "this is ". */
const char *password_hash_fault(struct slice hash);

/* Hashes that take the same work to check have the same number: kind and cost. `hash` has no fault. */
uint64_t password_hash_work(struct slice hash);

enum password_result {
    PASSWORD_WRONG,
    PASSWORD_RIGHT,
    PASSWORD_FAILED /* it could not be found out: errno */
};

/* `hash` has no fault and a NUL behind it, the password has no NUL in it. Takes as long as the hash was made to take.
 * Any thread; needs 36 KiB of stack. Leaves no copy of the password. */
enum password_result password_hash_verify(const char *hash, struct slice password)
    __attribute__((warn_unused_result));

#endif
