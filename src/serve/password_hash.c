/* The forms are those of crypt(5), and crypt_rn does the work. It would take some of what is refused here, which is
 * guessed too fast, or would keep a CPU busy for minutes. */
#include "serve/password_hash.h"

#include <crypt.h>
#include <errno.h>

/* ---- What a hash looks like --------------------------------------------------------------------------------- */

static const char digits64[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static int digit_value(char c)
{
    const char *at = memchr(digits64, c, sizeof digits64 - 1);
    return at ? (int)(at - digits64) : -1;
}

static bool all_digits64(struct slice s)
{
    for (size_t i = 0; i < s.size; i++)
        if (digit_value(s.data[i]) < 0)
            return false;
    return true;
}

/* What is before the next '$', which is left out. False: there is none. */
static bool take_part(struct slice *rest, struct slice *part)
{
    size_t end = slice_find(*rest, '$');
    if (end == rest->size)
        return false;
    *part = slice_part(*rest, 0, end);
    *rest = slice_skip(*rest, end + 1);
    return true;
}

/* $2b$10$ and then 22 digits of salt and 31 of hash. */
static const char *bcrypt_fault(struct slice rest)
{
    struct slice cost_text;
    uint64_t cost;
    if (!take_part(&rest, &cost_text) || cost_text.size != 2 || !slice_uint(cost_text, &cost) || cost < 4 ||
        rest.size != 53 || !all_digits64(rest))
        return "a bcrypt hash that is not whole";
    return cost <= PASSWORD_BCRYPT_COST_MAX ? NULL : "a bcrypt hash with a cost over 15, which takes seconds to check";
}

/* $6$, perhaps rounds=N$, a salt of at most 16 bytes, $, 86 digits. */
static const char *sha512_fault(struct slice rest)
{
    const struct slice rounds_is = SLICE("rounds=");
    struct slice salt, rounds_text;
    uint64_t rounds = 5000;
    bool whole = true;
    if (slice_starts(rest, rounds_is))
        whole = take_part(&rest, &rounds_text) && slice_uint(slice_skip(rounds_text, rounds_is.size), &rounds) &&
                rounds >= 1000 && rounds_text.data[rounds_is.size] != '0';
    if (!whole || !take_part(&rest, &salt) || salt.size == 0 || salt.size > 16 || rest.size != 86 ||
        !all_digits64(rest) || !all_digits64(salt))
        return "a SHA-512 hash that is not whole";
    return rounds <= PASSWORD_SHA512_ROUNDS_MAX ? NULL
                                                : "a SHA-512 hash of over 5000000 rounds, which take seconds to check";
}

/* $y$, three digits (flavour, log2 N less one, r less one), $, salt, $, 43 digits. More than three digits, and flavours
 * other than "j", are parameters that crypt_gensalt never makes; and with N = 2 crypt_rn fails. */
static const char *yescrypt_fault(struct slice rest)
{
    struct slice parameters, salt;
    if (!take_part(&rest, &parameters) || !take_part(&rest, &salt) || salt.size > 86 || !all_digits64(salt) ||
        rest.size != 43 || !all_digits64(rest) || parameters.size < 3 || !all_digits64(parameters))
        return "a yescrypt hash that is not whole";
    int n_log2 = digit_value(parameters.data[1]) + 1, r = digit_value(parameters.data[2]) + 1;
    if (parameters.size > 3 || parameters.data[0] != 'j' || n_log2 < 2)
        return "a yescrypt hash with parameters that are not usual";
    bool light = n_log2 <= PASSWORD_YESCRYPT_N_MAX && r <= PASSWORD_YESCRYPT_R_MAX;
    return light ? NULL : "a yescrypt hash that takes over 128 MiB to check";
}

const char *password_hash_fault(struct slice hash)
{
    static const struct {
        struct slice start;
        const char *(*check)(struct slice rest);
        const char *fault; /* where there is nothing to check */
    } kinds[] = {
        { SLICE_INIT("$2b$"), bcrypt_fault, NULL },
        { SLICE_INIT("$2y$"), bcrypt_fault, NULL },
        { SLICE_INIT("$2a$"), bcrypt_fault, NULL },
        { SLICE_INIT("$6$"), sha512_fault, NULL },
        { SLICE_INIT("$y$"), yescrypt_fault, NULL },
        { SLICE_INIT("$apr1$"), NULL, "an MD5 hash, which can be guessed" },
        { SLICE_INIT("$1$"), NULL, "an MD5 hash, which can be guessed" },
        { SLICE_INIT("{SHA}"), NULL, "a SHA-1 hash without salt, which can be guessed" },
        { SLICE_INIT("$2x$"), NULL, "a bcrypt hash by an implementation that had a fault" },
        { SLICE_INIT("$"), NULL, "a hash of a kind that is not taken here" },
        { SLICE_INIT(""), NULL, "no hash but a password in the clear, or a hash of the oldest kind" },
    };
    size_t i = 0;
    while (!slice_starts(hash, kinds[i].start))
        i++;
    return kinds[i].check ? kinds[i].check(slice_skip(hash, kinds[i].start.size)) : kinds[i].fault;
}

uint64_t password_hash_work(struct slice hash)
{
    const struct slice rounds_is = SLICE("$6$rounds=");
    uint64_t cost = 5000; /* of sha512-crypt where it says nothing */
    if (slice_starts(hash, SLICE("$2"))) {
        slice_uint(slice_part(hash, 4, 6), &cost);
        return UINT64_C(1) << 32 | cost;
    }
    if (slice_starts(hash, SLICE("$y$")))
        return UINT64_C(2) << 32 | (uint64_t)digit_value(hash.data[4]) << 8 | (uint64_t)digit_value(hash.data[5]);
    if (slice_starts(hash, rounds_is)) {
        struct slice rest = slice_skip(hash, rounds_is.size);
        slice_uint(slice_part(rest, 0, slice_find(rest, '$')), &cost);
    }
    return UINT64_C(3) << 32 | cost;
}

/* ---- Checking a password ------------------------------------------------------------------------------------ */

/* Looks at every byte, so that the time it takes tells nothing of where they differ. */
static bool equal_in_constant_time(const char *a, const char *b, size_t size)
{
    unsigned char difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

static enum password_result compare(const char *made, const char *hash)
{
    if (!made)
        return PASSWORD_FAILED;
    size_t size = strlen(hash);
    return strlen(made) == size && equal_in_constant_time(made, hash, size) ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

enum password_result password_hash_verify(const char *hash, struct slice password)
{
    struct crypt_data data = { 0 };
    if (password.size > PASSWORD_SIZE_MAX)
        return PASSWORD_WRONG;
    if (password.size > 0)
        memcpy(data.input, password.data, password.size); /* where crypt(3) suggests to have it; wiped with the rest */
    errno = 0;
    enum password_result result = compare(crypt_rn(data.input, hash, &data, sizeof data), hash);
    int error = errno;
    explicit_bzero(&data, sizeof data);
    errno = error;
    return result;
}
