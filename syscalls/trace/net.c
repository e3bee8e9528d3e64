/* Sockets: addresses, messages, options. */
#include <linux/in.h>
#include <linux/in6.h>

#include "decode.h"

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, FAMILY_NETLINK = 16 };
#define SOCKADDR_MAX 128
#define SOL_SOCKET_K 1

void trace_show_sock_type(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i];
    const char *type = trace_flag_name(&trace_flags_sock_type, v & 0xf);

    if (!type) {
        trace_put_flags(t, &trace_flags_sock_flags, v);
        return;
    }
    trace_put(t, type);
    trace_put_more_flags(t, &trace_flags_sock_flags, v & ~0xfU);
}

void trace_show_sock_protocol(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i];

    switch ((uint32_t)t->arg[0]) {
    case FAMILY_INET:
    case FAMILY_INET6:
        trace_put_enum(t, &trace_flags_ip_protocol, v);
        break;
    case FAMILY_NETLINK:
        trace_put_enum(t, &trace_flags_netlink_protocol, v);
        break;
    default:
        trace_put_u(t, v);
    }
}

/* --- addresses --------------------------------------------------------------------------------------------------------- */

static void put_ipv4(struct trace *t, const uint8_t *a)
{
    for (unsigned n = 0; n < 4; n++) {
        if (n)
            trace_put_char(t, '.');
        trace_put_u(t, a[n]);
    }
}

static void put_hex_group(struct trace *t, unsigned v)
{
    static const char digits[] = "0123456789abcdef";
    bool is_any = false;

    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = v >> shift & 15;
        if (digit || is_any || !shift) {
            trace_put_char(t, digits[digit]);
            is_any = true;
        }
    }
}

/* The longest run of zero groups, of two at least, is left out. */
static void find_zeros(const uint8_t *a, unsigned *start, unsigned *len)
{
    *start = *len = 0;
    for (unsigned n = 0, run = 0; n < 8; n++) {
        run = a[2 * n] || a[2 * n + 1] ? 0 : run + 1;
        if (run > *len && run > 1) {
            *len = run;
            *start = n + 1 - run;
        }
    }
}

static bool holds_ipv4(const uint8_t *a, unsigned start, unsigned len)
{
    return start == 0 && (len == 6 || (len == 5 && a[10] == 0xff && a[11] == 0xff));
}

static void put_ipv6(struct trace *t, const uint8_t *a)
{
    unsigned start, len;

    find_zeros(a, &start, &len);
    for (unsigned n = 0; n < 8; n++) {
        if (len && n >= start && n < start + len) {
            if (n == start)
                trace_put_char(t, ':');
            continue;
        }
        if (n)
            trace_put_char(t, ':');
        if (n == 6 && holds_ipv4(a, start, len)) {
            put_ipv4(t, a + 12);
            return;
        }
        put_hex_group(t, (unsigned)a[2 * n] << 8 | a[2 * n + 1]);
    }
    if (len && start + len == 8)
        trace_put_char(t, ':');
}

static unsigned big16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint32_t native32(const uint8_t *p)
{
    uint32_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

static void put_port(struct trace *t, const char *name, const uint8_t *p)
{
    trace_field(t, name);
    trace_put(t, "htons(");
    trace_put_u(t, big16(p));
    trace_put_char(t, ')');
}

static void put_unix_path(struct trace *t, const uint8_t *path, size_t len)
{
    size_t n = 0;

    trace_field(t, "sun_path");
    if (!path[0] && len > 1) { /* of the abstract name space: all bytes count */
        trace_put_char(t, '@');
        trace_put_quoted(t, path + 1, len - 1, false);
        return;
    }
    while (n < len && path[n])
        n++;
    trace_put_quoted(t, path, n, false);
}

static void put_inet6(struct trace *t, const uint8_t *a)
{
    uint32_t scope = native32(a + 24);

    put_port(t, "sin6_port", a + 2);
    trace_field(t, "sin6_flowinfo");
    trace_put(t, "htonl(");
    trace_put_u(t, (uint32_t)a[4] << 24 | (uint32_t)a[5] << 16 | (uint32_t)a[6] << 8 | a[7]);
    trace_put_char(t, ')');
    trace_put(t, ", inet_pton(AF_INET6, \"");
    put_ipv6(t, a + 8);
    trace_put(t, "\", &sin6_addr)");
    trace_field_u(t, "sin6_scope_id", scope);
}

void trace_put_sockaddr(struct trace *t, uint64_t addr, uint64_t len)
{
    uint8_t a[SOCKADDR_MAX] = {0};

    if (len < 2) {
        trace_put_addr(t, addr);
        return;
    }
    if (len > sizeof(a))
        len = sizeof(a);
    if (!trace_fetch(t, addr, a, len))
        return;
    unsigned family = a[0] | (unsigned)a[1] << 8;
    trace_put_char(t, '{');
    trace_field_enum(t, "sa_family", &trace_flags_family, family);
    if (family == FAMILY_UNIX && len > 2) {
        put_unix_path(t, a + 2, len - 2);
    } else if (family == FAMILY_INET && len >= 16) {
        put_port(t, "sin_port", a + 2);
        trace_field(t, "sin_addr");
        trace_put(t, "inet_addr(\"");
        put_ipv4(t, a + 4);
        trace_put(t, "\")");
    } else if (family == FAMILY_INET6 && len >= 24) {
        put_inet6(t, a);
    } else if (family == FAMILY_NETLINK && len >= 12) {
        trace_field_d(t, "nl_pid", (int32_t)native32(a + 4));
        trace_field(t, "nl_groups");
        uint32_t groups = native32(a + 8);
        trace_put(t, groups ? "" : "00000000");
        if (groups)
            trace_put_x(t, groups);
    } else if (len > 2) {
        trace_field(t, "sa_data");
        trace_put_quoted(t, a + 2, len - 2, false);
    }
    trace_put_char(t, '}');
}

void trace_show_sockaddr_in(struct trace *t, unsigned i)
{
    trace_put_sockaddr(t, t->arg[i],
                       (uint32_t)t->arg[i + 1] <= INT32_MAX ? (uint32_t)t->arg[i + 1] : 0);
}

static int32_t socklen_at(struct trace *t, uint64_t addr)
{
    int32_t len;

    return trace_fetch_quietly(t, addr, &len, sizeof(len)) ? len : -1;
}

void trace_show_sockaddr_out(struct trace *t, unsigned i)
{
    int32_t len = socklen_at(t, t->arg[i + 1]);
    uint32_t had = (uint32_t)t->saved;

    if (failed(t) || len < 0 || !t->arg[i])
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_sockaddr(t, t->arg[i], (uint32_t)len < had ? (uint32_t)len : had);
}

/* What was offered and what it became. */
void trace_show_socklen_inout(struct trace *t, unsigned i)
{
    int32_t len;

    if (!t->arg[i]) {
        trace_put(t, "NULL");
        return;
    }
    if (!trace_fetch_quietly(t, t->arg[i], &len, sizeof(len)) || (len < 0 && !failed(t))) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    trace_put_char(t, '[');
    trace_put_d(t, (int32_t)t->saved);
    if (!failed(t) && len != (int32_t)t->saved) {
        trace_put(t, " => ");
        trace_put_d(t, len);
    }
    trace_put_char(t, ']');
}

/* --- messages ------------------------------------------------------------------------------------------------------------- */

struct message {
    uint64_t name, iov, nr_iov, control, control_len;
    uint32_t name_len, flags;
};

static bool read_message(struct trace *t, uint64_t addr, struct message *m)
{
    if (t->abi == ABI_I386) {
        uint32_t w[7];
        if (!trace_fetch_quietly(t, addr, w, sizeof(w)))
            return false;
        *m = (struct message){w[0], w[2], w[3], w[4], w[5], w[1], w[6]};
        return true;
    }
    uint64_t w[7];
    if (!trace_fetch_quietly(t, addr, w, sizeof(w)))
        return false;
    *m = (struct message){w[0], w[2], w[3], w[4], w[5], (uint32_t)w[1], (uint32_t)w[6]};
    return true;
}

static void put_rights(struct trace *t, uint64_t addr, uint64_t len)
{
    trace_put_char(t, '[');
    for (uint64_t at = 0; at + 4 <= len; at += 4) {
        int32_t fd;
        if (!trace_fetch_quietly(t, addr + at, &fd, sizeof(fd)))
            break;
        if (at)
            trace_put(t, ", ");
        if (at / 4 >= t->options->strings && !t->options->is_verbose) {
            trace_put(t, "...");
            break;
        }
        trace_put_fd(t, fd);
    }
    trace_put_char(t, ']');
}

static void put_control_data(struct trace *t, uint32_t level, uint32_t type, uint64_t addr,
                             uint64_t len)
{
    uint32_t id[3];

    if (level == SOL_SOCKET_K && type == 1) {
        put_rights(t, addr, len);
    } else if (level == SOL_SOCKET_K && type == 2 && len >= sizeof(id) &&
               trace_fetch_quietly(t, addr, id, sizeof(id))) {
        trace_put_char(t, '{');
        trace_field_d(t, "pid", (int32_t)id[0]);
        trace_field_u(t, "uid", id[1]);
        trace_field_u(t, "gid", id[2]);
        trace_put_char(t, '}');
    } else {
        trace_put_bytes(t, addr, len);
    }
}

static void put_control(struct trace *t, uint64_t addr, uint64_t size)
{
    unsigned header = long_size(t) + 8;
    bool is_there = true;

    if (size >= header)
        (void)trace_fetch_long(t, addr, &is_there);
    if (!is_there) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '[');
    for (uint64_t at = 0; at + header <= size;) {
        uint64_t len = trace_fetch_long(t, addr + at, &is_there);
        uint32_t kind[2];
        if (!is_there || len < header ||
            !trace_fetch_quietly(t, addr + at + long_size(t), kind, sizeof(kind)))
            break;
        if (len > size - at)
            len = size - at;
        trace_put(t, at ? ", {" : "{");
        trace_field_u(t, "cmsg_len", len);
        trace_field_enum(t, "cmsg_level", &trace_flags_sol, kind[0]);
        trace_field(t, "cmsg_type");
        if (kind[0] == SOL_SOCKET_K)
            trace_put_enum(t, &trace_flags_scm, kind[1]);
        else
            trace_put_x(t, kind[1]);
        if (len > header) {
            trace_field(t, "cmsg_data");
            put_control_data(t, kind[0], kind[1], addr + at + header, len - header);
        }
        trace_put_char(t, '}');
        at += (len + long_size(t) - 1) & ~(uint64_t)(long_size(t) - 1);
    }
    trace_put_char(t, ']');
}

/* `bytes`: how many the vector holds; `had`: the room for a name, where the call tells another. */
static void put_message(struct trace *t, uint64_t addr, uint64_t bytes, int64_t had)
{
    struct message m;

    if (failed(t) || !read_message(t, addr, &m)) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '{');
    trace_field(t, "msg_name");
    uint32_t shown = had >= 0 && m.name_len > (uint64_t)had ? (uint32_t)had : m.name_len;
    if (m.name && shown)
        trace_put_sockaddr(t, m.name, shown);
    else
        trace_put_addr(t, m.name);
    trace_field(t, "msg_namelen");
    if (had >= 0 && (uint64_t)had != m.name_len) {
        trace_put_d(t, had);
        trace_put(t, " => ");
    }
    trace_put_d(t, (int32_t)m.name_len);
    trace_field(t, "msg_iov");
    trace_put_iovec(t, m.iov, m.nr_iov, bytes);
    trace_field_u(t, "msg_iovlen", m.nr_iov);
    if (m.control_len) {
        trace_field(t, "msg_control");
        if (m.control)
            put_control(t, m.control, m.control_len);
        else
            trace_put_addr(t, m.control);
    }
    trace_field_u(t, "msg_controllen", m.control_len);
    trace_field_flags(t, "msg_flags", &trace_flags_msg, m.flags);
    trace_put_char(t, '}');
}

void trace_save_msg_namelen(struct trace *t)
{
    struct message m;

    t->has_message = read_message(t, t->arg[1], &m);
    if (t->has_message)
        t->saved = m.name_len;
}

void trace_show_msghdr_in(struct trace *t, unsigned i)
{
    put_message(t, t->arg[i], ~0UL, -1);
}

void trace_show_msghdr_out(struct trace *t, unsigned i)
{
    if (failed(t) && t->has_message) {
        trace_put(t, "{msg_namelen=");
        trace_put_d(t, (int32_t)t->saved);
        trace_put_char(t, '}');
        return;
    }
    put_message(t, t->arg[i], t->ret < 0 ? 0 : (uint64_t)t->ret, (int64_t)(uint32_t)t->saved);
}

static void put_messages(struct trace *t, uint64_t addr, uint32_t nr)
{
    unsigned size = 8 * long_size(t);
    uint32_t len;

    if (!addr) {
        trace_put(t, "NULL");
        return;
    }
    trace_put_char(t, '[');
    for (uint32_t n = 0; n < nr; n++) {
        uint64_t at = addr + n * size;
        if (n)
            trace_put(t, ", ");
        if (n >= t->options->strings && !t->options->is_verbose) {
            trace_put(t, "...");
            break;
        }
        if (!trace_fetch_quietly(t, at + 7 * long_size(t), &len, sizeof(len))) {
            trace_put(t, "...");
            break;
        }
        trace_put_char(t, '{');
        trace_field(t, "msg_hdr");
        put_message(t, at, t->is_exit ? len : ~0UL, -1);
        if (t->is_exit)
            trace_field_u(t, "msg_len", len);
        trace_put_char(t, '}');
    }
    trace_put_char(t, ']');
}

void trace_show_mmsghdr_in(struct trace *t, unsigned i)
{
    put_messages(t, t->arg[i], (uint32_t)t->arg[i + 1]);
}

void trace_show_mmsghdr_out(struct trace *t, unsigned i)
{
    if (failed(t))
        trace_put_addr(t, t->arg[i]);
    else
        put_messages(t, t->arg[i], (uint32_t)t->ret);
}

/* --- options ---------------------------------------------------------------------------------------------------------------- */

void trace_show_sock_option(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i];

    switch ((uint32_t)t->arg[i - 1]) {
    case SOL_SOCKET_K:
        trace_put_enum(t, &trace_flags_so, v);
        break;
    case IPPROTO_IP:
        trace_put_enum(t, &trace_flags_so_ip, v);
        break;
    case IPPROTO_IPV6:
        trace_put_enum(t, &trace_flags_so_ipv6, v);
        break;
    case IPPROTO_TCP:
        trace_put_enum(t, &trace_flags_so_tcp, v);
        break;
    default:
        trace_put_x(t, v);
    }
}

enum {
    SO_LINGER_K = 13,
    SO_PEERCRED_K = 17,
    SO_ERROR_K = 4,
    SO_RCVTIMEO_K = 20,
    SO_SNDTIMEO_K = 21
};

static bool option_is(const struct trace *t, unsigned i, uint32_t name)
{
    return (uint32_t)t->arg[i - 2] == SOL_SOCKET_K && (uint32_t)t->arg[i - 1] == name;
}

static void put_option(struct trace *t, unsigned i, uint64_t len)
{
    uint64_t addr = t->arg[i];
    int32_t v[3];

    if (option_is(t, i, SO_LINGER_K) && len >= 8) {
        if (!trace_fetch(t, addr, v, 8))
            return;
        trace_put_char(t, '{');
        trace_field_d(t, "l_onoff", v[0]);
        trace_field_d(t, "l_linger", v[1]);
        trace_put_char(t, '}');
    } else if (option_is(t, i, SO_PEERCRED_K) && len >= 12) {
        if (!trace_fetch(t, addr, v, 12))
            return;
        trace_put_char(t, '{');
        trace_field_d(t, "pid", v[0]);
        trace_field_d(t, "uid", v[1]);
        trace_field_d(t, "gid", v[2]);
        trace_put_char(t, '}');
    } else if (t->is_exit && (option_is(t, i, SO_RCVTIMEO_K) || option_is(t, i, SO_SNDTIMEO_K)) &&
               len >= 2 * long_size(t)) {
        trace_put_timeval(t, addr);
    } else if (len == 4) {
        if (!trace_fetch(t, addr, v, 4))
            return;
        bool is_error = t->is_exit && option_is(t, i, SO_ERROR_K);
        const char *name = is_error && v[0] ? trace_errno_name(v[0]) : NULL;
        trace_put_char(t, '[');
        if (name)
            trace_put(t, name);
        else
            trace_put_d(t, v[0]);
        trace_put_char(t, ']');
    } else {
        trace_put_bytes(t, addr, len);
    }
}

void trace_show_sock_value_in(struct trace *t, unsigned i)
{
    put_option(t, i, (uint32_t)t->arg[i + 1]);
}

void trace_show_sock_value_out(struct trace *t, unsigned i)
{
    int32_t len = socklen_at(t, t->arg[i + 1]);

    if (failed(t) || len < 0)
        trace_put_addr(t, t->arg[i]);
    else
        put_option(t, i, (uint32_t)len);
}
