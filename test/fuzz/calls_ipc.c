/* Arguments for sockets and System V IPC: what two calls must agree on before either does anything worth a bug.
 *
 * A generation starts with connected pairs of every family, listeners, and sockets bound where the addresses below point;
 * structures are built in the thread's own stage, which other threads' pointers hit now and then.  Nothing is sent
 * farther than the loopback device. */
#include "calls.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_PORT  4000
#define NR_PORTS    6
#define NR_NAMES    4
#define NR_KEYS     5
#define MAX_OBJECTS 512 /* of System V, of a kind */

/* --- addresses ---------------------------------------------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_nl nl;
};

static unsigned unix_address(struct sockaddr_un *un, unsigned which)
{
    static const char names[NR_NAMES][4] = {"s", "d/s", "\0s", "\0t"};
    unsigned length = which == 1 ? 3 : which == 0 ? 1 : 2;

    *un = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(un->sun_path, names[which], length);
    return (unsigned)offsetof(struct sockaddr_un, sun_path) + length + (which < 2);
}

static unsigned inet_address(struct sockaddr_in *in, uint32_t host, unsigned port)
{
    *in = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(host)}};
    return sizeof(*in);
}

static unsigned inet6_address(struct sockaddr_in6 *in6, unsigned port)
{
    *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                 .sin6_port = htons((uint16_t)port),
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    return sizeof(*in6);
}

static unsigned choose_address(struct fuzz_thread *t, union address *at)
{
    static const uint32_t hosts[] = {INADDR_LOOPBACK, INADDR_LOOPBACK, INADDR_LOOPBACK,
                                     INADDR_ANY,      0x7f000002,      0xc0000201 /* no host */};
    unsigned port = one_in(t, 6) ? 0 : FIRST_PORT + (unsigned)below(t, NR_PORTS);

    switch (below(t, 8)) {
    case 0:
    case 1:
        return unix_address(&at->un, (unsigned)below(t, NR_NAMES));
    case 2:
        inet6_address(&at->in6, port);
        if (one_in(t, 3))
            at->in6.sin6_addr = in6addr_any;
        return sizeof(at->in6);
    case 3:
        at->nl = (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = (unsigned)below(t, 3)};
        return sizeof(at->nl);
    case 4:
        if (one_in(t, 3)) { /* AF_UNSPEC undoes a connect; or a family without meaning */
            at->any.sa_family = (sa_family_t)(one_in(t, 2) ? AF_UNSPEC : below(t, 50));
            return (unsigned)below(t, sizeof(*at));
        }
        /* fallthrough */
    default:
        return inet_address(&at->in, hosts[below(t, 6)], port);
    }
}

/* --- the world ------------------------------------------------------------------------------------------------ */

static void connected_inet(int family, int type, unsigned port)
{
    const int one = 1;
    union address a;
    unsigned length = family == AF_INET ? inet_address(&a.in, INADDR_LOOPBACK, port)
                                        : inet6_address(&a.in6, port);
    int server = socket(family, type | SOCK_NONBLOCK, 0), client = socket(family, type, 0);

    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    bind(server, &a.any, length);
    if (type == SOCK_STREAM && listen(server, 5) == 0 && connect(client, &a.any, length) == 0)
        accept(server, NULL, NULL);
    if (type == SOCK_STREAM) {
        known_fd("listen", server);
        connect(socket(family, type | SOCK_NONBLOCK, 0), &a.any, length); /* waits to be accepted */
    }
    if (type == SOCK_DGRAM && connect(client, &a.any, length) == 0) {
        socklen_t size = sizeof(a);
        getsockname(client, &a.any, &size);
        connect(server, &a.any, size);
    }
}

static void connected_unix(int type, unsigned which)
{
    union address a;
    unsigned length = unix_address(&a.un, which);
    int server = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    int client = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

    bind(server, &a.any, length);
    if (type != SOCK_DGRAM) {
        listen(server, 3);
        known_fd("listen", server);
        connect(socket(AF_UNIX, type | SOCK_NONBLOCK, 0), &a.any, length);
    }
    if (connect(client, &a.any, length) == 0 && type != SOCK_DGRAM)
        accept(server, NULL, NULL);
}

void ipc_open(void)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    int two[2];

    for (int i = 0; i < 3; i++) {
        socketpair(AF_UNIX, types[i], 0, two);
        socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, two);
    }
    connected_unix(SOCK_STREAM, 0);
    connected_unix(SOCK_DGRAM, 2);
    connected_inet(AF_INET, SOCK_STREAM, FIRST_PORT);
    connected_inet(AF_INET, SOCK_DGRAM, FIRST_PORT);
    connected_inet(AF_INET6, SOCK_STREAM, FIRST_PORT + 1);
    connected_inet(AF_INET6, SOCK_DGRAM, FIRST_PORT + 1);
    socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, NETLINK_ROUTE);
    for (int key = 0; key < 2; key++) {
        shmget(key + 1, 16384, IPC_CREAT | 0666);
        semget(key + 1, 4, IPC_CREAT | 0666);
        msgget(key + 1, IPC_CREAT | 0666);
    }
}

/* System V objects outlive everything else.  Which there are is asked by index, as ipcs(1) does. */
void ipc_give_back(void)
{
    union {
        struct shmid_ds shm;
        struct semid_ds sem;
        struct msqid_ds msg;
    } buf;

    for (unsigned long i = 0; i < MAX_OBJECTS; i++) {
        long id = RAW(SYS_shmctl, i, SHM_STAT, (unsigned long)&buf);
        if (id >= 0)
            RAW(SYS_shmctl, (unsigned long)id, IPC_RMID, 0);
        id = RAW(SYS_semctl, i, 0, SEM_STAT, (unsigned long)&buf);
        if (id >= 0)
            RAW(SYS_semctl, (unsigned long)id, 0, IPC_RMID, 0);
        id = RAW(SYS_msgctl, i, MSG_STAT, (unsigned long)&buf);
        if (id >= 0)
            RAW(SYS_msgctl, (unsigned long)id, IPC_RMID, 0);
    }
}

/* --- messages --------------------------------------------------------------------------------------------------- */

struct stage {
    union address address;
    socklen_t length;
    struct mmsghdr messages[4];
    struct iovec iov[4];
    union {
        struct cmsghdr header;
        char bytes[256];
    } control;
    struct sembuf ops[6];
    int value[16];
};
_Static_assert(sizeof(struct stage) <= STAGE_SIZE / 2,
               "one for each thread; the rest is calls_known.c's");

static struct stage *stage_of(const struct fuzz_thread *t)
{
    return (struct stage *)(STAGES_BASE + t->index * STAGE_SIZE);
}

static unsigned long data(struct fuzz_thread *t)
{
    return DATA_BASE + (below(t, 65536) & ~7UL);
}

/* One header and what belongs to it; its length. */
static size_t put_control(struct fuzz_thread *t, struct cmsghdr *c)
{
    int *fd = (int *)CMSG_DATA(c);
    size_t size = 4 * (one_in(t, 40) ? 50 : 1 + below(t, 3));

    c->cmsg_level = SOL_SOCKET;
    switch (below(t, 8)) {
    case 0: /* SCM_CREDENTIALS: pid, uid, gid */
        c->cmsg_type = 2;
        size = 12;
        fd[0] = (int)RAW(SYS_getpid);
        fd[1] = fd[2] = 0;
        break;
    case 1:
        c->cmsg_level = one_in(t, 2) ? IPPROTO_IP : IPPROTO_IPV6;
        c->cmsg_type = (int)below(t, 60);
        size = below(t, 32);
        break;
    case 2:
        c->cmsg_type = (int)below(t, 50);
        break;
    default:
        c->cmsg_type = SCM_RIGHTS;
        for (size_t i = 0; i < size / 4; i++)
            fd[i] = FIRST_FD + (int)below(t, END_FD - FIRST_FD);
    }
    c->cmsg_len = one_in(t, 20) ? below(t, 300) : CMSG_LEN(size);
    return CMSG_SPACE(size);
}

static void put_message(struct fuzz_thread *t, struct stage *s, struct msghdr *m)
{
    *m = (struct msghdr){.msg_iov = s->iov, .msg_iovlen = below(t, 5)};
    if (one_in(t, 2)) {
        m->msg_name = &s->address;
        m->msg_namelen = choose_address(t, &s->address);
    }
    for (unsigned i = 0; i < 4; i++)
        s->iov[i] =
            (struct iovec){(void *)data(t), one_in(t, 10) ? below(t, 400000) : below(t, 3000)};
    if (one_in(t, 2)) {
        m->msg_control = &s->control;
        m->msg_controllen = one_in(t, 4) ? sizeof(s->control) : put_control(t, &s->control.header);
    }
}

static unsigned long message_flags(struct fuzz_thread *t)
{
    unsigned long all = MSG_PEEK | MSG_TRUNC | MSG_CTRUNC | MSG_WAITALL | MSG_EOR | MSG_MORE |
                        MSG_CMSG_CLOEXEC | MSG_DONTROUTE | MSG_WAITFORONE | MSG_NOSIGNAL;
    unsigned long chosen = draw(t) & draw(t) & draw(t) & all;

    return one_in(t, 20) ? draw(t) : chosen | (one_in(t, 2) ? 0 : MSG_DONTWAIT);
}

/* --- sockets ------------------------------------------------------------------------------------------------------ */

static void socket_kind(struct fuzz_thread *t, unsigned long a[])
{
    static const unsigned char domains[] = {AF_UNIX, AF_UNIX,    AF_INET, AF_INET,
                                            AF_INET, AF_NETLINK, AF_INET6},
                               types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET,
                                          SOCK_RAW};

    a[0] = one_in(t, 20) ? below(t, 50) : domains[below(t, sizeof(domains))];
    a[1] = one_in(t, 20) ? below(t, 12) : types[below(t, sizeof(types))];
    a[1] |= (one_in(t, 2) ? SOCK_NONBLOCK : 0) | (one_in(t, 4) ? SOCK_CLOEXEC : 0);
    a[2] = one_in(t, 6) ? below(t, 20) : 0;
}

static void option(struct fuzz_thread *t, struct stage *s, unsigned long a[], bool is_set)
{
    static const unsigned char levels[] = {SOL_SOCKET,  SOL_SOCKET,   IPPROTO_IP,
                                           IPPROTO_TCP, IPPROTO_IPV6, IPPROTO_UDP};
    static const unsigned char sizes[] = {4, 4, 4, 1, 8, 16, 64, 0};

    a[1] = one_in(t, 12) ? below(t, 300) : levels[below(t, sizeof(levels))];
    a[2] = below(t, a[1] == SOL_SOCKET ? 80 : 60);
    s->length = sizes[below(t, sizeof(sizes))];
    for (unsigned i = 0; i < 16; i++)
        s->value[i] = one_in(t, 3) ? (int)below(t, 70000) : (int)below(t, 3);
    a[3] = (unsigned long)s->value;
    a[4] = is_set ? s->length : (unsigned long)&s->length;
    /* Nobody wakes the supervisor when it closes what lingers. */
    if (is_set && (a[2] == SO_LINGER || one_in(t, 20))) {
        a[3] = LINGERS + 8 * below(t, 4);
        a[4] = sizeof(struct linger);
    }
}

static void bend_socket(struct fuzz_thread *t, const struct call *c, unsigned long a[])
{
    struct stage *s = stage_of(t);

    if (!strcmp(c->name, "socket") || !strcmp(c->name, "socketpair"))
        socket_kind(t, a);
    if (!strcmp(c->name, "setsockopt") || !strcmp(c->name, "getsockopt"))
        option(t, s, a, c->name[0] == 's');
    for (unsigned i = 0; i < c->argc; i++) {
        switch (c->kind[i]) {
        case K_SOCKADDR:
            a[i] = (unsigned long)&s->address;
            a[i + 1] = choose_address(t, &s->address);
            break;
        case K_SOCKADDRO:
            s->length = (socklen_t)below(t, sizeof(s->address) + 1);
            a[i] = (unsigned long)&s->address;
            a[i + 1] = (unsigned long)&s->length;
            break;
        case K_MSGHDR:
            put_message(t, s, &s->messages[0].msg_hdr);
            a[i] = (unsigned long)&s->messages[0].msg_hdr;
            break;
        case K_MSGF:
            a[i] = message_flags(t);
            break;
        default:
            break;
        }
        if (!strcmp(c->arg[i], "msgvec")) {
            for (unsigned n = 0; n < 4; n++)
                put_message(t, s, &s->messages[n].msg_hdr);
            a[i] = (unsigned long)s->messages;
            a[i + 1] = below(t, 5);
        } else if (!strcmp(c->arg[i], "backlog") || !strcmp(c->arg[i], "how")) {
            a[i] = below(t, 4);
        }
    }
    if (!strcmp(c->name, "accept4"))
        a[3] = one_in(t, 2) ? SOCK_NONBLOCK : SOCK_CLOEXEC;
    if (!strcmp(c->name, "sendto") && one_in(t, 2)) /* on a connected one */
        a[4] = a[5] = 0;
}

/* --- System V -------------------------------------------------------------------------------------------------------- */

static int latest[3][8]; /* ids that threads got: of shared memory, semaphores, queues */
static unsigned long attached[8];

/* Which of the three a call is about; -1: none. */
static int family_of(const char *name)
{
    return !strncmp(name, "shm", 3)   ? 0
           : !strncmp(name, "sem", 3) ? 1
           : !strncmp(name, "msg", 3) ? 2
                                      : -1;
}

static void put_operations(struct fuzz_thread *t, struct stage *s)
{
    for (unsigned i = 0; i < sizeof(s->ops) / sizeof(s->ops[0]); i++)
        s->ops[i] = (struct sembuf){
            .sem_num = (unsigned short)below(t, one_in(t, 20) ? 70000 : 4),
            .sem_op = (short)(one_in(t, 40) ? below(t, 65536) : below(t, 5) - 2),
            .sem_flg = (short)((one_in(t, 2) ? IPC_NOWAIT : 0) | (one_in(t, 3) ? SEM_UNDO : 0))};
}

static void bend_control(struct fuzz_thread *t, unsigned family, unsigned long a[])
{
    static const unsigned char sem[] = {GETALL, SETALL, GETVAL, SETVAL, GETPID, GETNCNT, GETZCNT};
    unsigned long command = one_in(t, 8)   ? IPC_RMID
                            : one_in(t, 4) ? below(t, 22)
                                           : (one_in(t, 2) ? IPC_STAT : IPC_SET);

    if (family == 1) {
        a[1] = below(t, 5);
        a[2] = one_in(t, 2) ? command : sem[below(t, sizeof(sem))];
        a[3] = a[2] == SETVAL ? below(t, 5) : data(t);
    } else {
        a[1] = command;
    }
}

static void bend_sysv(struct fuzz_thread *t, unsigned family, const struct call *c,
                      unsigned long a[])
{
    struct stage *s = stage_of(t);
    const char *what = c->name + 3;

    if (!strcmp(what, "get")) {
        unsigned flags = c->argc - 1;
        a[0] = below(t, NR_KEYS); /* IPC_PRIVATE among them */
        a[flags] = (one_in(t, 3) ? 0 : IPC_CREAT | 0666) | (one_in(t, 6) ? IPC_EXCL : 0);
        if (flags == 2)
            a[1] = one_in(t, 20) ? below(t, 1UL << 20) : below(t, family ? 6 : 100000);
        return;
    }
    a[0] = one_in(t, 12) ? below(t, 40) : (unsigned long)latest[family][below(t, 8)];
    if (!strcmp(what, "ctl")) {
        bend_control(t, family, a);
    } else if (!strcmp(what, "dt") || !strcmp(what, "at")) {
        unsigned at = what[0] == 'a'; /* all segments end inside */
        a[at] = ARENA_BASE + (below(t, ARENA_SIZE - (2UL << 20)) & ~4095UL);
        if (!at && one_in(t, 2))
            a[0] = attached[below(t, 8)];
        if (at)
            a[2] = (draw(t) & (SHM_RDONLY | SHM_RND | SHM_EXEC)) | (one_in(t, 2) ? SHM_REMAP : 0);
    } else if (family == 1) {
        put_operations(t, s);
        a[1] = (unsigned long)s->ops;
        a[2] = 1 + below(t, 6);
    } else {
        a[1] = data(t);
        a[2] = below(t, one_in(t, 10) ? 10000 : 600);
        if (!strcmp(what, "snd"))
            *(volatile long *)a[1] = (long)(1 + below(t, 4));
        else
            a[3] = below(t, 6) - 2;
        a[c->argc - 1] = draw(t) & (IPC_NOWAIT | MSG_NOERROR | 020000 /* MSG_EXCEPT */ | 040000);
    }
}

/* --- for the others --------------------------------------------------------------------------------------------------- */

static bool is_socket_call(const struct call *c)
{
    static const char *const plain[] = {"socket",     "socketpair", "listen", "shutdown",
                                        "setsockopt", "getsockopt", NULL};

    for (unsigned i = 0; plain[i]; i++)
        if (!strcmp(c->name, plain[i]))
            return true;
    for (unsigned i = 0; i < c->argc; i++)
        if (c->kind[i] == K_SOCKADDR || c->kind[i] == K_SOCKADDRO || c->kind[i] == K_MSGF)
            return true;
    return false;
}

bool ipc_is_ours(const struct call *c)
{
    return is_socket_call(c) || family_of(c->name) >= 0;
}

void ipc_bend(struct fuzz_thread *t, const struct call *c, unsigned long a[])
{
    int family = family_of(c->name);

    if (family >= 0)
        bend_sysv(t, (unsigned)family, c, a);
    else
        bend_socket(t, c, a);
    /* One argument is as hostile as others' are. */
    if (one_in(t, 8)) {
        unsigned i = (unsigned)below(t, c->argc);
        bool matters = family == 0 || !strcmp(c->name, "setsockopt");
        if (!matters)
            a[i] = hostile_word(t);
    }
}

void ipc_settle(struct fuzz_thread *t, long result)
{
    const char *name = t->now->name;
    int family = family_of(name);

    if (family < 0 || result < 0)
        return;
    if (!strcmp(name, "shmat"))
        __atomic_store_n(&attached[below(t, 8)], (unsigned long)result, __ATOMIC_RELAXED);
    if (!strcmp(name + 3, "get"))
        __atomic_store_n(&latest[family][below(t, 8)], (int)result, __ATOMIC_RELAXED);
}
