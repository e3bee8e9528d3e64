/* signalfd: blocked signals are read, with their facts; it can be polled and changed. */
#include <poll.h>
#include <sys/signalfd.h>

#include "abi.h"

static void *send(void *arg)
{
    wait_until_asleep(getpid());
    kill(getpid(), SIGUSR2);
    return arg;
}

int main(void)
{
    struct signalfd_siginfo info[4];
    pthread_t thread;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    NEED(fd >= 0);
    struct pollfd p = {fd, POLLIN, 0};
    SHOW(read(fd, info, sizeof info));
    SHOW(poll(&p, 1, 0));
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 42});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 43});
    SHOW(poll(&p, 1, -1));
    SHOW(read(fd, info, sizeof info[0] - 1));
    SHOW(read(fd, info, sizeof info) / (long)sizeof info[0]);
    for (int i = 0; i < 3; i++)
        say("signal %d, code %d, value %d, from us %d",
            info[i].ssi_signo == (uint32_t)SIGRTMIN ? 1000 : (int)info[i].ssi_signo,
            info[i].ssi_code, info[i].ssi_int, info[i].ssi_pid == (uint32_t)getpid());
    SHOW(poll(&p, 1, 0));
    sigdelset(&set, SIGUSR1);
    SHOW(signalfd(fd, &set, 0) == fd);
    raise(SIGUSR1);
    SHOW(read(fd, info, sizeof info));
    fcntl(fd, F_SETFL, 0);
    NEED(pthread_create(&thread, NULL, send, NULL) == 0);
    SHOW(read(fd, info, sizeof info) / (long)sizeof info[0]);
    say("signal %u", info[0].ssi_signo);
    pthread_join(thread, NULL);
    SHOW(write(fd, info, 1));
    SHOW(signalfd(-1, &set, 0x100));
    SHOW(signalfd(0, &set, 0));
    SHOW(signalfd(99, &set, 0));
    SHOW(syscall(SYS_signalfd4, -1, &set, 4, 0));
    return done();
}
