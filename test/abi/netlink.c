/* Interfaces as libraries list them: rtnetlink, and the ioctls. */
#include "inet_test.h"

#include <ifaddrs.h>
#include <net/if.h>

static void library(void)
{
    struct ifaddrs *list, *a;
    int v4 = 0, v6 = 0, link = 0;
    NEED(getifaddrs(&list) == 0);
    for (a = list; a; a = a->ifa_next) {
        if (strcmp(a->ifa_name, "lo") || !a->ifa_addr)
            continue;
        if (a->ifa_addr->sa_family == AF_INET) {
            v4++;
            CHECK(((struct sockaddr_in *)a->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
            CHECK(((struct sockaddr_in *)a->ifa_netmask)->sin_addr.s_addr == htonl(0xff000000));
        } else if (a->ifa_addr->sa_family == AF_INET6) {
            v6++;
            CHECK(IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr));
        } else {
            link++;
        }
        CHECK(a->ifa_flags & IFF_LOOPBACK);
        CHECK(a->ifa_flags & IFF_UP);
    }
    freeifaddrs(list);
    say("lo: %d IPv4, %d IPv6, %d link", v4, v6, link);
    unsigned index = if_nametoindex("lo");
    char name[IF_NAMESIZE] = "";
    say("index %u, name %s", index, if_indextoname(index, name) ? name : "?");
    SHOW(if_nametoindex("nosuch0"));
}

static void ioctls(void)
{
    struct ifreq r;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    memset(&r, 0, sizeof r);
    strcpy(r.ifr_name, "lo");
    SHOW(ioctl(s, SIOCGIFADDR, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFNETMASK, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFMTU, &r));
    say("%d", r.ifr_mtu);
    SHOW(ioctl(s, SIOCGIFFLAGS, &r));
    say("%x", r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_BROADCAST | IFF_RUNNING));
    SHOW(ioctl(s, SIOCGIFHWADDR, &r));
    say("%d", r.ifr_hwaddr.sa_family);
    SHOW(ioctl(s, SIOCGIFBRDADDR, &r));
    say("%s", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFINDEX, &r));
    say("%d", r.ifr_ifindex);
    memset(r.ifr_name, 0, sizeof r.ifr_name);
    SHOW(ioctl(s, SIOCGIFNAME, &r));
    say("%s", r.ifr_name);
    r.ifr_ifindex = 12345;
    SHOW(ioctl(s, SIOCGIFNAME, &r));
    strcpy(r.ifr_name, "nosuch0");
    SHOW(ioctl(s, SIOCGIFADDR, &r));
    SHOW(ioctl(s, SIOCGIFADDR, (void *)8));
    close(s);
}

/* The loopback interface is the first. */
static void list(void)
{
    struct ifreq r[64];
    struct ifconf c = {.ifc_len = 0, .ifc_req = NULL};
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), all;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    all = c.ifc_len;
    CHECK(all >= (int)sizeof *r && all % sizeof *r == 0);
    memset(r, 0xff, sizeof r);
    c = (struct ifconf){.ifc_len = sizeof *r + 1, .ifc_req = r};
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    CHECK(c.ifc_len == sizeof *r && ((char *)(r + 1))[0] == -1);
    say("%s %d %s", r->ifr_name, r->ifr_addr.sa_family,
        inet_ntoa(((struct sockaddr_in *)&r->ifr_addr)->sin_addr));
    for (size_t k = sizeof r->ifr_name + sizeof(struct sockaddr_in); k < sizeof *r; k++)
        CHECK(((char *)r)[k] == 0);
    c.ifc_len = sizeof r;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    CHECK(c.ifc_len == all);
    c.ifc_len = sizeof *r - 1;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    say("%d bytes", c.ifc_len);
    c = (struct ifconf){.ifc_len = sizeof *r, .ifc_buf = (char *)8};
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    SHOW(ioctl(s, SIOCGIFCONF, (void *)8));
    close(s);
    SHOW(ioctl(0, SIOCGIFCONF, &c) < 0);
}

static void raw(void)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    NEED(s >= 0);
    SHOW(getsockname(s, (struct sockaddr *)&a, &len));
    say("family %d, length %u", a.ss_family, len);
    char buf[16];
    SHOW(recv(s, buf, sizeof buf, MSG_DONTWAIT));
    say("type %d domain %d", get_opt(s, SOL_SOCKET, SO_TYPE), get_opt(s, SOL_SOCKET, SO_DOMAIN));
    close(s);
    SHOW(socket(AF_NETLINK, SOCK_STREAM, 0));
    SHOW(socket(AF_NETLINK, SOCK_RAW, 31));
}

int main(void)
{
    library();
    ioctls();
    list();
    raw();
    return done();
}
