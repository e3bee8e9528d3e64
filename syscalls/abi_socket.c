/* Layouts of the user structures that the calls on sockets take; see abi_socket.h. */
#include <abi.h>
#include <abi_socket.h>
#include <asm/socket.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/filter.h>
#include <linux/in.h>
#include <linux/time_types.h>
#include <linux/uio.h>
#include <proc/cred.h>

#define CONTROL_MAX    20480 /* net.core.optmem_max */
#define NS_PER_SEC     1000000000L
#define I386_GROUP_REQ 132 /* struct group_req there */

/* No exported header has these. */
struct linux_msghdr {
    struct uptr name;
    int name_len;
    struct uptr iov;
    size_t iov_len;
    struct uptr control;
    size_t control_len;
    unsigned flags;
};
struct linux_mmsghdr {
    struct linux_msghdr header;
    unsigned len;
};
struct linux_cmsghdr {
    size_t len;
    int level, type;
};
_Static_assert(sizeof(struct linux_msghdr) == 56 && sizeof(struct linux_mmsghdr) == 64,
               "as Linux's");
_Static_assert(sizeof(struct linux_cmsghdr) % sizeof(uint64_t) == 0 &&
                   sizeof(union i386_cmsghdr) % sizeof(uint32_t) == 0,
               "data is right behind its header");

/* --- what differs between the two ABIs ----------------------------------------------------------------- */

static int get_header(struct uptr p, struct linux_msghdr *h)
{
    union i386_msghdr small;
    if (!caller_is_i386())
        return user_get(p, h);
    if (user_get(p, &small) < 0)
        return -EFAULT;
    *h = (struct linux_msghdr){
        .name = uptr_of_word(small.name),
        .name_len = small.name_len,
        .iov = uptr_of_word(small.iov),
        .iov_len = small.iov_len,
        .control = uptr_of_word(small.control),
        .control_len = small.control_len,
        .flags = small.flags,
    };
    return 0;
}

#define FIELD_OF_HEADER(p, field)                                       \
    uptr_add((p), caller_is_i386() ? offsetof(union i386_msghdr, field) \
                                   : offsetof(struct linux_msghdr, field))

/* Bytes of a control message's header, and where the next one may begin. */
static size_t cmsg_head(void)
{
    return caller_is_i386() ? sizeof(union i386_cmsghdr) : sizeof(struct linux_cmsghdr);
}

static size_t cmsg_align(size_t n)
{
    return ALIGN_UP(n, caller_word());
}

static struct linux_cmsghdr get_cmsg(const char *at)
{
    struct linux_cmsghdr h;
    union i386_cmsghdr small;
    if (!caller_is_i386()) {
        memcpy(&h, at, sizeof(h));
        return h;
    }
    memcpy(&small, at, sizeof(small));
    return (struct linux_cmsghdr){small.len, small.level, small.type};
}

static int put_cmsg(struct uptr p, const struct linux_cmsghdr *h)
{
    union i386_cmsghdr small;
    if (!caller_is_i386())
        return user_put(p, h);
    small.len = (uint32_t)h->len;
    small.level = h->level;
    small.type = h->type;
    return user_put(p, &small);
}

/* --- addresses ----------------------------------------------------------------------------------------- */

int user_get_addr(struct uptr p, int len, struct socket_addr *addr)
{
    if (len < 0 || len > SOCKET_ADDR_MAX)
        return -EINVAL;
    addr->len = (unsigned)len;
    addr->family = AF_UNSPEC;
    return len == 0 ? 0 : user_read(addr->bytes, p, (size_t)len);
}

int user_put_addr(struct uptr p, struct uptr len, const struct socket_addr *addr)
{
    int room;
    if (user_get(len, &room) < 0)
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    size_t n = MIN((unsigned)room, addr->len);
    if (n > 0 && user_write(p, addr->bytes, n) < 0)
        return -EFAULT;
    int full = (int)addr->len;
    return user_put(len, &full);
}

/* --- control data that is sent ------------------------------------------------------------------------- */

static int read_rights(struct socket_control *c, const int *fds, size_t nr)
{
    size_t had = c->rights ? c->rights->nr : 0;
    if (had + nr > SCM_MAX_FD)
        return -EINVAL;
    struct socket_rights *r = c->rights;
    if (!r) {
        r = heap_alloc(sizeof(*r) + SCM_MAX_FD * sizeof(r->file[0]));
        if (!r)
            return -ENOMEM;
        list_init(&r->node);
        r->nr = r->nr_sockets = 0;
        c->rights = r;
    }
    for (size_t i = 0; i < nr; i++) {
        struct file *f = fd_get(current_files(), fds[i]);
        if (!f)
            return -EBADF;
        r->file[r->nr++] = f;
    }
    return 0;
}

/* Only root may say that it is someone else. */
static int check_cred(const struct socket_cred *who)
{
    const struct cred *c = current_cred();
    bool is_self = who->pid == current_process()->pid;
    if (!is_self && !cred_has_cap(c, CAP_SYS_ADMIN))
        return -EPERM;
    if (who->uid != c->uid && who->uid != c->euid && who->uid != c->suid &&
        !cred_has_cap(c, CAP_SETUID))
        return -EPERM;
    if (who->gid != c->gid && who->gid != c->egid && who->gid != c->sgid &&
        !cred_has_cap(c, CAP_SETGID))
        return -EPERM;
    if (is_self)
        return 0;
    struct process *p = process_find(who->pid);
    if (!p)
        return -ESRCH;
    process_put(p);
    return 0;
}

static int read_socket_item(struct socket_control *c, int type, const void *data, size_t len)
{
    if (!c->takes_scm)
        return type == SCM_RIGHTS || type == SCM_CREDENTIALS ? 0 : -EINVAL;
    if (type == SCM_RIGHTS)
        return len < sizeof(int) ? 0 : read_rights(c, data, len / sizeof(int));
    if (type != SCM_CREDENTIALS || len != sizeof(c->cred))
        return -EINVAL;
    memcpy(&c->cred, data, len);
    c->has_cred = true;
    return check_cred(&c->cred);
}

static int read_items(struct socket_control *c, char *at, size_t n)
{
    struct linux_cmsghdr h;
    if (caller_is_i386() && n < cmsg_head()) /* Linux ignores that of its 64-bit programs only */
        return -EINVAL;
    while (n >= cmsg_head()) {
        h = get_cmsg(at);
        if (h.len < cmsg_head() || h.len > n)
            return -EINVAL;
        int ret = 0;
        const void *data = at + cmsg_head();
        size_t len = h.len - cmsg_head();
        if (h.level == SOL_SOCKET)
            ret = read_socket_item(c, h.type, data, len);
        else if (c->nr_items < SOCKET_CMSG_MAX)
            c->items[c->nr_items++] = (struct socket_cmsg){h.level, h.type, data, len};
        else
            ret = -EINVAL;
        if (ret < 0)
            return ret;
        size_t step = MIN(cmsg_align(h.len), n);
        at += step;
        n -= step;
    }
    return 0;
}

static int read_control(struct user_msg *u, struct uptr p, size_t n)
{
    if (n > CONTROL_MAX)
        return -ENOBUFS;
    u->control_copy = heap_alloc(n);
    if (!u->control_copy)
        return -ENOBUFS;
    if (user_read(u->control_copy, p, n) < 0)
        return -EFAULT;
    u->m.control = &u->c;
    return read_items(&u->c, u->control_copy, n);
}

/* --- headers ------------------------------------------------------------------------------------------- */

static void msg_begin(struct user_msg *u)
{
    u->m = (struct socket_msg){.data = &u->data};
    u->c.rights = NULL;
    u->c.has_cred = false;
    u->c.nr_items = 0;
    u->control_copy = NULL;
    u->has_control = false;
    u->control_used = 0;
    u->iov.seg = u->iov.fast;
}

static int read_header(struct user_msg *u, struct uptr p, struct linux_msghdr *h)
{
    msg_begin(u);
    u->header = p;
    if (get_header(p, h) < 0)
        return -EFAULT;
    if (uptr_is_null(h->name))
        h->name_len = 0;
    if (h->name_len < 0)
        return -EINVAL;
    h->name_len = MIN(h->name_len, SOCKET_ADDR_MAX);
    return 0;
}

static int read_vector(struct user_msg *u, const struct linux_msghdr *h)
{
    if (h->iov_len > UIO_MAXIOV)
        return -EMSGSIZE;
    int ret = user_iov_read(&u->iov, h->iov, h->iov_len);
    if (ret < 0) {
        u->iov.seg = u->iov.fast;
        return ret;
    }
    iobuf_vector(&u->data, u->iov.seg, (unsigned)h->iov_len, u->iov.total);
    return 0;
}

int user_msg_read_send(struct user_msg *u, struct uptr header, bool takes_scm)
{
    struct linux_msghdr h;
    int ret = read_header(u, header, &h);
    u->c.takes_scm = takes_scm;
    if (ret == 0 && h.name_len > 0) {
        ret = user_get_addr(h.name, h.name_len, &u->addr);
        u->m.addr = &u->addr;
    }
    if (ret == 0)
        ret = read_vector(u, &h);
    if (ret == 0 && h.control_len > INT32_MAX)
        ret = -ENOBUFS;
    if (ret == 0 && h.control_len > 0)
        ret = read_control(u, h.control, h.control_len);
    if (ret < 0)
        user_msg_end(u);
    return ret;
}

void user_msg_end(struct user_msg *u)
{
    user_iov_end(&u->iov);
    u->iov.seg = u->iov.fast;
    heap_free(u->control_copy);
    u->control_copy = NULL;
    if (u->c.rights)
        socket_rights_free(u->c.rights);
    u->c.rights = NULL;
}

/* --- what is received ---------------------------------------------------------------------------------- */

/* One item into the caller's buffer: cut when it does not fit, which is the flag MSG_CTRUNC's business. */
static bool put_item(struct user_msg *u, int level, int type, const void *data, size_t len)
{
    uint32_t small[2];
    if (caller_is_i386() && level == SOL_SOCKET &&
        (type == SO_TIMESTAMP_OLD || type == SO_TIMESTAMPNS_OLD)) {
        const int64_t *when = data;
        small[0] = (uint32_t)when[0];
        small[1] = (uint32_t)when[1];
        data = small;
        len = sizeof(small);
    }
    struct linux_cmsghdr h = {cmsg_head() + len, level, type};
    size_t room = u->control_room - u->control_used;
    if (room < cmsg_head())
        return false;
    bool fits = h.len <= room;
    h.len = MIN(h.len, room);
    struct uptr at = uptr_add(u->control, u->control_used);
    size_t n = h.len - MIN(h.len, cmsg_head());
    if (put_cmsg(at, &h) < 0 || (n > 0 && user_write(uptr_add(at, cmsg_head()), data, n) < 0))
        return false;
    u->control_used += MIN(cmsg_align(cmsg_head() + len), room);
    return fits;
}

static bool emit(struct socket_control *c, int level, int type, const void *data, size_t len)
{
    return put_item(container_of(c, struct user_msg, c), level, type, data, len);
}

/* A new descriptor for `f`, its number told at `at`. */
static int put_descriptor(struct file *f, struct uptr at, int flags)
{
    uint64_t limit = process_rlimit(current_process(), RLIMIT_NOFILE);
    int fd = fd_reserve(current_files(), 0, limit, flags);
    if (fd < 0)
        return fd;
    if (user_put(at, &fd) < 0) {
        fd_unreserve(current_files(), fd);
        return -EFAULT;
    }
    file_get(f);
    fd_bind(current_files(), fd, f);
    return 0;
}

/* As many descriptors as there is room for; the others are closed. */
static void put_rights(struct user_msg *u)
{
    struct socket_rights *r = u->c.rights;
    size_t room = u->control_room - u->control_used, most = 0;
    if (room > cmsg_head())
        most = (room - cmsg_head()) / sizeof(int);
    struct uptr at = uptr_add(u->control, u->control_used);
    struct uptr data = uptr_add(at, cmsg_head());
    unsigned nr = 0;
    while (nr < MIN(r->nr, most) &&
           put_descriptor(r->file[nr], uptr_add(data, nr * sizeof(int)), u->cmsg_flags) == 0)
        nr++;
    if (nr > 0) {
        struct linux_cmsghdr h = {cmsg_head() + nr * sizeof(int), SOL_SOCKET, SCM_RIGHTS};
        if (put_cmsg(at, &h) == 0)
            u->control_used += MIN(cmsg_align(h.len), room);
    }
    if (nr < r->nr)
        u->m.out_flags |= MSG_CTRUNC;
}

int user_msg_read_recv(struct user_msg *u, struct uptr header, int flags)
{
    struct linux_msghdr h;
    int ret = read_header(u, header, &h);
    if (ret == 0)
        ret = read_vector(u, &h);
    if (ret < 0)
        return ret;
    u->name = h.name;
    u->name_room = (size_t)h.name_len;
    u->addr.len = 0;
    if (!uptr_is_null(h.name))
        u->m.addr = &u->addr;
    u->control = h.control;
    u->control_room = h.control_len;
    u->cmsg_flags = flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0;
    u->c.emit = emit;
    if (!uptr_is_null(h.control) && h.control_len > 0)
        u->m.control = &u->c;
    return 0;
}

int user_msg_write_recv(struct user_msg *u)
{
    struct uptr p = u->header;
    if (u->c.rights)
        put_rights(u);
    int name_len = (int)u->addr.len;
    size_t n = MIN(u->name_room, u->addr.len);
    if (!uptr_is_null(u->name) && ((n > 0 && user_write(u->name, u->addr.bytes, n) < 0) ||
                                   user_put(FIELD_OF_HEADER(p, name_len), &name_len) < 0))
        return -EFAULT;
    unsigned flags = (unsigned)u->m.out_flags | (u->cmsg_flags ? MSG_CMSG_CLOEXEC : 0);
    if (user_put(FIELD_OF_HEADER(p, flags), &flags) < 0 ||
        user_put_word(FIELD_OF_HEADER(p, control_len), u->control_used) < 0)
        return -EFAULT;
    return 0;
}

struct uptr user_mmsg_header(struct uptr vec, unsigned i)
{
    return uptr_add(
        vec, i * (caller_is_i386() ? sizeof(union i386_mmsghdr) : sizeof(struct linux_mmsghdr)));
}

int user_mmsg_put_len(struct uptr vec, unsigned i, unsigned len)
{
    size_t offset =
        caller_is_i386() ? offsetof(union i386_mmsghdr, len) : offsetof(struct linux_mmsghdr, len);
    return user_put(uptr_add(user_mmsg_header(vec, i), offset), &len);
}

/* --- options ------------------------------------------------------------------------------------------- */

static bool is_time_option(int level, int name)
{
    return level == SOL_SOCKET && (name == SO_RCVTIMEO_OLD || name == SO_SNDTIMEO_OLD ||
                                   name == SO_RCVTIMEO_NEW || name == SO_SNDTIMEO_NEW);
}

/* i386's older two options have a time of 32 bits. */
static bool is_small_time(int name)
{
    return caller_is_i386() && (name == SO_RCVTIMEO_OLD || name == SO_SNDTIMEO_OLD);
}

/* MCAST_JOIN_GROUP and its like: an index and an address, which i386 does not align. */
static void widen_group_request(char *value, unsigned *len)
{
    if (*len < I386_GROUP_REQ)
        return;
    memmove(value + sizeof(uint64_t), value + sizeof(uint32_t), I386_GROUP_REQ - sizeof(uint32_t));
    *len = MAX(*len, (unsigned)(I386_GROUP_REQ + sizeof(uint32_t)));
}

int abi_option_from_user(int level, int name, void *value, unsigned *len)
{
    struct __kernel_old_timeval tv;
    if (caller_is_i386() && (level == IPPROTO_IP || level == IPPROTO_IPV6) &&
        (name == MCAST_JOIN_GROUP || name == MCAST_LEAVE_GROUP))
        widen_group_request(value, len);
    if (!is_time_option(level, name))
        return 0;
    union i386_timeval small;
    if (*len < (is_small_time(name) ? sizeof(small) : sizeof(tv)))
        return -EINVAL;
    if (is_small_time(name)) {
        memcpy(&small, value, sizeof(small));
        tv = (struct __kernel_old_timeval){small.tv_sec, small.tv_usec};
    } else {
        memcpy(&tv, value, sizeof(tv));
    }
    if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
        return -EDOM;
    int64_t ns = 0; /* no limit; a negative time is over at once, which a nanosecond is nearly */
    if (tv.tv_sec < 0)
        ns = 1;
    else if (tv.tv_sec < INT64_MAX / NS_PER_SEC - 1)
        ns = tv.tv_sec * NS_PER_SEC + tv.tv_usec * 1000;
    memcpy(value, &ns, sizeof(ns));
    *len = sizeof(ns);
    return 0;
}

int abi_filter_from_user(const void *value, unsigned len, struct uptr *program, unsigned *bytes)
{
    struct {
        uint16_t n;
        struct uptr program;
    } big;
    struct {
        uint16_t n;
        uint32_t program;
    } small;
    if (len != (caller_is_i386() ? sizeof(small) : sizeof(big)))
        return -EINVAL;
    memcpy(&big, value, MIN(len, (unsigned)sizeof(big)));
    memcpy(&small, value, sizeof(small));
    *program = caller_is_i386() ? uptr_of_word(small.program) : big.program;
    *bytes = small.n * (unsigned)sizeof(struct sock_filter);
    return small.n == 0 || small.n > BPF_MAXINSNS || uptr_is_null(*program) ? -EINVAL : 0;
}

void abi_option_to_user(int level, int name, void *value, unsigned *len, unsigned room)
{
    if (!is_time_option(level, name))
        return;
    int64_t ns;
    memcpy(&ns, value, sizeof(ns));
    struct __kernel_old_timeval tv = {ns / NS_PER_SEC, ns % NS_PER_SEC / 1000};
    if (is_small_time(name)) {
        union i386_timeval small;
        small.tv_sec = (int32_t)tv.tv_sec;
        small.tv_usec = (int32_t)tv.tv_usec;
        *len = MIN(room, (unsigned)sizeof(small));
        memcpy(value, &small, sizeof(small));
        return;
    }
    *len = MIN(room, (unsigned)sizeof(tv));
    memcpy(value, &tv, sizeof(tv));
}
