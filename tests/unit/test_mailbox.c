/* The mailbox: order, the one bell, interrupted system calls, and many senders at once. Run it in a build with
 * -Db_sanitize=thread to have the memory order looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/mailbox.h"

static bool eventfd_fails;
static atomic_int interruptions; /* so many reads and writes return EINTR first */
static atomic_int writes;

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags)
{
    if (!eventfd_fails)
        return __real_eventfd(count, flags);
    errno = EMFILE;
    return -1;
}

static bool interrupted(void)
{
    int left = atomic_load(&interruptions);
    if (left <= 0)
        return false;
    atomic_store(&interruptions, left - 1);
    errno = EINTR;
    return true;
}

ssize_t __real_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size);
ssize_t __wrap_read(int fd, void *data, size_t size)
{
    return interrupted() ? -1 : __real_read(fd, data, size);
}

static atomic_bool hold_writers; /* a sender stops here, its letter posted and its bell not yet rung */
static atomic_bool writer_held;

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    atomic_fetch_add(&writes, 1);
    if (interrupted())
        return -1;
    while (atomic_load(&hold_writers)) {
        atomic_store(&writer_held, true);
        sched_yield();
    }
    return __real_write(fd, data, size);
}

static int start(void **state)
{
    (void)state;
    eventfd_fails = false;
    atomic_store(&interruptions, 0);
    atomic_store(&writes, 0);
    atomic_store(&hold_writers, false);
    atomic_store(&writer_held, false);
    return 0;
}

static bool rings(const struct mailbox *box)
{
    struct pollfd fd = { .fd = box->bell_fd, .events = POLLIN };
    return poll(&fd, 1, 0) == 1;
}

struct note {
    struct letter letter;
    int number;
    struct mailbox *box;
    int *digits;
};

static void append_digit(struct letter *letter)
{
    struct note *note = (struct note *)letter;
    *note->digits = *note->digits * 10 + note->number;
}

static void opens_oldest_first(void **state)
{
    struct mailbox box;
    int digits = 0;
    struct note notes[4];
    (void)state;
    assert_true(mailbox_init(&box));
    assert_false(rings(&box));
    mailbox_open(&box); /* nothing there, and it does not wait */
    for (int i = 0; i < 4; i++) {
        notes[i] = (struct note){ { .open = append_digit }, i + 1, &box, &digits };
        mailbox_post(&box, &notes[i].letter);
    }
    assert_true(rings(&box));
    assert_int_equal(atomic_load(&writes), 1); /* once for all of them */
    mailbox_open(&box);
    assert_int_equal(digits, 1234);
    assert_false(rings(&box));
    mailbox_open(&box);
    assert_int_equal(digits, 1234); /* each once */

    mailbox_post(&box, &notes[1].letter);
    assert_true(rings(&box));
    mailbox_open(&box);
    assert_int_equal(digits, 12342);
    mailbox_fini(&box);
}

static void free_and_post_another(struct letter *letter)
{
    struct note *note = (struct note *)letter;
    append_digit(letter);
    if (note->number < 5) {
        struct note *next = malloc(sizeof *next);
        *next = *note;
        next->number++;
        mailbox_post(note->box, &next->letter);
    }
    free(note);
}

static void letters_may_free_themselves_and_post(void **state)
{
    struct mailbox box;
    int digits = 0;
    (void)state;
    assert_true(mailbox_init(&box));
    for (int number = 4; number <= 5; number++) {
        struct note *note = malloc(sizeof *note);
        *note = (struct note){ { .open = free_and_post_another }, number, &box, &digits };
        mailbox_post(&box, &note->letter);
    }
    mailbox_open(&box);
    assert_int_equal(digits, 45); /* what is posted meanwhile waits for the next turn, lest one turn never end */
    assert_true(rings(&box));
    mailbox_open(&box);
    assert_int_equal(digits, 455);
    assert_false(rings(&box));
    mailbox_fini(&box);
}

static void reports_missing_descriptors(void **state)
{
    struct mailbox box;
    (void)state;
    eventfd_fails = true;
    assert_false(mailbox_init(&box));
    assert_int_equal(errno, EMFILE);
    mailbox_fini(&box); /* allowed, and closes nothing */
}

static void survives_signals(void **state)
{
    struct mailbox box;
    int digits = 0;
    struct note note = { { .open = append_digit }, 7, &box, &digits };
    (void)state;
    assert_true(mailbox_init(&box));
    atomic_store(&interruptions, 3);
    mailbox_post(&box, &note.letter);
    assert_true(rings(&box));
    atomic_store(&interruptions, 3);
    mailbox_open(&box);
    assert_false(rings(&box));
    assert_int_equal(digits, 7);
    mailbox_fini(&box);
}

static void survives_a_full_bell(void **state)
{
    struct mailbox box;
    int digits = 0;
    struct note note = { { .open = append_digit }, 7, &box, &digits };
    uint64_t most = UINT64_MAX - 1;
    (void)state;
    assert_true(mailbox_init(&box));
    assert_int_equal(__real_write(box.bell_fd, &most, sizeof most), sizeof most);
    mailbox_post(&box, &note.letter);
    assert_true(rings(&box));
    mailbox_open(&box);
    assert_int_equal(digits, 7);
    mailbox_fini(&box);
}

static void *post_note(void *argument)
{
    struct note *note = argument;
    mailbox_post(note->box, &note->letter);
    return NULL;
}

static void *finish(void *argument)
{
    mailbox_fini(argument);
    return NULL;
}

/* A sender's letter is opened because somebody looked, while the sender still has its bell in hand. */
static void waits_for_senders_before_it_goes(void **state)
{
    struct mailbox box;
    int digits = 0;
    struct note note = { { .open = append_digit }, 7, &box, &digits };
    pthread_t sender, owner;
    (void)state;
    assert_true(mailbox_init(&box));
    atomic_store(&hold_writers, true);
    assert_int_equal(pthread_create(&sender, NULL, post_note, &note), 0);
    while (!atomic_load(&writer_held))
        sched_yield();
    mailbox_open(&box);
    assert_int_equal(digits, 7);
    assert_int_equal(pthread_create(&owner, NULL, finish, &box), 0);
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 20000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    assert_int_equal(pthread_timedjoin_np(owner, NULL, &deadline), ETIMEDOUT);
    atomic_store(&hold_writers, false);
    pthread_join(owner, NULL);
    pthread_join(sender, NULL);
    assert_int_equal(box.bell_fd, -1);
}

/* ---- What is offered ---- */

static void is_offered_until_it_is_closed(void **state)
{
    struct mailbox box;
    int digits = 0;
    struct note notes[3];
    (void)state;
    assert_true(mailbox_init(&box));
    for (int i = 0; i < 3; i++)
        notes[i] = (struct note){ { .open = append_digit }, i + 1, &box, &digits };
    assert_true(mailbox_offer(&box, &notes[0].letter));
    assert_true(rings(&box));
    mailbox_open(&box);
    assert_int_equal(digits, 1);
    assert_true(mailbox_offer(&box, &notes[0].letter));
    mailbox_post(&box, &notes[1].letter);
    mailbox_close(&box);
    assert_int_equal(digits, 112); /* what was there is opened */
    assert_false(mailbox_offer(&box, &notes[2].letter));
    mailbox_post(&box, &notes[1].letter);
    mailbox_open(&box);
    assert_int_equal(digits, 1122); /* who comes home still can */
    mailbox_fini(&box);
}

static struct {
    struct mailbox box;
    atomic_uint taken, refused;
    unsigned opened; /* the owner's */
} stall;

static void count_opened(struct letter *letter)
{
    stall.opened++;
    free(letter);
}

static void *offer_until_refused(void *user)
{
    (void)user;
    for (;;) {
        struct letter *letter = malloc(sizeof *letter);
        letter->open = count_opened;
        if (!mailbox_offer(&stall.box, letter)) {
            free(letter);
            atomic_fetch_add(&stall.refused, 1);
            return NULL;
        }
        atomic_fetch_add(&stall.taken, 1);
    }
}

/* Whoever was told that it is taken, it is opened, though the box closes at that moment. */
static void what_is_taken_is_opened(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        pthread_t threads[3];
        memset(&stall, 0, sizeof stall);
        assert_true(mailbox_init(&stall.box));
        for (size_t t = 0; t < 3; t++)
            assert_int_equal(pthread_create(&threads[t], NULL, offer_until_refused, NULL), 0);
        while (stall.opened < 100)
            mailbox_open(&stall.box);
        mailbox_close(&stall.box);
        unsigned opened = stall.opened;
        for (size_t t = 0; t < 3; t++)
            pthread_join(threads[t], NULL);
        assert_int_equal(opened, atomic_load(&stall.taken));
        assert_int_equal(atomic_load(&stall.refused), 3);
        mailbox_open(&stall.box);
        assert_int_equal(stall.opened, opened);
        mailbox_fini(&stall.box);
    }
}

enum { SENDERS = 3, EACH = 3000 };

struct parcel {
    struct letter letter;
    unsigned sender, number;
    unsigned *next; /* by sender: which number is due */
};

struct sender {
    struct mailbox *box;
    unsigned number, *next;
};

static void check_order(struct letter *letter)
{
    struct parcel *parcel = (struct parcel *)letter;
    assert_int_equal(parcel->number, parcel->next[parcel->sender]);
    parcel->next[parcel->sender]++;
    free(parcel);
}

static void *send_parcels(void *argument)
{
    struct sender *sender = argument;
    for (unsigned i = 0; i < EACH; i++) {
        struct parcel *parcel = malloc(sizeof *parcel);
        *parcel = (struct parcel){ { .open = check_order }, sender->number, i, sender->next };
        mailbox_post(sender->box, &parcel->letter);
        if (i % 64 == 0)
            sched_yield();
    }
    return NULL;
}

/* The owner sleeps on the bell alone: were a single ring lost, it would wait for ever, and the poll would time out. */
static void loses_nothing_from_many_senders(void **state)
{
    struct mailbox box;
    unsigned next[SENDERS] = { 0 }, turns = 0;
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    (void)state;
    assert_true(mailbox_init(&box));
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ &box, i, next };
        assert_int_equal(pthread_create(&threads[i], NULL, send_parcels, &senders[i]), 0);
    }
    while (next[0] + next[1] + next[2] < SENDERS * EACH) {
        struct pollfd fd = { .fd = box.bell_fd, .events = POLLIN };
        assert_int_equal(poll(&fd, 1, 20000), 1);
        mailbox_open(&box);
        turns++;
    }
    mailbox_fini(&box); /* at once, as a worker would */
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(turns > 0 && atomic_load(&writes) <= SENDERS * EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(opens_oldest_first, start),
        cmocka_unit_test_setup(letters_may_free_themselves_and_post, start),
        cmocka_unit_test_setup(reports_missing_descriptors, start),
        cmocka_unit_test_setup(survives_signals, start),
        cmocka_unit_test_setup(survives_a_full_bell, start),
        cmocka_unit_test_setup(waits_for_senders_before_it_goes, start),
        cmocka_unit_test_setup(is_offered_until_it_is_closed, start),
        cmocka_unit_test_setup(what_is_taken_is_opened, start),
        cmocka_unit_test_setup(loses_nothing_from_many_senders, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
