/* XXH3 over memory, or over a file piece by piece. It knows no page. */
#include "serve/digest.h"

#include <errno.h>
#include <unistd.h>

#define XXH_STATIC_LINKING_ONLY /* for XXH3_state_t on the stack */
#include <xxhash.h>

enum { PIECE_SIZE = 64 * 1024 };

static uint64_t known(uint64_t hash)
{
    return hash != 0 ? hash : 1;
}

uint64_t digest_bytes(struct slice bytes)
{
    return known(XXH3_64bits(bytes.data, bytes.size));
}

static ssize_t read_piece(int fd, char *piece, uint64_t left, uint64_t at)
{
    size_t size = left < PIECE_SIZE ? (size_t)left : PIECE_SIZE;
    ssize_t got;

    do
        got = pread(fd, piece, size, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

bool digest_file(int fd, uint64_t size, uint64_t *digest)
{
    XXH3_state_t state;
    char piece[PIECE_SIZE];

    XXH3_64bits_reset(&state);
    for (uint64_t at = 0; at < size;) {
        ssize_t got = read_piece(fd, piece, size - at, at);
        if (got <= 0) {
            errno = got < 0 ? errno : 0;
            return false;
        }
        XXH3_64bits_update(&state, piece, (size_t)got);
        at += (uint64_t)got;
    }
    *digest = known(XXH3_64bits_digest(&state));
    return true;
}
