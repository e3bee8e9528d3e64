/* A process without children: wait4, waitid and their like, and SIGCHLD ignored. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "abi.h"

int main(void)
{
    int status = 77;
    siginfo_t info;
    struct rusage usage;

    memset(&info, 0x55, sizeof info);
    SHOW(wait(&status));
    SHOW(waitpid(-1, &status, WNOHANG));
    SHOW(waitpid(0, &status, 0));
    SHOW(waitpid(getpid(), &status, 0));
    SHOW(waitpid(1 << 22, &status, WNOHANG));
    SHOW(waitpid(-getpgrp(), &status, WNOHANG));
    SHOW(wait4(-1, &status, 0, &usage));
    say("the status was left alone: %d", status);
    SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOHANG));
    say("nothing told: %d %d", info.si_signo, info.si_pid);
    SHOW(waitid(P_PID, 1 << 22, &info, WEXITED));
    SHOW(waitid(P_PID, 0, &info, WEXITED));
    SHOW(waitid(P_PGID, 0, &info, WEXITED));
    SHOW(waitid(P_PGID, -5, &info, WEXITED));
    SHOW(waitid(P_ALL, 0, &info, WNOHANG));
    SHOW(waitid(P_ALL, 0, NULL, WEXITED));
    SHOW(waitid(P_ALL, 0, &info, WSTOPPED | WCONTINUED | WNOWAIT));
    SHOW(waitid(77, 0, &info, WEXITED));
    SHOW(waitid(P_ALL, 0, &info, WEXITED | 1 << 20));
    SHOW(wait4(-1, &status, 1 << 20, NULL));
    SHOW(wait4(-1, (void *)8, 0, (void *)8)); /* nothing to write */
    SHOW(wait4(INT_MIN, &status, 0, NULL));
    signal(SIGCHLD, SIG_IGN);
    SHOW(wait(&status));
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    SHOW(sigaction(SIGCHLD, &action, NULL));
    SHOW(wait(&status));
    SHOW(getrusage(RUSAGE_CHILDREN, &usage));
    say("children's time: %ld %ld", (long)usage.ru_utime.tv_sec, (long)usage.ru_stime.tv_usec);
    return done();
}
