/* Topics: members on two workers, joining, leaving and sending in any order, members that are slow or go away in the
 * middle, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rawhttp/topic.h"
#include "socket_scene.h"

struct crowd {
    struct scene scene;
    rh_topic *topic;
    struct peer *peers[4]; /* by turns on the two workers */
};

static void gather(struct crowd *crowd, rh_topic_options options, bool deflate)
{
    scene_open(&crowd->scene);
    crowd->topic = rh_topic_new(crowd->scene.server, options);
    assert_non_null(crowd->topic);
    for (unsigned i = 0; i < 4; i++)
        crowd->peers[i] = peer_open(&crowd->scene, i % SCENE_WORKERS, deflate);
}

static void join_all(struct crowd *crowd)
{
    for (unsigned i = 0; i < 4; i++)
        assert_true(rh_topic_join(crowd->topic, crowd->peers[i]->socket));
}

static void scatter(struct crowd *crowd)
{
    for (unsigned i = 0; i < 4; i++)
        peer_free(crowd->peers[i]);
    rh_topic_free(crowd->topic);
    scene_turn(&crowd->scene);
    scene_close(&crowd->scene);
}

static bool say(struct crowd *crowd, const char *text)
{
    return rh_topic_send(crowd->topic, RH_TEXT, text, strlen(text));
}

static void all_members_hear_it(void **state)
{
    struct crowd crowd;
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    join_all(&crowd);
    assert_true(say(&crowd, "one")); /* before any worker has seen who joined */
    assert_true(say(&crowd, "two"));
    assert_int_equal(rh_topic_members(crowd.topic), 4);
    scene_turn(&crowd.scene);
    for (unsigned i = 0; i < 4; i++)
        peer_expect(crowd.peers[i], SLICE("\x81\x03one\x81\x03two"));
    scatter(&crowd);
}

static void those_who_left_do_not(void **state)
{
    struct crowd crowd;
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    join_all(&crowd);
    assert_true(rh_topic_leave(crowd.topic, crowd.peers[2]->socket));
    assert_true(say(&crowd, "x"));
    scene_turn(&crowd.scene);
    for (unsigned i = 0; i < 4; i++)
        peer_expect(crowd.peers[i], i == 2 ? SLICE("") : SLICE("\x81\x01x"));
    assert_int_equal(rh_topic_members(crowd.topic), 3);
    assert_true(rh_topic_leave(crowd.topic, crowd.peers[2]->socket)); /* no mistake */
    assert_true(rh_topic_join(crowd.topic, crowd.peers[2]->socket));
    assert_true(rh_topic_join(crowd.topic, crowd.peers[2]->socket)); /* once is enough */
    scene_turn(&crowd.scene);
    assert_int_equal(rh_topic_members(crowd.topic), 4);
    assert_true(say(&crowd, "y"));
    scene_turn(&crowd.scene);
    peer_expect(crowd.peers[2], SLICE("\x81\x01y"));
    scatter(&crowd);
}

static void workers_without_members_are_left_alone(void **state)
{
    struct crowd crowd;
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    assert_true(say(&crowd, "to nobody"));
    assert_true(rh_topic_join(crowd.topic, crowd.peers[1]->socket));
    scene_turn(&crowd.scene);
    assert_true(say(&crowd, "x"));
    assert_true(mailbox_empty(&scene_worker(&crowd.scene, 0)->net.mailbox));
    assert_false(mailbox_empty(&scene_worker(&crowd.scene, 1)->net.mailbox));
    scene_turn(&crowd.scene);
    scatter(&crowd);
}

static void a_closed_one_is_no_member(void **state)
{
    struct crowd crowd;
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    join_all(&crowd);
    scene_turn(&crowd.scene);
    rh_socket *socket = rh_socket_ref(crowd.peers[0]->socket);
    assert_true(rh_topic_join(crowd.topic, socket)); /* still on its way when it closes */
    conn_close(&crowd.peers[0]->conn);
    assert_false(rh_topic_join(crowd.topic, socket));
    assert_true(rh_topic_leave(crowd.topic, socket));
    scene_turn(&crowd.scene);
    assert_int_equal(rh_topic_members(crowd.topic), 3);
    rh_socket_unref(socket);
    scatter(&crowd);
}

static struct crowd *present;

/* The first to be told sends all away. */
static void send_away(struct peer *peer)
{
    (void)peer;
    for (unsigned i = 0; i < 4; i++)
        if (present->peers[i]->socket != NULL)
            conn_close(&present->peers[i]->conn);
}

static void members_may_go_while_it_is_handed_over(void **state)
{
    struct crowd crowd;
    (void)state;
    gather(&crowd, (rh_topic_options){ .close_slow = true }, false);
    join_all(&crowd);
    scene_turn(&crowd.scene);
    present = &crowd;
    crowd.peers[0]->when_told = send_away;
    char bytes[1200] = { 0 };
    for (unsigned i = 0; i < 4; i++)
        crowd.peers[i]->stuck = true;
    assert_true(rh_topic_send(crowd.topic, RH_BINARY, bytes, sizeof bytes)); /* fills every queue */
    assert_true(say(&crowd, "too much")); /* cuts them, and the first one's end the others */
    scene_turn(&crowd.scene);
    assert_int_equal(rh_topic_members(crowd.topic), 0);
    assert_in_range(rh_topic_missed(crowd.topic), 1, 4);
    scatter(&crowd);
}

static void slow_members_miss_it(void **state)
{
    struct crowd crowd;
    char bytes[900] = { 0 };
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    join_all(&crowd);
    scene_turn(&crowd.scene);
    crowd.peers[1]->stuck = true;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rh_topic_send(crowd.topic, RH_BINARY, bytes, sizeof bytes));
        scene_turn(&crowd.scene);
    }
    assert_int_equal(rh_topic_missed(crowd.topic), 2);
    assert_int_equal(crowd.peers[0]->out.used, 3 * 904);
    assert_int_equal(rh_socket_queued(crowd.peers[1]->socket), 904);
    assert_int_equal(rh_topic_members(crowd.topic), 4);
    scatter(&crowd);
}

/* Any worker may pay for what goes to all; each pays for the places in its queues. */
static void it_counts_as_memory_of_the_workers(void **state)
{
    struct crowd crowd;
    char bytes[900] = { 0 };
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    join_all(&crowd);
    scene_turn(&crowd.scene);
    struct pages *first = &scene_worker(&crowd.scene, 0)->net.pages;
    struct pages *second = &scene_worker(&crowd.scene, 1)->net.pages;
    pages_limit(first, 0);
    pages_limit(second, 1000);
    assert_false(rh_topic_send(crowd.topic, RH_BINARY, bytes, sizeof bytes));
    assert_int_equal(first->charged_bytes + second->charged_bytes, 0);
    pages_limit(second, 2000);
    assert_true(rh_topic_send(crowd.topic, RH_BINARY, bytes, sizeof bytes));
    assert_in_range(second->charged_bytes, 900, 1100);
    scene_turn(&crowd.scene);
    assert_int_equal(rh_topic_missed(crowd.topic), 2); /* members on the first one */
    assert_int_equal(first->charged_bytes + second->charged_bytes, 0);
    pages_limit(first, SIZE_MAX);
    scatter(&crowd);
}

static void it_is_packed_once_where_somebody_takes_that(void **state)
{
    char text[600];
    (void)state;
    memset(text, 'a', sizeof text);
    for (unsigned deflate = 0; deflate < 2; deflate++) {
        struct crowd crowd;
        gather(&crowd, (rh_topic_options){ 0 }, deflate);
        crowd.peers[0]->socket->window = 9; /* smaller than the message */
        join_all(&crowd);
        scene_turn(&crowd.scene);
        assert_true(rh_topic_send(crowd.topic, RH_TEXT, text, sizeof text));
        scene_turn(&crowd.scene);
        assert_int_equal((unsigned char)crowd.peers[0]->out_bytes[0], 0x81);
        assert_int_equal(crowd.peers[0]->out.used, 604);
        for (unsigned i = 1; i < 4; i++)
            assert_int_equal((unsigned char)crowd.peers[i]->out_bytes[0], deflate ? 0xC1 : 0x81);
        bool packer_used = scene_worker(&crowd.scene, 0)->packer.deflater != NULL;
        assert_int_equal(packer_used, deflate);
        scatter(&crowd);
    }
}

static void its_end_leaves_the_connections(void **state)
{
    struct crowd crowd;
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, false);
    rh_topic *second = rh_topic_new(crowd.scene.server, (rh_topic_options){ 0 });
    join_all(&crowd);
    for (unsigned i = 0; i < 4; i++)
        assert_true(rh_topic_join(second, crowd.peers[i]->socket));
    scene_turn(&crowd.scene);
    assert_true(rh_topic_send(second, RH_TEXT, "last", 4));
    rh_topic_free(second); /* what was sent before still goes */
    scene_turn(&crowd.scene);
    assert_true(say(&crowd, "x"));
    scene_turn(&crowd.scene);
    for (unsigned i = 0; i < 4; i++)
        peer_expect(crowd.peers[i], SLICE("\x81\x04last\x81\x01x"));
    rh_topic_free(NULL);
    scatter(&crowd);
}

static void lives_without_memory(void **state)
{
    struct crowd crowd;
    char text[600] = { 0 };
    (void)state;
    gather(&crowd, (rh_topic_options){ 0 }, true);
    allocations_left = 0;
    assert_null(rh_topic_new(crowd.scene.server, (rh_topic_options){ 0 }));
    assert_false(rh_topic_join(crowd.topic, crowd.peers[0]->socket));
    allocations_left = -1;
    assert_int_equal(rh_topic_members(crowd.topic), 0);
    assert_null(rh_topic_new(NULL, (rh_topic_options){ 0 }));
    join_all(&crowd);
    scene_turn(&crowd.scene);
    allocations_left = 0;
    assert_false(rh_topic_leave(crowd.topic, crowd.peers[0]->socket));
    allocations_left = -1;
    bool sent = false;
    long tries = 0;
    for (; !sent; tries++) {
        allocations_left = tries;
        sent = rh_topic_send(crowd.topic, RH_BINARY, text, sizeof text);
        allocations_left = -1;
    }
    assert_in_range(tries, 3, 10);
    allocations_left = 1; /* for one of the four places in queues */
    scene_turn(&crowd.scene);
    allocations_left = -1;
    assert_int_equal(rh_topic_missed(crowd.topic), 3);
    assert_false(rh_topic_send(crowd.topic, RH_TEXT, "\xFF", 1));
    scatter(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_members_hear_it),
        cmocka_unit_test(those_who_left_do_not),
        cmocka_unit_test(workers_without_members_are_left_alone),
        cmocka_unit_test(a_closed_one_is_no_member),
        cmocka_unit_test(members_may_go_while_it_is_handed_over),
        cmocka_unit_test(slow_members_miss_it),
        cmocka_unit_test(it_counts_as_memory_of_the_workers),
        cmocka_unit_test(it_is_packed_once_where_somebody_takes_that),
        cmocka_unit_test(its_end_leaves_the_connections),
        cmocka_unit_test(lives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
