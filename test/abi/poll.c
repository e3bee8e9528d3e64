/* poll and ppoll: what is ready, when, and what is wrong. */
#include <poll.h>
#include <sys/eventfd.h>

#include "abi.h"

static volatile sig_atomic_t handled;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled++;
}

static void show(const char *what, struct pollfd *p, nfds_t n, int timeout)
{
    char line[200] = "";
    int r = poll(p, n, timeout);

    for (nfds_t i = 0; i < n; i++)
        snprintf(line + strlen(line), sizeof line - strlen(line), " %x", p[i].revents);
    say("%s: %d, revents%s", what, r, line);
}

static void *write_later(void *arg)
{
    wait_until_asleep(getpid());
    NEED(write(*(int *)arg, "x", 1) == 1);
    return NULL;
}

int main(void)
{
    int ends[2], file = open("f", O_RDWR | O_CREAT, 0600), event = eventfd(0, 0);
    struct timespec zero = {0}, bad = {0, -1};
    static char buffer[65536];
    pthread_t thread;
    sigset_t none, usr1;

    NEED(pipe2(ends, O_NONBLOCK) == 0 && file >= 0 && event >= 0);
    struct pollfd p[] = {
        {ends[0], POLLIN, 0},         {ends[1], POLLOUT, 0}, {file, POLLIN | POLLOUT, 0},
        {event, POLLIN | POLLOUT, 0}, {-1, POLLIN, 99},      {99, POLLIN, 0}};
    show("at first", p, 6, 0);
    NEED(write(ends[1], "x", 1) == 1);
    show("a byte in the pipe", p, 2, -1);
    NEED(write(ends[1], buffer, 65535) == 65535);
    show("a full pipe", p, 2, 0);
    close(ends[1]);
    p[1].fd = -1;
    show("no writer, but bytes", p, 2, 0);
    while (read(ends[0], buffer, sizeof buffer) > 0)
        ;
    show("no writer", p, 2, -1);
    close(ends[0]);
    NEED(pipe(ends) == 0);
    close(ends[0]);
    struct pollfd w = {ends[1], POLLOUT, 0};
    show("no reader", &w, 1, -1);
    w.events = 0;
    show("asked for nothing", &w, 1, 0);
    NEED(pipe(ends) == 0);
    struct pollfd r = {ends[0], POLLIN, 0};
    int64_t began = now_ns();
    show("nothing for 30 ms", &r, 1, 30);
    CHECK(now_ns() - began >= 30000000);
    NEED(pthread_create(&thread, NULL, write_later, &ends[1]) == 0);
    show("woken by a writer", &r, 1, -1);
    pthread_join(thread, NULL);
    struct pollfd twice[] = {{ends[0], POLLIN, 0}, {ends[0], POLLIN | POLLPRI, 0}};
    show("the same one twice", twice, 2, -1);
    SHOW(poll(NULL, 0, 1));
    SHOW(poll((struct pollfd *)8, 1, 0));
    SHOW(syscall(SYS_poll, p, 1u << 31, 0));

    /* ppoll swaps the mask for as long as it waits. */
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    handle(SIGUSR1, on_signal, 0);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    NEED(read(ends[0], buffer, 1) == 1);
    SHOW(ppoll(&r, 1, NULL, &none));
    say("handled %d", (int)handled);
    raise(SIGUSR1);
    SHOW(ppoll(&r, 1, &zero, &usr1));
    say("handled %d", (int)handled);
    SHOW(ppoll(&r, 1, &bad, NULL));
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    say("handled %d", (int)handled);
    unlink("f");
    return done();
}
