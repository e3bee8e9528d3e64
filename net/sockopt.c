/* SOL_SOCKET: the options that mean the same for every family. */
#include <asm/socket.h>
#include <base/string.h>
#include <linux/capability.h>
#include <net/ifinfo.h>
#include <net/socket.h>
#include <vfs/inode.h>

#define BUF_MIN_SEND 4608 /* what Linux goes down to */
#define BUF_MIN_RECV 2304

struct linger_value {
    int is_on, seconds;
};

/* Options that are one flag. */
static int flag_of_name(int name)
{
    static const struct {
        uint8_t name, flag;
    } known[] = {
        {SO_DEBUG, SOCKET_DEBUG},
        {SO_REUSEADDR, SOCKET_REUSEADDR},
        {SO_REUSEPORT, SOCKET_REUSEPORT},
        {SO_DONTROUTE, SOCKET_DONTROUTE},
        {SO_BROADCAST, SOCKET_BROADCAST},
        {SO_KEEPALIVE, SOCKET_KEEPALIVE},
        {SO_OOBINLINE, SOCKET_OOBINLINE},
        {SO_PASSCRED, SOCKET_PASSCRED},
        {SO_PASSSEC, SOCKET_PASSSEC},
        {SO_RXQ_OVFL, SOCKET_RXQ_OVFL},
        {SO_TIMESTAMP_OLD, SOCKET_TIMESTAMP},
        {SO_TIMESTAMPNS_OLD, SOCKET_TIMESTAMPNS},
        {SO_TIMESTAMP_NEW, SOCKET_TIMESTAMP_NEW},
        {SO_TIMESTAMPNS_NEW, SOCKET_TIMESTAMPNS_NEW},
    };
    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].name == name)
            return known[i].flag;
    return -1;
}

static bool caller_has_cap(unsigned cap)
{
    struct net_caller c;
    net_get_caller(&c);
    return cred_has_cap(c.cred, cap);
}

static void set_flag(struct socket *s, unsigned flag, bool on)
{
    if (on)
        atomic_or(&s->flags, 1u << flag);
    else
        atomic_and(&s->flags, ~(1u << flag));
}

static void buffers_changed(struct socket *s)
{
    if (s->ops->buffers_changed)
        s->ops->buffers_changed(s);
}

/* Linux doubles what is asked for: half of it is for its bookkeeping. */
static int set_buffer(struct socket *s, int name, unsigned value, bool is_forced)
{
    if (is_forced) {
        if (!caller_has_cap(CAP_NET_ADMIN))
            return -EPERM;
        value = (int)value < 0 ? 0 : value;
    } else {
        value = MIN(value, (unsigned)SOCKET_BUF_MAX);
    }
    value = MIN(value, 0x7fffffffu / 2) * 2;
    bool is_send = name == SO_SNDBUF || name == SO_SNDBUFFORCE;
    if (is_send)
        s->sndbuf = MAX(value, (unsigned)BUF_MIN_SEND);
    else
        s->rcvbuf = MAX(value, (unsigned)BUF_MIN_RECV);
    set_flag(s, is_send ? SOCKET_SET_SNDBUF : SOCKET_SET_RCVBUF, true);
    buffers_changed(s);
    if (is_send)
        socket_wake_writers(s);
    return 0;
}

static int set_timeout(struct socket *s, int name, const void *value, unsigned len)
{
    int64_t ns;
    if (len < sizeof(ns))
        return -EINVAL;
    memcpy(&ns, value, sizeof(ns));
    if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW)
        s->rcvtimeo_ns = ns;
    else
        s->sndtimeo_ns = ns;
    return 0;
}

static int set_linger(struct socket *s, const void *value, unsigned len)
{
    struct linger_value l;
    if (len < sizeof(l))
        return -EINVAL;
    memcpy(&l, value, sizeof(l));
    s->linger_s = l.is_on ? MAX(l.seconds, 0) : -1;
    return 0;
}

static bool has_peek_off(const struct socket *s)
{
    return s->family == AF_UNIX ||
           ((s->family == AF_INET || s->family == AF_INET6) && s->type != SOCK_RAW);
}

static int set_peek_off(struct socket *s, int value)
{
    if (!has_peek_off(s))
        return -EOPNOTSUPP;
    s->peek_off = value;
    return 0;
}

/* Anybody may choose an interface, once. */
static int bind_to_interface(struct socket *s, int index)
{
    if (s->ifindex && !caller_has_cap(CAP_NET_RAW))
        return -EPERM;
    if (index < 0)
        return -EINVAL;
    s->ifindex = index;
    if (s->ops->setsockopt)
        (void)!s->ops->setsockopt(s, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof(index));
    return 0;
}

static int bind_to_device(struct socket *s, const void *value, unsigned len)
{
    struct ifinfo i = {.index = 0};
    char name[sizeof(i.name)] = "";
    memcpy(name, value, MIN(len, (unsigned)sizeof(name) - 1));
    if (name[0] && !ifinfo_find(name, &i))
        return -ENODEV;
    return bind_to_interface(s, (int)i.index);
}

static int get_device(struct socket *s, void *value, unsigned *len)
{
    struct ifinfo i;
    if (s->ifindex == 0) {
        *len = 0;
        return 0;
    }
    if (*len < sizeof(i.name))
        return -EINVAL;
    if (!ifinfo_next((unsigned)s->ifindex, &i) || (int)i.index != s->ifindex)
        return -ENODEV;
    *len = (unsigned)strlen(i.name) + 1;
    memcpy(value, i.name, *len);
    return 0;
}

static int set_number(struct socket *s, int name, int value)
{
    switch (name) {
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
        return -ENOPROTOOPT;
    case SO_SNDBUF:
    case SO_RCVBUF:
        return set_buffer(s, name, (unsigned)value, false);
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        return set_buffer(s, name, (unsigned)value, true);
    case SO_RCVLOWAT:
        s->rcvlowat = value < 0 ? 0x7fffffff : value ? value : 1;
        buffers_changed(s);
        return 0;
    case SO_PRIORITY:
        if ((value < 0 || value > 6) && !caller_has_cap(CAP_NET_ADMIN))
            return -EPERM;
        s->priority = value;
        return 0;
    case SO_MARK:
        if (!caller_has_cap(CAP_NET_ADMIN))
            return -EPERM;
        s->mark = value;
        return 0;
    case SO_PEEK_OFF:
        return set_peek_off(s, value);
    case SO_BINDTOIFINDEX:
        return bind_to_interface(s, value);
    case SO_INCOMING_CPU:
        s->incoming_cpu = value;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int socket_set_option(struct socket *s, int level, int name, const void *value, unsigned len)
{
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
        return bind_to_device(s, value, len);
    if (level != SOL_SOCKET || name == SO_ATTACH_FILTER || name == SO_DETACH_FILTER)
        return s->ops->setsockopt    ? s->ops->setsockopt(s, level, name, value, len)
               : level == SOL_SOCKET ? -ENOPROTOOPT
                                     : -EOPNOTSUPP;
    int number;
    if (len < sizeof(number))
        return -EINVAL;
    memcpy(&number, value, sizeof(number));
    switch (name) {
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        return set_timeout(s, name, value, len);
    case SO_LINGER:
        return set_linger(s, value, len);
    }
    int flag = flag_of_name(name);
    if (flag < 0)
        return set_number(s, name, number);
    if (flag == SOCKET_DEBUG && number && !caller_has_cap(CAP_NET_ADMIN))
        return -EACCES;
    if ((flag == SOCKET_PASSCRED || flag == SOCKET_PASSSEC) && s->family != AF_UNIX &&
        s->family != AF_NETLINK)
        return -EOPNOTSUPP;
    if (flag == SOCKET_REUSEPORT && number && s->family != AF_INET && s->family != AF_INET6)
        return -EOPNOTSUPP;
    if (SOCKET_STAMPS >> flag & 1)
        atomic_and(&s->flags, ~SOCKET_STAMPS);
    set_flag(s, flag, number != 0);
    if (flag == SOCKET_KEEPALIVE && s->ops->setsockopt)
        (void)!s->ops->setsockopt(s, level, name, value, len);
    return 0;
}

/* The value of an option that is one int; false: there is none. */
static bool get_number(struct socket *s, int name, int *value)
{
    int flag = flag_of_name(name);
    if (flag >= 0) {
        *value = socket_has(s, flag) || /* it shows beside its like in nanoseconds */
                 (flag == SOCKET_TIMESTAMP_NEW && socket_has(s, SOCKET_TIMESTAMPNS_NEW));
        return true;
    }
    switch (name) {
    case SO_TYPE:
        *value = s->type;
        return true;
    case SO_PROTOCOL:
        *value = s->protocol;
        return true;
    case SO_DOMAIN:
        *value = s->family;
        return true;
    case SO_ERROR:
        *value = -socket_take_error(s);
        return true;
    case SO_ACCEPTCONN:
        *value = atomic_load(&s->is_listening);
        return true;
    case SO_SNDBUF:
        *value = (int)s->sndbuf;
        return true;
    case SO_RCVBUF:
        *value = (int)s->rcvbuf;
        return true;
    case SO_RCVLOWAT:
        *value = s->rcvlowat;
        return true;
    case SO_SNDLOWAT:
        *value = 1;
        return true;
    case SO_PRIORITY:
        *value = s->priority;
        return true;
    case SO_MARK:
        *value = s->mark;
        return true;
    case SO_INCOMING_CPU:
        *value = s->incoming_cpu;
        return true;
    case SO_PEEK_OFF:
        *value = s->peek_off;
        return has_peek_off(s);
    case SO_BINDTOIFINDEX:
        *value = s->ifindex;
        return true;
    default:
        return false;
    }
}

static int answer(void *to, unsigned *len, const void *from, unsigned n)
{
    *len = MIN(*len, n);
    memcpy(to, from, *len);
    return 0;
}

int socket_get_option(struct socket *s, int level, int name, void *value, unsigned *len)
{
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
        return get_device(s, value, len);
    if (level != SOL_SOCKET)
        return s->ops->getsockopt    ? s->ops->getsockopt(s, level, name, value, len)
               : level == SOL_SOCKET ? -ENOPROTOOPT
                                     : -EOPNOTSUPP;
    int number;
    if ((name == SO_PASSCRED || name == SO_PASSSEC) && s->family != AF_UNIX &&
        s->family != AF_NETLINK)
        return -EOPNOTSUPP;
    if (get_number(s, name, &number))
        return answer(value, len, &number, sizeof(number));
    switch (name) {
    case SO_LINGER: {
        struct linger_value l = {s->linger_s >= 0, MAX(s->linger_s, 0)};
        return answer(value, len, &l, sizeof(l));
    }
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
        return answer(value, len, &s->rcvtimeo_ns, sizeof(s->rcvtimeo_ns));
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        return answer(value, len, &s->sndtimeo_ns, sizeof(s->sndtimeo_ns));
    case SO_PEERCRED:
        return answer(value, len, &s->peer_cred, sizeof(s->peer_cred));
    case SO_PEEK_OFF:
        return -EOPNOTSUPP;
    case SO_PEERNAME: {
        struct socket_addr a;
        int ret = s->ops->getname ? s->ops->getname(s, &a, SOCKET_PEER) : -ENOTCONN;
        if (ret < 0)
            return -ENOTCONN;
        if (a.len < *len)
            return -EINVAL;
        memcpy(value, a.bytes, *len);
        return 0;
    }
    default:
        return -ENOPROTOOPT;
    }
}
