/* The first program of a machine that measures the network: gives it the address that QEMU's user network has for it, and
 * becomes the program that it is told of.
 *
 *     first PROGRAM [ARGUMENTS...]
 *
 * A kernel that has found an address by itself needs none of this. */
#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "10.0.2.15"
#define MASK    "255.255.255.0"
#define GATEWAY "10.0.2.2"

static int control;

static struct sockaddr address_of(const char *text)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } a = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(text)}};
    return a.any;
}

static void bring_up(const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_UP | IFF_RUNNING};
    strcpy(r.ifr_name, name);
    if (ioctl(control, SIOCSIFFLAGS, &r))
        perror(name);
}

static void configure(const char *name)
{
    struct ifreq r = {.ifr_addr = address_of(ADDRESS)};
    struct rtentry route = {.rt_dst = address_of("0.0.0.0"),
                            .rt_genmask = address_of("0.0.0.0"),
                            .rt_gateway = address_of(GATEWAY),
                            .rt_flags = RTF_UP | RTF_GATEWAY};
    strcpy(r.ifr_name, name);
    if (ioctl(control, SIOCSIFADDR, &r))
        perror("its address");
    r.ifr_addr = address_of(MASK);
    if (ioctl(control, SIOCSIFNETMASK, &r))
        perror("its netmask");
    bring_up(name);
    if (ioctl(control, SIOCADDRT, &route))
        perror("its route");
}

int main(int argc, char **argv)
{
    struct ifreq r = {.ifr_name = "eth0"};
    if (argc < 2)
        return 2;
    control = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(control, SIOCGIFADDR, &r)) {
        bring_up("lo");
        configure("eth0");
    }
    close(control);
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 1;
}
