/* Forms part by part: what http/multipart finds in a body is told to the program, one thing at a time. Where the
 * program defers in the middle of a piece, what is left of that is kept until it is back. */
#include "http/multipart.h"

#include "server/receive.h"
#include "server/respond.h"

#include <stdlib.h>

enum { PARTS_MAX = 100 };

struct form {
    rh_multipart_options options;
    unsigned parts;
    char *kept;         /* malloc: the exchange is with somebody else when it is needed */
    struct slice rest;  /* of it */
    bool starved;       /* there was no memory for it */
    struct multipart parser;
};

static rh_slice out(struct slice s)
{
    return (rh_slice){ s.data, s.size };
}

static void begin_part(rh_request *request, struct form *form)
{
    const struct multipart *parser = &form->parser;
    rh_part part = { out(parser->name), out(parser->filename), out(parser->type) };
    if (form->parts++ == form->options.parts_max)
        rh_fail(request, 413, "the form has too many parts");
    else if (form->options.part != NULL)
        form->options.part(request, form->options.user, &part);
}

/* Tells the next thing. False: there is none in these bytes. */
static bool tell(rh_request *request, struct form *form, struct slice *bytes)
{
    const rh_multipart_options *options = &form->options;
    struct slice data;
    switch (multipart_next(&form->parser, bytes, &data)) {
    case MULTIPART_MORE: return false;
    case MULTIPART_PART: begin_part(request, form); return true;
    case MULTIPART_DATA:
        if (options->data != NULL)
            options->data(request, options->user, out(data));
        return true;
    case MULTIPART_END:
        if (options->end != NULL)
            options->end(request, options->user);
        return true;
    case MULTIPART_DONE: return true;
    case MULTIPART_BAD: rh_fail(request, 400, "the body is not in the form of multipart/form-data"); return false;
    }
    return false;
}

/* Until somebody else has it, or it has its answer. */
static void read_on(rh_request *request, struct form *form, struct slice *bytes)
{
    const struct exchange *exchange = (struct exchange *)request;
    while (tell(request, form, bytes) && !exchange->deferred && !exchange_answered(exchange))
        continue;
}

static void let_go(struct form *form)
{
    free(form->kept);
    form->kept = NULL;
    form->rest = SLICE("");
}

static void keep(struct form *form, struct slice bytes)
{
    if (bytes.size == 0)
        return;
    form->kept = malloc(bytes.size);
    form->starved = form->kept == NULL;
    if (form->starved)
        return;
    memcpy(form->kept, bytes.data, bytes.size);
    form->rest = slice_make(form->kept, bytes.size);
}

static void take(rh_request *request, void *user, rh_slice piece, bool last)
{
    struct form *form = user;
    struct slice bytes = slice_make(piece.data, piece.size);
    if (!last) {
        read_on(request, form, &bytes);
        if (((struct exchange *)request)->deferred)
            keep(form, bytes);
    } else if (multipart_whole(&form->parser)) {
        form->options.done(request, form->options.user);
    } else {
        rh_fail(request, 400, "the form is cut off");
    }
}

static void resume(rh_request *request, void *user)
{
    struct form *form = user;
    if (form->starved)
        respond_starved((struct exchange *)request);
    else if (form->rest.size > 0)
        read_on(request, form, &form->rest);
    if (form->rest.size == 0)
        let_go(form);
}

static void end(rh_request *request, const rh_end *ended, void *user)
{
    (void)request, (void)ended;
    let_go(user);
}

void rh_multipart_begin(rh_request *request, const rh_multipart_options *options, size_t options_size)
{
    struct exchange *exchange = (struct exchange *)request;
    struct slice boundary = multipart_boundary(fields_get(&exchange->request.fields, FIELD_CONTENT_TYPE));
    if (boundary.data == NULL) {
        rh_fail(request, 415, "a form is wanted: multipart/form-data with a boundary");
        return;
    }
    struct form *form = rh_memory(request, sizeof *form);
    if (form == NULL || !rh_on_end(request, end, form)) {
        respond_starved(exchange);
        return;
    }
    if (!respond_take(exchange, &form->options, sizeof form->options, options, options_size))
        return;
    if (form->options.parts_max == 0)
        form->options.parts_max = PARTS_MAX;
    multipart_init(&form->parser, boundary);
    receive_with(exchange, (struct receiver){ .take = take, .resume = resume, .user = form });
}
