/* FIOSETOWN, SIOCSPGRP and what asks for their values: sockets have them, and they are F_SETOWN and F_GETOWN. */
#include "inet_test.h"

#include <linux/sockios.h>

#ifndef FIOSETOWN
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define FIOGETOWN 0x8903
#define SIOCGPGRP 0x8904
#endif

/* Who it is, without a number that differs. */
static const char *name(long who)
{
    return who == getpid()     ? "this process"
           : who == -getpgrp() ? "its group"
           : who               ? "other"
                               : "nobody";
}

static void told(int fd)
{
    int a = -1, b = -1;
    SHOW(ioctl(fd, FIOGETOWN, &a));
    SHOW(ioctl(fd, SIOCGPGRP, &b));
    say("%s, %s, %s", name(a), name(b), name(fcntl(fd, F_GETOWN)));
}

static void owners(int fd)
{
    static const unsigned long set[] = {FIOSETOWN, SIOCSPGRP};
    told(fd);
    for (size_t i = 0; i < NR(set); i++) {
        int who = getpid();
        SHOW(ioctl(fd, set[i], &who));
        told(fd);
        who = -getpgrp();
        SHOW(ioctl(fd, set[i], &who));
        told(fd);
        who = 0x3fffffff;
        SHOW(ioctl(fd, set[i], &who));
        who = -0x3fffffff;
        SHOW(ioctl(fd, set[i], &who));
        who = INT_MIN;
        SHOW(ioctl(fd, set[i], &who));
        SHOW(ioctl(fd, set[i], NULL));
        SHOW(ioctl(fd, set[i], (void *)8));
        told(fd);
        who = 0;
        SHOW(ioctl(fd, set[i], &who));
        told(fd);
    }
    SHOW(ioctl(fd, FIOGETOWN, NULL));
    SHOW(ioctl(fd, SIOCGPGRP, (void *)8));
    NEED(fcntl(fd, F_SETOWN, getpid()) == 0);
    told(fd);
    close(fd);
}

static void none(int fd)
{
    int who = getpid();
    SHOW(ioctl(fd, FIOSETOWN, &who));
    SHOW(ioctl(fd, SIOCSPGRP, &who));
    SHOW(ioctl(fd, FIOGETOWN, &who));
    SHOW(ioctl(fd, SIOCGPGRP, NULL));
    close(fd);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET};
    int ends[2];
    for (size_t i = 0; i < NR(families); i++) {
        say("family %d", families[i]);
        owners(socket(families[i], SOCK_DGRAM, 0));
    }
    owners(socket(AF_INET, SOCK_STREAM, 0));
    NEED(pipe(ends) == 0);
    none(ends[0]);
    none(ends[1]);
    none(open(".", O_RDONLY));
    none(open("/dev/null", O_RDWR));
    return done();
}
