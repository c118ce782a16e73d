/* Encodes content that is in memory, one after another, on a thread of the lowest priority: it takes what the workers
 * leave of the CPUs, and a page is served as it is until it is ready. What has been asked for comes first. */
#ifndef SERVE_ENCODER_H
#define SERVE_ENCODER_H

#include "serve/content.h"
#include "serve/store.h"

/* NULL: errno. `store` is borrowed. */
struct encoder *encoder_new(struct store *store);

/* Waits for the coding that is being made, and for no other. NULL is allowed. */
void encoder_free(struct encoder *encoder);

/* Content that is in the cache and has codings wanted. The caller holds it; meanwhile it may have been retired already.
 * Any thread. */
void encoder_submit(struct encoder *encoder, struct content *content);

/* A request with these fields is being answered with content that is unfinished. If it had got one of the codings that
 * are still to come, the content goes before all that nobody has asked for. The content is in the cache, or held. Takes
 * the lock once in the life of a content, for some instructions. Any thread. */
void encoder_hasten(struct encoder *encoder, struct content *content, const struct fields *fields);

/* Nothing is being encoded, or waits for it; NULL never has anything. Any thread. */
bool encoder_idle(struct encoder *encoder);

/* It is being retired: it will not be begun any more. Any thread. */
void encoder_forget(struct encoder *encoder, struct content *content);

#endif
