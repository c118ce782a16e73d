/* Looks for the client's preface, and gives its place away as soon as the bytes say to whom. */
#include "wire/preface.h"

#include "wire/h1_session.h"
#include "wire/h2_machine.h"
#include "wire/h2_session.h"

static void become(struct session *session, const struct session_type *type)
{
    session->type = type;
    type->init(session);
}

static size_t feed(struct session *session, struct slice bytes, struct outbox *out)
{
    const struct slice preface = h2_preface;
    size_t size = bytes.size < preface.size ? bytes.size : preface.size;
    bool other = memcmp(bytes.data, preface.data, size) != 0;
    if (!other && size < preface.size)
        return 0;
    become(session, other ? &h1_session_type : &h2_session_type);
    return session->type->feed(session, bytes, out);
}

static void nothing(struct session *session)
{
    (void)session;
}

static void close_it(struct session *session, struct outbox *out)
{
    (void)out;
    session->phase = SESSION_CLOSE;
}

static bool ended(struct session *session)
{
    (void)session;
    return false;
}

const struct session_type preface_session_type = {
    .size = H2_SESSION_ROOM,
    .init = nothing,
    .feed = feed,
    .expired = close_it,
    .goodbye = close_it,
    .ended = ended,
    .fini = nothing,
};
