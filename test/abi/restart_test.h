/* For the programs that interrupt calls which may block. */
#pragma once

#include "socket_test.h"

static int fd, other; /* what the call works on, and what lets it go */
static volatile int handled, result, result_errno;
static volatile bool begun, finished;
static volatile pid_t tid;
static char filler[65536] __attribute__((unused));

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    handled++;
}

/* --- pipes: an empty one to read from, a full one to write to ------------------------------------ */

static void begin_pipe(void)
{
    int ends[2];
    NEED(pipe(ends) == 0);
    fd = ends[0];
    other = ends[1];
}

static void end_pipe(void)
{
    NEED(write(other, "k", 1) == 1);
}

static void begin_full_pipe(void)
{
    int ends[2];
    NEED(pipe(ends) == 0);
    fd = ends[1];
    other = ends[0];
    NEED(write(fd, filler, sizeof filler) == sizeof filler);
}

static void end_full_pipe(void)
{
    static char buffer[65536];
    NEED(read(other, buffer, sizeof buffer) == sizeof buffer);
}

struct blocker {
    const char *name;
    void (*begin)(void);
    int (*call)(void); /* -1, or 1 when all is good */
    void (*end)(void); /* lets it go; NULL: nothing does */
};

static void *run(void *arg)
{
    const struct blocker *b = arg;

    tid = tid_of_self();
    begun = true;
    result = b->call();
    result_errno = result < 0 ? errno : 0;
    finished = true;
    return NULL;
}

/* Finished, or asleep again after the handler. */
static bool goes_on(void)
{
    while (!finished) {
        wait_until_asleep(tid);
        if (!finished)
            return true;
    }
    return false;
}

static void try(const struct blocker *b, int flags)
{
    pthread_t thread;
    bool restarted;

    fd = other = -1;
    begun = finished = false;
    handled = 0;
    b->begin();
    handle(SIGUSR1, on_signal, flags);
    NEED(pthread_create(&thread, NULL, run, (void *)b) == 0);
    while (!begun)
        sched_yield();
    wait_until_asleep(tid);
    pthread_kill(thread, SIGUSR1);
    while (handled < 1)
        sched_yield();
    restarted = goes_on();
    if (restarted && b->end)
        b->end();
    pthread_join(thread, NULL);
    say("%-26s %-10s %s: %s", b->name, flags ? "SA_RESTART" : "", restarted ? "goes on" : "ends",
        result < 0    ? strerror(result_errno)
        : result == 1 ? "good"
                      : "?");
    if (fd >= 0)
        close(fd);
    if (other >= 0)
        close(other);
}
