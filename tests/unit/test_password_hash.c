/* Hashes of password files: which are taken, and that they find out the right password. The hashes are as htpasswd,
 * openssl and crypt_gensalt make them, most of them as cheap as can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "serve/password_hash.h"

#define BCRYPT_53 "LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C"
#define SHA512_86 "HNxBeBnDfSfUrTj6KiLnmd7tGCvHEmcExh8kl/S0cZ5WrCciNZgfhbpkeFQ4JfkHX.8vPq45lY0iINnCx1Lkm."
#define OPENSSL_86 "TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1"
#define YESCRYPT_43 "vZlXu1XtxOBWRxjOpQqONp1WYfMO0dN.H4xeSMU2ZvC"
#define SALT_86 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./abcdefghijklmnopqrstuv"

/* ---- crypt_rn, which can be made to fail -------------------------------------------------------------------- */

static struct {
    const char *result; /* NULL: as it is */
    int error;
    bool fail;
} fault;

char *__real_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
    if (!fault.fail)
        return __real_crypt_rn(phrase, setting, data, size);
    errno = fault.error;
    return (char *)fault.result;
}

/* ---- Which are taken ---------------------------------------------------------------------------------------- */

static void takes(void **state)
{
    static const char *const hashes[] = {
        "$2y$04$" BCRYPT_53, "$2b$10$" BCRYPT_53, "$2a$12$" BCRYPT_53, "$2y$15$" BCRYPT_53,
        "$6$salt$" SHA512_86, "$6$s$" SHA512_86, "$6$abcdefghijklmnop$" SHA512_86,
        "$6$rounds=1000$salt$" SHA512_86, "$6$rounds=5000000$abcdefghijklmnop$" SHA512_86,
        "$y$j75$abcdefghijklmnop$" YESCRYPT_43, "$y$j9T$$" YESCRYPT_43, "$y$jCT$" SALT_86 "$" YESCRYPT_43,
        "$y$j/T$abcd$" YESCRYPT_43, "$y$j7.$abcd$" YESCRYPT_43,
    };
    (void)state;
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        const char *fault_found = password_hash_fault(slice_text(hashes[i]));
        if (fault_found)
            fail_msg("%s: %s", hashes[i], fault_found);
        assert_true(strlen(hashes[i]) < PASSWORD_HASH_SIZE);
    }
}

struct refusal {
    const char *hash, *word; /* in what is said */
};

static void verify(const struct refusal *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *found = password_hash_fault(slice_text(rows[i].hash));
        if (!found || !strstr(found, rows[i].word))
            fail_msg("%s: %s", rows[i].hash, found ? found : "taken");
    }
}

static void refuses_other_kinds(void **state)
{
    static const struct refusal rows[] = {
        { "", "in the clear" },
        { "secret", "in the clear" },
        { "rqXexS6ZhobKA", "oldest" },
        { "_J9..rasmBYk8r9AiWNc", "oldest" },
        { "$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00", "MD5" },
        { "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "MD5" },
        { "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1" },
        { "{SSHA}x", "in the clear" },
        { "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8", "not taken" },
        { "$7$CU..../....salt$hash", "not taken" },
        { "$gy$j9T$salt$hash", "not taken" },
        { "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "not taken" },
        { "$", "not taken" },
        { "$2$10$" BCRYPT_53, "not taken" },
        { "$2z$10$" BCRYPT_53, "not taken" },
        { "$2x$10$" BCRYPT_53, "fault" },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void refuses_bcrypt(void **state)
{
    static const struct refusal rows[] = {
        { "$2y$", "bcrypt hash that is not whole" },
        { "$2y$10", "bcrypt hash that is not whole" },
        { "$2y$10$", "bcrypt hash that is not whole" },
        { "$2y$9$" BCRYPT_53, "bcrypt hash that is not whole" },
        { "$2y$010$" BCRYPT_53, "bcrypt hash that is not whole" },
        { "$2y$1x$" BCRYPT_53, "bcrypt hash that is not whole" },
        { "$2y$03$" BCRYPT_53, "bcrypt hash that is not whole" },
        { "$2y$10$" BCRYPT_53 "a", "bcrypt hash that is not whole" },
        { "$2y$10$a" BCRYPT_53, "bcrypt hash that is not whole" },
        { "$2y$10$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7", "bcrypt hash that is not whole" },
        { "$2y$10$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7-", "bcrypt hash that is not whole" },
        { "$2y$10$" BCRYPT_53 ":comment", "bcrypt hash that is not whole" },
        { "$2y$16$" BCRYPT_53, "cost over 15" },
        { "$2y$31$" BCRYPT_53, "cost over 15" },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void refuses_sha512(void **state)
{
    static const struct refusal rows[] = {
        { "$6$", "SHA-512 hash that is not whole" },
        { "$6$salt", "SHA-512 hash that is not whole" },
        { "$6$$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$abcdefghijklmnopq$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$sa:lt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$salt$" SHA512_86 ".", "SHA-512 hash that is not whole" },
        { "$6$salt$" BCRYPT_53, "SHA-512 hash that is not whole" },
        { "$6$rounds=1000$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=$salt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=999$salt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=05000$salt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=5k$salt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=-5000$salt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=99999999999999999999$salt$" SHA512_86, "SHA-512 hash that is not whole" },
        { "$6$rounds=5000001$salt$" SHA512_86, "5000000 rounds" },
        { "$6$rounds=999999999$salt$" SHA512_86, "5000000 rounds" },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

static void refuses_yescrypt(void **state)
{
    static const struct refusal rows[] = {
        { "$y$", "yescrypt hash that is not whole" },
        { "$y$j9T", "yescrypt hash that is not whole" },
        { "$y$j9T$", "yescrypt hash that is not whole" },
        { "$y$j9T$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$j9$salt$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$j-T$salt$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$$salt$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$j9T$sa+lt$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$j9T$" SALT_86 "w$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$j9T$salt$" YESCRYPT_43 "C", "yescrypt hash that is not whole" },
        { "$y$j9T$salt$vZlXu1XtxOBWRxjOpQqONp1WYfMO0dN.H4xeSMU2Zv", "yescrypt hash that is not whole" },
        { "$y$j9T$salt$$" YESCRYPT_43, "yescrypt hash that is not whole" },
        { "$y$j9T/0$salt$" YESCRYPT_43, "not usual" },
        { "$y$/9T$salt$" YESCRYPT_43, "not usual" },
        { "$y$j.T$salt$" YESCRYPT_43, "not usual" },
        { "$y$jDT$salt$" YESCRYPT_43, "128 MiB" },
        { "$y$jzT$salt$" YESCRYPT_43, "128 MiB" },
        { "$y$j9U$salt$" YESCRYPT_43, "128 MiB" },
    };
    (void)state;
    verify(rows, sizeof rows / sizeof rows[0]);
}

/* ---- Checking ----------------------------------------------------------------------------------------------- */

static void finds_the_password_out(void **state)
{
    static const struct {
        const char *password, *hash;
    } rows[] = {
        { "secret", "$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C" }, /* htpasswd -B -C 4 */
        { "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" }, /* of its author's own test */
        { "", "$2y$05$tQX1vIfTAZKrElaMx5ORl.9cZXYDjCXNMSurVUOd9Sb/Gca.0V3ky" },
        { "p\xc3\xa4ssword", "$2b$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG" },
        { "secret", "$6$rounds=1000$salt$" SHA512_86 },
        { "secret", "$6$saltsalt$" OPENSSL_86 },
        { "secret", "$y$j75$abcdefghijklmnop$" YESCRYPT_43 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slice right = slice_text(rows[i].password);
        assert_null(password_hash_fault(slice_text(rows[i].hash)));
        if (password_hash_verify(rows[i].hash, right) != PASSWORD_RIGHT)
            fail_msg("%s", rows[i].hash);
        assert_int_equal(password_hash_verify(rows[i].hash, SLICE("secreT")), PASSWORD_WRONG);
        assert_int_equal(password_hash_verify(rows[i].hash, SLICE("secret ")), PASSWORD_WRONG);
        if (right.size > 0) {
            right.size--;
            assert_int_equal(password_hash_verify(rows[i].hash, right), PASSWORD_WRONG);
            assert_int_equal(password_hash_verify(rows[i].hash, slice_make(NULL, 0)), PASSWORD_WRONG);
        }
    }
}

/* Every byte of the hash counts. */
static void notices_any_other_hash(void **state)
{
    char hash[] = "$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7C";
    (void)state;
    for (size_t i = 29; i < sizeof hash - 1; i++) {
        char kept = hash[i];
        hash[i] = kept == 'a' ? 'b' : 'a';
        assert_int_equal(password_hash_verify(hash, SLICE("secret")), PASSWORD_WRONG);
        hash[i] = kept;
    }
    assert_int_equal(password_hash_verify(hash, SLICE("secret")), PASSWORD_RIGHT);
}

static void refuses_what_is_too_long(void **state)
{
    char password[PASSWORD_SIZE_MAX + 1];
    memset(password, 'a', sizeof password);
    (void)state;
    fault.fail = true; /* which is to be seen only where it is asked */
    fault.error = ENOMEM;
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, slice_make(password, PASSWORD_SIZE_MAX + 1)),
                     PASSWORD_WRONG);
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, slice_make(password, PASSWORD_SIZE_MAX)),
                     PASSWORD_FAILED);
    fault.fail = false;
}

static void tells_failures_from_wrong_passwords(void **state)
{
    (void)state;
    fault.fail = true;
    fault.result = NULL;
    fault.error = ENOMEM;
    errno = 0;
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, SLICE("secret")), PASSWORD_FAILED);
    assert_int_equal(errno, ENOMEM);
    fault.fail = false;
    assert_int_equal(password_hash_verify("$y$j.T$salt$" YESCRYPT_43, SLICE("secret")), PASSWORD_FAILED);
    assert_int_equal(errno, EINVAL);
}

/* What crypt_rn gives back has to be the hash and nothing more or less. */
static void compares_all_of_it(void **state)
{
    (void)state;
    fault.fail = true;
    fault.result = "$2y$04$LQOXBl4ooDWqq1oQmKZ2pOdH0OtfvVyGon/Hrfd0rZ6ArJ.ilhp7";
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, SLICE("secret")), PASSWORD_WRONG);
    fault.result = "$2y$04$" BCRYPT_53 "C";
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, SLICE("secret")), PASSWORD_WRONG);
    fault.result = "";
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, SLICE("secret")), PASSWORD_WRONG);
    fault.result = "$2y$04$" BCRYPT_53;
    assert_int_equal(password_hash_verify("$2y$04$" BCRYPT_53, SLICE("secret")), PASSWORD_RIGHT);
    fault.fail = false;
}

/* Whatever the salt is; of bcrypt whatever the letter. */
static void says_how_much_work_it_is(void **state)
{
    static const char *const alike[][2] = { /* and different from all others */
        { "$2b$04$L", "$2y$04$a" }, { "$2b$12$L", "$2a$12$L" },
        { "$6$salt$x", "$6$rounds=5000$other$y" }, { "$6$rounds=1000$a$x", "$6$rounds=1000$b$x" },
        { "$y$j75$a$x", "$y$j75$b$x" }, { "$y$j85$a$x", "$y$j85$b$x" }, { "$y$j7T$a$x", "$y$j7T$b$x" },
    };
    size_t count = sizeof alike / sizeof alike[0];
    (void)state;
    for (size_t i = 0; i < 2 * count; i++)
        for (size_t j = 0; j < 2 * count; j++)
            assert_int_equal(password_hash_work(slice_text(alike[i / 2][i % 2])) ==
                             password_hash_work(slice_text(alike[j / 2][j % 2])), i / 2 == j / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes),
        cmocka_unit_test(refuses_other_kinds),
        cmocka_unit_test(refuses_bcrypt),
        cmocka_unit_test(refuses_sha512),
        cmocka_unit_test(refuses_yescrypt),
        cmocka_unit_test(finds_the_password_out),
        cmocka_unit_test(notices_any_other_hash),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(tells_failures_from_wrong_passwords),
        cmocka_unit_test(compares_all_of_it),
        cmocka_unit_test(says_how_much_work_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
