/* socket(2) and everything that is done with one. */
#include <abi_io.h>
#include <abi_socket.h>
#include <abi.h>
#include <asm/socket.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/uio.h>
#include <proc/signal.h>
#include <syscalls/bodies.h>

#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC  O_CLOEXEC
#define OPTION_MAX    512 /* no option's value is longer, and what is given beyond is ignored */

/* The socket of a descriptor, through its file, referenced: 0, -EBADF, -ENOTSOCK. */
static int socket_of_fd(int fd, struct file **f, struct socket **s)
{
    *f = file_of_fd(fd);
    if (!*f)
        return -EBADF;
    *s = socket_of_file(*f);
    if (likely(*s))
        return 0;
    file_put(*f);
    return -ENOTSOCK;
}

static bool is_nonblocking(const struct file *f, int flags)
{
    return (flags & MSG_DONTWAIT) || (f->flags & O_NONBLOCK);
}

/* --- making them --------------------------------------------------------------------------------------- */

static long new_file(int family, int type, int protocol, struct file **out)
{
    struct socket *s;
    int ret = socket_create(family, type & SOCK_TYPE_MASK, protocol, &s);
    if (ret < 0)
        return ret;
    *out = socket_new_file(s, type & SOCK_NONBLOCK);
    return *out ? 0 : -ENFILE;
}

static bool has_unknown_flags(int type)
{
    return type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC);
}

long sys_socket(int domain, int type, int protocol)
{
    struct file *f;
    if (has_unknown_flags(type))
        return -EINVAL;
    long ret = new_file(domain, type, protocol, &f);
    return ret < 0 ? ret : install_file(f, type & SOCK_CLOEXEC);
}

/* Both files, connected. */
static long new_pair(int family, int type, int protocol, struct file *f[2])
{
    long ret = new_file(family, type, protocol, &f[0]);
    if (ret < 0)
        return ret;
    ret = new_file(family, type, protocol, &f[1]);
    if (ret < 0) {
        file_put(f[0]);
        return ret;
    }
    struct socket *a = socket_of_file(f[0]), *b = socket_of_file(f[1]);
    ret = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
    if (ret < 0) {
        file_put(f[0]);
        file_put(f[1]);
    }
    return ret;
}

long sys_socketpair(int domain, int type, int protocol, struct uptr sv)
{
    struct file *f[2];
    int fds[2];
    if (has_unknown_flags(type))
        return -EINVAL;
    if (user_read(fds, sv, sizeof(fds)) < 0 || user_write(sv, fds, sizeof(fds)) < 0)
        return -EFAULT; /* Linux writes there before it makes anything */
    long ret = new_pair(domain, type, protocol, f);
    if (ret < 0)
        return ret;
    ret = fd_install_pair(current_files(), f, process_rlimit(current_process(), RLIMIT_NOFILE),
                          type & SOCK_CLOEXEC, fds);
    if (ret < 0) {
        file_put(f[0]);
        file_put(f[1]);
        return ret;
    }
    if (user_write(sv, fds, sizeof(fds)) < 0) {
        (void)!fd_close(current_files(), fds[0]);
        (void)!fd_close(current_files(), fds[1]);
        return -EFAULT;
    }
    return 0;
}

/* --- names and connections ----------------------------------------------------------------------------- */

long sys_bind(int sockfd, struct uptr addr, int addrlen)
{
    struct file *f;
    struct socket *s;
    struct socket_addr a;
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret < 0)
        return ret;
    ret = user_get_addr(addr, addrlen, &a);
    if (ret == 0)
        ret = s->ops->bind ? s->ops->bind(s, &a) : -EOPNOTSUPP;
    file_put(f);
    return ret;
}

long sys_connect(int sockfd, struct uptr addr, int addrlen)
{
    struct file *f;
    struct socket *s;
    struct socket_addr a;
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret == -EBADF)
        return ret;
    int error = user_get_addr(addr, addrlen, &a); /* comes before -ENOTSOCK */
    if (ret < 0)
        return error < 0 ? error : ret;
    ret = error;
    if (ret == 0)
        ret = s->ops->connect ? s->ops->connect(s, &a, is_nonblocking(f, 0)) : -EOPNOTSUPP;
    file_put(f);
    return ret;
}

long sys_listen(int sockfd, int backlog)
{
    struct file *f;
    struct socket *s;
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret < 0)
        return ret;
    ret = socket_listen(s, backlog);
    file_put(f);
    return ret;
}

/* The next connection of `s` as a file. */
static long accept_file(struct socket *s, bool nonblock, int flags, struct file **out)
{
    struct socket *end;
    if (!s->ops->accept)
        return -EOPNOTSUPP;
    long ret = s->ops->accept(s, &end, nonblock);
    if (ret < 0)
        return ret;
    *out = socket_new_file(end, flags & SOCK_NONBLOCK);
    return *out ? 0 : -ENFILE;
}

static long accept(struct socket *s, bool nonblock, struct uptr addr, struct uptr addrlen,
                   int flags)
{
    struct file *end;
    int fd = fd_reserve(current_files(), 0, process_rlimit(current_process(), RLIMIT_NOFILE),
                        flags & SOCK_CLOEXEC);
    if (fd < 0)
        return fd;
    long ret = accept_file(s, nonblock, flags, &end);
    if (ret < 0) {
        fd_unreserve(current_files(), fd);
        return ret;
    }
    if (!uptr_is_null(addr)) {
        struct socket *new = socket_of_file(end);
        struct socket_addr a;
        ret = new->ops->getname(new, &a, SOCKET_ACCEPTED);
        ret = ret < 0 ? -ECONNABORTED : user_put_addr(addr, addrlen, &a);
    }
    if (ret < 0) {
        fd_unreserve(current_files(), fd);
        file_put(end);
        return ret;
    }
    fd_bind(current_files(), fd, end);
    return fd;
}

static long accept_connection(int sockfd, struct uptr addr, struct uptr addrlen, int flags)
{
    struct file *f;
    struct socket *s;
    bool is_known = !(flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC));
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret < 0)
        return ret == -ENOTSOCK && !is_known ? -EINVAL : ret;
    ret = is_known ? accept(s, is_nonblocking(f, 0), addr, addrlen, flags) : -EINVAL;
    file_put(f);
    return ret;
}

long sys_accept4(int sockfd, struct uptr addr, struct uptr addrlen, int flags)
{
    return accept_connection(sockfd, addr, addrlen, flags);
}

long sys_accept(int sockfd, struct uptr addr, struct uptr addrlen)
{
    return accept_connection(sockfd, addr, addrlen, 0);
}

static long getname(int fd, struct uptr addr, struct uptr addrlen, int peer)
{
    struct file *f;
    struct socket *s;
    struct socket_addr a;
    long ret = socket_of_fd(fd, &f, &s);
    if (ret < 0)
        return ret;
    ret = s->ops->getname ? s->ops->getname(s, &a, peer) : -EOPNOTSUPP;
    if (ret == 0)
        ret = user_put_addr(addr, addrlen, &a);
    file_put(f);
    return ret;
}

long sys_getsockname(int sockfd, struct uptr addr, struct uptr addrlen)
{
    return getname(sockfd, addr, addrlen, SOCKET_OWN);
}

long sys_getpeername(int sockfd, struct uptr addr, struct uptr addrlen)
{
    return getname(sockfd, addr, addrlen, SOCKET_PEER);
}

long sys_shutdown(int sockfd, int how)
{
    struct file *f;
    struct socket *s;
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret < 0)
        return ret;
    ret = s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
    file_put(f);
    return ret;
}

/* --- sending ------------------------------------------------------------------------------------------- */

static long send_end(const struct socket_msg *m, long ret)
{
    if (unlikely(ret == -EPIPE) && m->raises_sigpipe && !(m->flags & MSG_NOSIGNAL))
        files_raise_sigpipe();
    return ret;
}

/* What sendto(2) and recvfrom(2) begin with: 0, -EFAULT, -EBADF, -ENOTSOCK. */
static long begin_buffer(int fd, struct uptr buf, size_t len, int flags, struct file **f,
                         struct socket **s, struct iobuf *b, struct socket_msg *m)
{
    len = MIN(len, MAX_RW_COUNT);
    if (!user_range_ok(buf, len))
        return -EFAULT;
    long ret = socket_of_fd(fd, f, s);
    if (ret < 0)
        return ret;
    iobuf_user(b, buf, len);
    *m = (struct socket_msg){.data = b, .flags = flags, .nonblock = is_nonblocking(*f, flags)};
    return 0;
}

long sys_sendto(int sockfd, struct uptr buf, size_t len, int flags, struct uptr dest_addr,
                int addrlen)
{
    struct file *f;
    struct socket *s;
    struct socket_addr a;
    struct iobuf b;
    struct socket_msg m;
    long ret = begin_buffer(sockfd, buf, len, flags, &f, &s, &b, &m);
    if (ret < 0)
        return ret;
    if (!uptr_is_null(dest_addr)) {
        ret = user_get_addr(dest_addr, addrlen, &a);
        m.addr = &a;
    }
    if (ret == 0)
        ret = socket_send(s, &m);
    file_put(f);
    return send_end(&m, ret);
}

static long send_message(struct file *f, struct socket *s, struct uptr msg, int flags)
{
    struct user_msg u;
    long ret = user_msg_read_send(&u, msg, s->family == AF_UNIX);
    if (ret < 0)
        return ret;
    u.m.flags = flags;
    u.m.nonblock = is_nonblocking(f, flags);
    ret = send_end(&u.m, socket_send(s, &u.m));
    user_msg_end(&u);
    return ret;
}

/* sendmsg(2) and recvmsg(2): one message of a descriptor's socket. */
/* As socket_of_fd, for messages: the kernel's own mark for i386's is refused from others. */
static long socket_for_message(int fd, int flags, struct file **f, struct socket **s)
{
    return flags & MSG_CMSG_COMPAT && !caller_is_i386() ? -EINVAL : socket_of_fd(fd, f, s);
}

static long one_message(int fd, struct uptr msg, int flags,
                        long (*fn)(struct file *, struct socket *, struct uptr, int))
{
    struct file *f;
    struct socket *s;
    long ret = socket_for_message(fd, flags, &f, &s);
    if (ret < 0)
        return ret;
    ret = fn(f, s, msg, flags);
    file_put(f);
    return ret;
}

long sys_sendmsg(int sockfd, struct uptr msg, int flags)
{
    return one_message(sockfd, msg, flags, send_message);
}

long sys_sendmmsg(int sockfd, struct uptr msgvec, unsigned vlen, int flags)
{
    struct file *f;
    struct socket *s;
    long ret = socket_for_message(sockfd, flags, &f, &s);
    if (ret < 0)
        return ret;
    unsigned done = 0;
    for (vlen = MIN(vlen, (unsigned)UIO_MAXIOV); done < vlen; done++) {
        ret = send_message(f, s, user_mmsg_header(msgvec, done), flags);
        if (ret >= 0)
            ret = user_mmsg_put_len(msgvec, done, (unsigned)ret);
        if (ret < 0 || thread_interrupted())
            break;
    }
    file_put(f);
    return done > 0 ? (long)done : ret;
}

/* --- receiving ----------------------------------------------------------------------------------------- */

long sys_recvfrom(int sockfd, struct uptr buf, size_t len, int flags, struct uptr src_addr,
                  struct uptr addrlen)
{
    struct file *f;
    struct socket *s;
    struct socket_addr a = {.len = 0};
    struct iobuf b;
    struct socket_msg m;
    long ret = begin_buffer(sockfd, buf, len, flags, &f, &s, &b, &m);
    if (ret < 0)
        return ret;
    if (!uptr_is_null(src_addr))
        m.addr = &a;
    ret = socket_recv(s, &m);
    if (ret >= 0 && !uptr_is_null(src_addr) && user_put_addr(src_addr, addrlen, &a) < 0)
        ret = -EFAULT;
    file_put(f);
    return ret;
}

static long recv_message(struct file *f, struct socket *s, struct uptr msg, int flags)
{
    struct user_msg u;
    long ret = user_msg_read_recv(&u, msg, flags);
    if (ret < 0)
        return ret;
    u.m.flags = flags;
    u.m.nonblock = is_nonblocking(f, flags);
    ret = socket_recv(s, &u.m);
    if (ret >= 0) {
        int error = user_msg_write_recv(&u);
        ret = error < 0 ? error : ret;
    }
    user_msg_end(&u);
    return ret;
}

long sys_recvmsg(int sockfd, struct uptr msg, int flags)
{
    return one_message(sockfd, msg, flags, recv_message);
}

static long recv_many(struct file *f, struct socket *s, struct uptr vec, unsigned vlen, int flags,
                      uint64_t deadline)
{
    long ret = flags & MSG_ERRQUEUE ? 0 : socket_take_error(s);
    if (ret < 0)
        return ret;
    unsigned done = 0;
    while (done < vlen) {
        ret = recv_message(f, s, user_mmsg_header(vec, done), flags & ~MSG_WAITFORONE);
        if (ret >= 0)
            ret = user_mmsg_put_len(vec, done, (unsigned)ret);
        if (ret < 0)
            break;
        done++;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (arch_clock_ns() >= deadline || thread_interrupted())
            break;
    }
    if (done == 0)
        return ret;
    /* What ended it is told by the next call. */
    if (ret < 0 && ret != -EAGAIN && ret > -ERESTARTSYS)
        atomic_store(&s->error, (int)ret);
    return (long)done;
}

long sys_recvmmsg(int sockfd, struct uptr msgvec, unsigned vlen, int flags, struct uptr timeout)
{
    struct file *f;
    struct socket *s;
    int64_t ns = 0;
    uint64_t deadline = TIME_NEVER;
    if (!uptr_is_null(timeout)) {
        int error = user_get_timespec_ns(timeout, &ns);
        if (error < 0)
            return error;
        deadline = arch_clock_ns() + (uint64_t)ns;
        deadline = deadline < (uint64_t)ns ? TIME_NEVER : deadline;
    }
    long ret = socket_for_message(sockfd, flags, &f, &s);
    if (ret < 0)
        return ret;
    ret = recv_many(f, s, msgvec, MIN(vlen, (unsigned)UIO_MAXIOV), flags, deadline);
    file_put(f);
    if (ret > 0 && !uptr_is_null(timeout)) {
        uint64_t now = arch_clock_ns();
        if (user_put_timespec_ns(timeout, deadline > now ? (int64_t)(deadline - now) : 0) < 0)
            return -EFAULT;
    }
    return ret;
}

/* --- options ------------------------------------------------------------------------------------------- */

/* SO_ATTACH_FILTER: the program is what `value` points to. */
static long set_filter(struct socket *s, const void *value, unsigned len)
{
    struct uptr program;
    unsigned n;
    int ret = abi_filter_from_user(value, len, &program, &n);
    if (ret < 0)
        return ret;
    void *copy = heap_alloc(n);
    if (!copy)
        return -ENOMEM;
    ret = user_read(copy, program, n) < 0
              ? -EFAULT
              : socket_set_option(s, SOL_SOCKET, SO_ATTACH_FILTER, copy, n);
    heap_free(copy);
    return ret;
}

static long set_option(struct socket *s, int level, int name, struct uptr optval, int optlen)
{
    char value[OPTION_MAX] = {0};
    unsigned len = MIN((unsigned)optlen, (unsigned)OPTION_MAX);
    if (user_read(value, optval, len) < 0)
        return -EFAULT;
    if (level == SOL_SOCKET && name == SO_ATTACH_FILTER)
        return set_filter(s, value, len);
    int ret = abi_option_from_user(level, name, value, &len);
    return ret < 0 ? ret : socket_set_option(s, level, name, value, len);
}

long sys_setsockopt(int sockfd, int level, int optname, struct uptr optval, int optlen)
{
    struct file *f;
    struct socket *s;
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret < 0)
        return ret;
    ret = optlen < 0 ? -EINVAL : set_option(s, level, optname, optval, optlen);
    file_put(f);
    return ret;
}

static long get_option(struct socket *s, int level, int name, struct uptr optval,
                       struct uptr optlen)
{
    char value[OPTION_MAX];
    int room;
    if (user_get(optlen, &room) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    unsigned len = MIN((unsigned)room, (unsigned)OPTION_MAX);
    unsigned most = len;
    if (len < sizeof(int64_t) && level == SOL_SOCKET)
        len = sizeof(int64_t); /* times are converted whole; what is told is cut below */
    int ret = socket_get_option(s, level, name, value, &len);
    if (ret < 0)
        return ret;
    abi_option_to_user(level, name, value, &len, most);
    len = MIN(len, most);
    if (user_write(optval, value, len) < 0)
        return -EFAULT;
    return user_put(optlen, &len);
}

long sys_getsockopt(int sockfd, int level, int optname, struct uptr optval, struct uptr optlen)
{
    struct file *f;
    struct socket *s;
    long ret = socket_of_fd(sockfd, &f, &s);
    if (ret < 0)
        return ret;
    ret = get_option(s, level, optname, optval, optlen);
    file_put(f);
    return ret;
}
