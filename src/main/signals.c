/* How the program is told to end. See signals.h. */
#include "main/signals.h"

#include <unistd.h>

static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void signals_block(struct signals *signals, const struct report *report)
{
    static const int waited_for[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2 };
    *signals = (struct signals){ .report = report };
    sigemptyset(&signals->set);
    for (size_t i = 0; i < sizeof waited_for / sizeof *waited_for; i++)
        sigaddset(&signals->set, waited_for[i]);
    /* Linux gives a signal that is blocked and ignored to sigwait all the same, and nohup asked us to ignore it. */
    if (!is_ignored(SIGHUP))
        sigaddset(&signals->set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
}

static const char *name_second(const struct signals *signals)
{
    return signals->report->terminal ? "Ctrl+C again" : "a second signal";
}

/* With the lock, as are all that follow but the thread itself. */
static void drain(struct signals *signals)
{
    report_line(signals->report, RH_LOG_INFO, "finishing what is in flight; %s to stop at once", name_second(signals));
    rh_drain(signals->server);
}

static void stop(struct signals *signals)
{
    report_line(signals->report, RH_LOG_INFO, "stopping at once");
    rh_stop(signals->server);
}

/* Whatever hangs, a person who insists gets out. */
static void end(struct signals *signals)
{
    signals->told++;
    if (signals->told > 2 || (signals->told == 2 && !signals->server))
        _exit(1);
    if (!signals->server)
        report_line(signals->report, RH_LOG_INFO, "ending once the start is over; %s to end at once",
                    name_second(signals));
    else if (signals->told == 1)
        drain(signals);
    else
        stop(signals);
}

static void act(struct signals *signals, int number)
{
    switch (number) {
    case SIGTERM:
    case SIGINT:
        end(signals);
        break;
    case SIGHUP:
        if (signals->report->terminal)
            end(signals);
        else
            report_line(signals->report, RH_LOG_INFO, "SIGHUP ignored: there is nothing to reload");
        break;
    default:
        break;
    }
}

static void *wait_for_signals(void *user)
{
    struct signals *signals = user;
    bool ended = false;
    int number;
    while (!ended && sigwait(&signals->set, &number) == 0) {
        pthread_mutex_lock(&signals->lock);
        ended = signals->ended;
        if (!ended)
            act(signals, number);
        pthread_mutex_unlock(&signals->lock);
    }
    return NULL;
}

int signals_start(struct signals *signals)
{
    pthread_mutex_init(&signals->lock, NULL);
    return pthread_create(&signals->thread, NULL, wait_for_signals, signals);
}

void signals_serve(struct signals *signals, rh_server *server)
{
    pthread_mutex_lock(&signals->lock);
    signals->server = server;
    if (signals->told > 0)
        drain(signals);
    pthread_mutex_unlock(&signals->lock);
}

/* SIGUSR2 only wakes the thread up. pthread_cancel would do, but wants libgcc_s at run time, which a static program
 * lacks. */
bool signals_stop(struct signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    signals->ended = true;
    pthread_mutex_unlock(&signals->lock);
    pthread_kill(signals->thread, SIGUSR2);
    pthread_join(signals->thread, NULL);
    pthread_mutex_destroy(&signals->lock);
    pthread_sigmask(SIG_UNBLOCK, &signals->set, NULL);
    return signals->told > 1;
}
