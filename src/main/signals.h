/* How the program is told to end. A thread of its own waits for signals and passes them on to the server as calls, so
 * that nothing ever runs inside a signal handler.
 *
 *     TERM, INT    the first drains the server, a second stops it at once, a third ends the process; while the server
 *                  is still starting the first waits for that and the second ends the process
 *     HUP          ignored, with a line in the log; but where the program was started at a terminal it means that the
 *                  terminal has gone, and drains
 *     USR1, USR2   ignored
 *     PIPE, XFSZ   ignored: a reader that has gone, or a log file at its limit, is an error value */
#ifndef MAIN_SIGNALS_H
#define MAIN_SIGNALS_H

#include "rawhttp.h"
#include "main/report.h"

#include <pthread.h>
#include <signal.h>

struct signals {
    sigset_t set;
    pthread_t thread;
    pthread_mutex_t lock; /* over what is below */
    rh_server *server;    /* NULL until it has started */
    unsigned told;        /* how often TERM or INT came */
    bool ended;           /* signals_stop was called */
    const struct report *report;
};

/* Before the first thread of the process is made: all of them inherit the mask. */
void signals_block(struct signals *signals, const struct report *report);

/* 0, or an error number. What comes between signals_block and here is not lost. */
int signals_start(struct signals *signals);

/* The server has started; what came before is passed on to it now. */
void signals_serve(struct signals *signals, rh_server *server);

/* Before the server is freed. True: more than one signal to end came, so that work was cut short. From here on a
 * signal simply ends the process: the last lines of an access log may be waiting for a reader that does not read. */
bool signals_stop(struct signals *signals);

#endif
