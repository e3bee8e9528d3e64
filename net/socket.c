/* Sockets as files, and what is the same for every family.
 *
 * A blocked call sleeps on one of the socket's two queues; poll and epoll wait on both.  Whoever changes the state
 * changes it first and wakes then, with the poll bits that the change is about, so that an edge-triggered epoll
 * reports what Linux's does. */
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <base/string.h>
#include <core/timer.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <net/ifinfo.h>
#include <net/socket.h>

#define NS_PER_SEC 1000000000ul

static struct socket_family *families;
static net_caller_fn *caller_fn;
static net_urgent_fn *urgent_fn;

void net_set_caller(net_caller_fn *fn, net_urgent_fn *urgent)
{
    caller_fn = fn;
    urgent_fn = urgent;
}

void net_send_urgent(int type, int owner)
{
    urgent_fn(type, owner);
}

void net_get_caller(struct net_caller *c)
{
    caller_fn(c);
}

void socket_register_family(struct socket_family *f)
{
    f->next = families;
    families = f;
}

void socket_setup(struct socket *s, const struct socket_ops *ops, int family, int type,
                  int protocol)
{
    s->ops = ops;
    s->family = family;
    s->type = type;
    s->protocol = protocol;
    waitq_init(&s->read_wait);
    waitq_init(&s->write_wait);
    s->sndbuf = s->rcvbuf = SOCKET_BUF_DEFAULT;
    s->rcvlowat = 1;
    s->peek_off = -1;
    s->incoming_cpu = -1;
    s->linger_s = -1;
    s->peer_cred = (struct socket_cred){0, ~0u, ~0u};
}

void socket_inherit(struct socket *s, const struct socket *from)
{
    s->sndbuf = from->sndbuf;
    s->rcvbuf = from->rcvbuf;
    s->rcvlowat = from->rcvlowat;
    s->priority = from->priority;
    s->mark = from->mark;
    s->ifindex = from->ifindex;
    s->peek_off = from->peek_off;
    s->rcvtimeo_ns = from->rcvtimeo_ns;
    s->sndtimeo_ns = from->sndtimeo_ns;
    s->linger_s = from->linger_s;
    s->flags = atomic_load(&from->flags);
}

int socket_create(int family, int type, int protocol, struct socket **out)
{
    if (family < 0 || family >= AF_MAX)
        return -EAFNOSUPPORT;
    if (type < 0 || type >= SOCK_MAX)
        return -EINVAL;
    for (struct socket_family *f = families; f; f = f->next)
        if (f->family == family)
            return f->create(type, protocol, out);
    return -EAFNOSUPPORT;
}

void socket_wake_all(struct socket *s)
{
    waitq_wake(&s->read_wait, 0, POLL_READABLE | POLLRDHUP | POLLHUP | POLLERR);
    waitq_wake(&s->write_wait, 0, POLL_WRITABLE | POLLHUP | POLLERR);
}

void socket_emit_stamp(const struct socket *s, struct socket_msg *m, uint64_t ns)
{
    static const uint8_t types[] = {SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW,
                                    SO_TIMESTAMPNS_NEW};
    unsigned which = atomic_load(&s->flags) & SOCKET_STAMPS;
    if (likely(!which))
        return;
    unsigned kind = (unsigned)__builtin_ctz(which) - SOCKET_TIMESTAMP;
    ns = ns ?: clock_wall_ns();
    int64_t when[2] = {(int64_t)(ns / NS_PER_SEC), (int64_t)(ns % NS_PER_SEC)};
    if (!(kind & 1))
        when[1] /= 1000;
    socket_emit(m, SOL_SOCKET, types[kind], when, sizeof(when));
}

long socket_put_int(struct uptr arg, int value)
{
    return user_put(arg, &value);
}

ssize_t socket_send(struct socket *s, struct socket_msg *m)
{
    return likely(s->ops->send) ? s->ops->send(s, m) : -EOPNOTSUPP;
}

ssize_t socket_recv(struct socket *s, struct socket_msg *m)
{
    ssize_t ret = likely(s->ops->recv) ? s->ops->recv(s, m) : -EOPNOTSUPP;
    if (unlikely(m->dropped))
        socket_rights_free(m->dropped);
    return ret;
}

int socket_listen(struct socket *s, int backlog)
{
    if (!s->ops->listen)
        return -EOPNOTSUPP;
    return s->ops->listen(s, (int)MIN((unsigned)backlog, (unsigned)SOCKET_SOMAXCONN));
}

/* --- the file ------------------------------------------------------------------------------------------ */

static ssize_t socket_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct socket *s = f->data;
    struct socket_msg m = {.data = to, .nonblock = f->flags & O_NONBLOCK};
    /* As System V: nothing asked for is nothing waited for, unlike with recv(2). */
    return unlikely(to->left == 0) ? 0 : socket_recv(s, &m);
}

static ssize_t socket_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct socket *s = f->data;
    struct socket_msg m = {.data = from, .nonblock = f->flags & O_NONBLOCK};
    if (s->type == SOCK_SEQPACKET)
        m.flags |= MSG_EOR;
    return socket_send(s, &m);
}

static uint32_t socket_poll(struct file *f, struct poll_table *t)
{
    struct socket *s = f->data;
    return s->ops->poll(s, f, t);
}

static long socket_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    struct socket *s = f->data;
    long ret = s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
    return ret == -ENOTTY ? ifinfo_ioctl(s->family, cmd, arg) : ret;
}

static void socket_release(struct file *f)
{
    struct socket *s = f->data;
    s->ops->release(s);
}

static int socket_show_fdinfo(struct file *f, char *buf, size_t size)
{
    struct socket *s = f->data;
    return s->ops->show ? s->ops->show(s, buf, size) : 0;
}

static const struct file_ops socket_file_ops = {
    .read = socket_read,
    .write = socket_write,
    .poll = socket_poll,
    .ioctl = socket_ioctl,
    .release = socket_release,
    .show_fdinfo = socket_show_fdinfo,
};

struct file *socket_new_file(struct socket *s, int flags)
{
    struct file *f =
        file_new_anon(&socket_file_ops, s, O_RDWR | (flags & O_NONBLOCK), S_IFSOCK | 0777, NULL);
    if (!f) {
        s->ops->release(s);
        return NULL;
    }
    f->is_quiet = s->type != SOCK_STREAM;
    s->file = f;
    return f;
}

struct socket *socket_of_file(const struct file *f)
{
    return f->ops == &socket_file_ops ? f->data : NULL;
}
