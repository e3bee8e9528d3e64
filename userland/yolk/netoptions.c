/* The options about the network: -p, --net, --ip.
 *
 * QEMU and the kernel would refuse most of what is wrong in them, or take it for something else: in words that do not name
 * the option, or without a word.  So everything is looked at before the machine is made. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

/* 0: it is none. */
static unsigned port_of(const char *text)
{
    size_t len = strlen(text);
    unsigned long n = strspn(text, "0123456789") == len && len <= 10 ? strtoul(text, NULL, 10) : 0;

    return n <= 65535 ? (unsigned)n : 0;
}

void net_add_publish(struct strings *publish, const char *text)
{
    char *copy = xstrdup(text), *guest, *host, *address = NULL;
    char *slash = strrchr(copy, '/');
    const char *protocol = "tcp";
    struct in_addr parsed;

    if (slash) {
        *slash = 0;
        protocol = slash + 1;
    }
    guest = strrchr(copy, ':');
    if (guest)
        *guest++ = 0;
    host = strrchr(copy, ':');
    if (host) {
        *host++ = 0;
        address = copy;
    } else {
        host = copy;
    }
    if (!guest || !port_of(guest) || !port_of(host) ||
        (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0))
        die(STATUS_FAILED,
            "--publish %s: it is [HOSTADDR:]HOST:GUEST[/udp], with port numbers from 1 to 65535",
            text);
    if (address && inet_pton(AF_INET, address, &parsed) != 1)
        die(STATUS_FAILED, "--publish %s: %s is no IPv4 address of this machine (0.0.0.0: all)",
            text, address);
    char *place = xasprintf("%s:%s:%u-:", protocol, address ? address : "127.0.0.1", port_of(host));
    for (size_t i = 0; i < publish->nr; i++)
        if (!strncmp(publish->items[i], place, strlen(place)))
            die(STATUS_FAILED, "--publish %s: port %u is passed on already", text, port_of(host));
    strings_addf(publish, "%s%u", place, port_of(guest));
    free(place);
    free(copy);
}

void net_check_published(const struct run_options *options)
{
    for (size_t i = 0; i < options->publish.nr; i++) {
        char address[INET_ADDRSTRLEN], protocol[4];
        unsigned port;
        struct sockaddr_in place = {.sin_family = AF_INET};

        if (sscanf(options->publish.items[i], "%3[a-z]:%15[0-9.]:%u", protocol, address, &port) !=
            3)
            continue;
        int s = socket(AF_INET, (*protocol == 'u' ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        place.sin_port = htons((uint16_t)port);
        inet_pton(AF_INET, address, &place.sin_addr);
        /* As QEMU does it: a connection of an earlier run that has not quite ended is no obstacle. */
        if (*protocol == 't')
            setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
        if (bind(s, (struct sockaddr *)&place, sizeof place))
            die(STATUS_FAILED, "--publish: port %u of %s%s: %s", port, address,
                *protocol == 'u' ? " (UDP)" : "", strerror(errno));
        close(s);
    }
}

/* QEMU would make an interface that is not there, for the time that it runs and with nobody at its other end. */
static void check_tap(const char *name)
{
    struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
    struct ifreq request = {.ifr_data = (void *)&driver};

    if (strlen(name) >= IFNAMSIZ || !if_nametoindex(name))
        die(STATUS_FAILED,
            "--net tap=%s: there is no such interface (ip tuntap add NAME mode tap makes one)",
            name);
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(s, SIOCETHTOOL, &request) || strcmp(driver.bus_info, "tap") != 0)
        die(STATUS_FAILED, "--net tap=%s: it is no tap interface", name);
    close(s);
}

static void check_stream(const char *path)
{
    struct stat st;

    if (stat(path, &st))
        die(STATUS_FAILED, "--net stream=%s: %s", path, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        die(STATUS_FAILED, "--net stream=%s: it is no socket", path);
}

void net_set(struct run_options *o, const char *text)
{
    static const char comma_model[] = ",model=";
    char *net = xstrdup(text), *model = strstr(net, comma_model);
    bool is_tap, is_stream;

    o->card = "virtio";
    if (model) {
        *model = 0;
        o->card = model + sizeof comma_model - 1;
    }
    is_tap = !strncmp(net, "tap=", 4) && net[4];
    is_stream = !strncmp(net, "stream=", 7) && net[7];
    if (strcmp(net, "user") != 0 && (strcmp(net, "none") != 0 || model) && !is_tap && !is_stream)
        die(STATUS_FAILED, "--net %s: it is one of user, none, tap=INTERFACE, stream=PATH", text);
    if (strcmp(o->card, "virtio") != 0 && strcmp(o->card, "e1000") != 0 &&
        strcmp(o->card, "e1000e") != 0)
        die(STATUS_FAILED, "--net %s: the model is one of virtio, e1000, e1000e", text);
    if (is_tap)
        check_tap(net + 4);
    if (is_stream)
        check_stream(net + 7);
    o->net = net;
}

void net_set_ip(struct run_options *o, const char *text)
{
    char *address = xstrdup(text), *slash = strchr(address, '/'), *comma = strchr(address, ',');
    struct in_addr own, gateway;

    o->ip = text;
    if (!strcmp(text, "off"))
        return;
    if (comma)
        *comma++ = 0;
    if (slash && (!comma || slash < comma))
        *slash++ = 0;
    else
        slash = NULL;
    unsigned len = slash ? port_of(slash) : 0;
    if (!len || len > 32 || inet_pton(AF_INET, address, &own) != 1 ||
        (comma && inet_pton(AF_INET, comma, &gateway) != 1))
        die(STATUS_FAILED,
            "--ip %s: it is off, or ADDR/LEN or ADDR/LEN,GATEWAY with IPv4 addresses, as "
            "192.0.2.2/24,192.0.2.1",
            text);
    uint32_t host = ntohl(own.s_addr), mask = ~0u << (32 - len);
    if (host >> 24 == 0 || host >> 24 == 127 || host >> 28 >= 14 ||
        (len < 31 && ((host & ~mask) == 0 || (host & ~mask) == ~mask)))
        die(STATUS_FAILED, "--ip %s: %s is no address of a machine", text, address);
    /* Nobody else is in a network of one address: its gateway is asked for on the wire all the same. */
    bool is_outside = comma && len < 32 && ((ntohl(gateway.s_addr) ^ host) & mask);
    if (comma && (is_outside || gateway.s_addr == own.s_addr))
        die(STATUS_FAILED, "--ip %s: the gateway is no other machine of the network %s/%u", text,
            address, len);
    free(address);
}
