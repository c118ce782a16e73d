/* The thread that follows certificates: it looks, waits, and looks again; once an hour it makes a new key for
 * tickets. */
#include "server/certificates.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Keys from a file are whoever's who writes that. */
static void rotate(struct certificates *certificates)
{
    if (certificates->ticket_keys.files.paths[0])
        return;
    if (!tls_tickets_rotate(certificates->settings.tickets, CERTIFICATES_KEYS_KEPT))
        log_write(certificates->log, LOG_LEVEL_ERROR, "no random bytes for a new ticket key; the one before is used");
}

static void *live(void *argument)
{
    struct certificates *certificates = argument;
    struct pollfd bell = { .fd = certificates->bell_fd, .events = POLLIN };
    uint64_t rotated_ms = clock_fine_ms();
    while (poll(&bell, 1, (int)certificates->look_ms) <= 0) {
        certificates_look(certificates);
        qsbr_reclaim(certificates->qsbr); /* what was replaced in an earlier look */
        if (clock_fine_ms() - rotated_ms < certificates->rotate_ms)
            continue;
        rotate(certificates);
        rotated_ms = clock_fine_ms();
    }
    return NULL;
}

bool certificates_follow(struct certificates *certificates, struct qsbr *qsbr)
{
    certificates->qsbr = qsbr;
    certificates->bell_fd = eventfd(0, EFD_CLOEXEC);
    if (certificates->bell_fd < 0)
        return false;
    int error = thread_start(&certificates->thread, "rawhttp-certs", live, certificates);
    if (error == 0)
        return true;
    close(certificates->bell_fd);
    certificates->bell_fd = -1;
    errno = error;
    return false;
}

void certificates_stop(struct certificates *certificates)
{
    uint64_t one = 1;
    if (!certificates || certificates->bell_fd < 0)
        return;
    ssize_t ignored = write(certificates->bell_fd, &one, sizeof one); /* nobody else writes to it: there is room */
    (void)ignored;
    pthread_join(certificates->thread, NULL);
    close(certificates->bell_fd);
    certificates->bell_fd = -1;
}
