/* Which calls a handler interrupts: with SA_RESTART they go on, without it EINTR; some never go on.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "abi.h"

static int pipe_ends[2];
static volatile sig_atomic_t handled;
static volatile int result, result_errno;
static volatile bool ready, finished;
static volatile pid_t tid;
static volatile char byte;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled++;
}

static int do_read(void)
{
    char got;
    int n = (int)read(pipe_ends[0], &got, 1);

    byte = got;
    return n;
}

static int do_poll(void)
{
    struct pollfd p = {pipe_ends[0], POLLIN, 0};

    return poll(&p, 1, 60000);
}

static int do_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(pipe_ends[0], &set);
    return select(pipe_ends[0] + 1, &set, NULL, NULL, NULL);
}

static int do_epoll(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0), n;

    epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_ends[0], &event);
    n = epoll_wait(epoll, &event, 1, -1);
    int saved = errno;
    close(epoll);
    errno = saved;
    return n;
}

static int do_pause(void)
{
    return pause();
}

static int do_nanosleep(void)
{
    struct timespec t = {60, 0}, left = {0};
    int r = nanosleep(&t, &left);

    return r == -1 && (left.tv_sec < 55 || left.tv_sec > 60) ? -2 : r;
}

static int do_clock_nanosleep_absolute(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += 60;
    int r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    errno = r;
    return r ? -1 : 0;
}

static int do_futex(void)
{
    static uint32_t word;

    return (int)syscall(SYS_futex, &word, 0, 0, NULL, NULL, 0);
}

static int do_sigtimedwait(void)
{
    struct timespec t = {60, 0};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return (int)syscall(SYS_rt_sigtimedwait, &set, NULL, &t,
                        8); /* a libc may try again by itself */
}

static void *run(void *arg)
{
    int (*call)(void) = (int (*)(void))arg;

    tid = tid_of_self();
    ready = true;
    result = call();
    result_errno = result < 0 ? errno : 0;
    finished = true;
    return NULL;
}

/* Interrupts the call; one that goes on is then let go by a byte. */
static void try(const char *name, int (*call)(void), int flags, bool goes_on)
{
    pthread_t thread;

    ready = finished = false;
    handled = 0;
    handle(SIGUSR1, on_signal, flags);
    NEED(pthread_create(&thread, NULL, run, (void *)call) == 0);
    while (!ready)
        sched_yield();
    wait_until_asleep(tid);
    for (int i = 1; i <= (goes_on ? 3 : 1); i++) {
        pthread_kill(thread, SIGUSR1);
        while (handled < i)
            sched_yield();
        if (goes_on)
            wait_until_asleep(tid);
    }
    if (goes_on)
        NEED(write(pipe_ends[1], "k", 1) == 1);
    pthread_join(thread, NULL);
    say("%-24s %-10s handled %d, result %d%s%s", name, flags ? "SA_RESTART" : "", (int)handled,
        result, result < 0 ? ", " : "", result < 0 ? strerror(result_errno) : "");
    if (goes_on && call != do_read)
        NEED(read(pipe_ends[0], &(char){0}, 1) == 1);
}

int main(void)
{
    NEED(pipe(pipe_ends) == 0);
    try("read", do_read, 0, false);
    try("read", do_read, SA_RESTART, true);
    say("it read %c", byte);
    try("poll", do_poll, 0, false);
    try("poll", do_poll, SA_RESTART, false);
    try("select", do_select, SA_RESTART, false);
    try("epoll_wait", do_epoll, SA_RESTART, false);
    try("pause", do_pause, SA_RESTART, false);
    try("nanosleep", do_nanosleep, 0, false);
    try("nanosleep", do_nanosleep, SA_RESTART, false);
    try("clock_nanosleep to a time", do_clock_nanosleep_absolute, SA_RESTART, false);
    try("futex", do_futex, 0, false);
    try("sigtimedwait", do_sigtimedwait, SA_RESTART, false);
    return done();
}
