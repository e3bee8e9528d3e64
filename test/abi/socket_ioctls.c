/* Which sockets know which ioctls: addresses of interfaces are IPv4's business; marks of sockets without urgent data. */
#include "inet_test.h"

#include <linux/sockios.h>
#include <net/if.h>

static const struct {
    const char *name;
    unsigned long number;
} gets[] = {
    {"SIOCGIFADDR", SIOCGIFADDR},       {"SIOCGIFDSTADDR", SIOCGIFDSTADDR},
    {"SIOCGIFBRDADDR", SIOCGIFBRDADDR}, {"SIOCGIFNETMASK", SIOCGIFNETMASK},
    {"SIOCGIFPFLAGS", SIOCGIFPFLAGS},   {"SIOCGIFFLAGS", SIOCGIFFLAGS},
    {"SIOCGIFMTU", SIOCGIFMTU},         {"SIOCGIFINDEX", SIOCGIFINDEX},
    {"SIOCGIFHWADDR", SIOCGIFHWADDR},   {"SIOCGIFMETRIC", SIOCGIFMETRIC},
    {"SIOCGIFTXQLEN", SIOCGIFTXQLEN},
};

static void interfaces(int fd)
{
    for (size_t i = 0; i < NR(gets); i++) {
        struct ifreq r = {.ifr_name = "lo"};
        errno = 0;
        int of_lo = ioctl(fd, gets[i].number, &r) < 0 ? errno : 0;
        r = (struct ifreq){.ifr_name = "nosuch0"};
        int of_none = ioctl(fd, gets[i].number, &r) < 0 ? errno : 0;
        int of_nothing = ioctl(fd, gets[i].number, (void *)8) < 0 ? errno : 0;
        say("%s: %s, %s, %s", gets[i].name, strerror(of_lo), strerror(of_none),
            strerror(of_nothing));
    }
}

static void mark(int fd)
{
    int n = 77;
    SHOW(ioctl(fd, SIOCATMARK, &n));
    say("mark %d", n);
    SHOW(ioctl(fd, SIOCATMARK, (void *)8));
}

/* As of sockets that have something to read: a datagram of some bytes, and one of none. */
static void marks(int type)
{
    int s[2];
    char byte;
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    mark(s[1]);
    NEED(send(s[0], "x", 1, 0) == 1 && send(s[0], "", 0, 0) == 0);
    mark(s[1]);
    NEED(recv(s[1], &byte, 1, 0) == 1);
    mark(s[1]);
    NEED(send(s[0], "x", 1, 0) == 1);
    mark(s[1]);
    close(s[0]);
    close(s[1]);
}

int main(void)
{
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET};
    for (size_t i = 0; i < NR(families); i++) {
        for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
            int s = socket(families[i], type, 0);
            if (s < 0)
                continue;
            say("family %d, type %d", families[i], type);
            interfaces(s);
            mark(s);
            close(s);
        }
    }
    marks(SOCK_DGRAM);
    marks(SOCK_SEQPACKET);
    return done();
}
