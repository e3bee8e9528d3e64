/* A netlink socket that nobody reads: its queue is bounded, what found no room is told of once, and a dump waits. */
#include "inet_test.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

enum { FLOOD = 3000, HELD = 100 };

static int s;

static void ask(int type, int flags, unsigned number)
{
    struct {
        struct nlmsghdr h;
        struct ifinfomsg m;
    } q = {{sizeof q, (uint16_t)type, (uint16_t)(NLM_F_REQUEST | flags), number, 0}, {0}};
    NEED(send(s, &q, sizeof q, 0) == (long)sizeof q);
}

/* A request that is answered by its acknowledgement alone. */
static void ask_nothing(unsigned number)
{
    ask(NLMSG_NOOP, NLM_F_ACK, number);
}

/* The number of the next answer, and its type; false: it is an error, or there is none. */
static bool next(unsigned *number, int *type)
{
    static union {
        struct nlmsghdr h;
        char bytes[8192];
    } u;
    long n = recv(s, &u, sizeof u, MSG_DONTWAIT);
    if (n < 0)
        return false;
    CHECK(n >= (long)sizeof u.h);
    *number = u.h.nlmsg_seq;
    *type = u.h.nlmsg_type;
    return true;
}

/* All that is there, which begins with `first`: how many there are, without a gap. */
static unsigned drain(unsigned first)
{
    unsigned number = 0, n = 0;
    int type;
    for (; next(&number, &type); n++)
        CHECK(type == NLMSG_ERROR && number == first + n);
    CHECK(errno == EAGAIN);
    return n;
}

static void start(void)
{
    if (s)
        close(s);
    s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    NEED(s >= 0);
}

static void flood(void)
{
    char byte;
    start();
    for (unsigned n = 1; n <= FLOOD; n++)
        ask_nothing(n);
    say_ready("flooded", s);
    SHOW(recv(s, &byte, 1, MSG_DONTWAIT | MSG_PEEK));
    say_ready("told", s);
    unsigned n = drain(1);
    CHECK(n > 100 && n < 600);
    say_ready("read", s);
    ask_nothing(7);
    SHOW(drain(7));
    for (unsigned k = 1; k <= FLOOD; k++)
        ask_nothing(k);
    say("SO_ERROR: %s", strerror(get_opt(s, SOL_SOCKET, SO_ERROR)));
    say_ready("asked", s);
    /* What was lost is told of once, and until all is read more is lost. */
    unsigned number;
    int type;
    CHECK(next(&number, &type) && number == 1);
    ask_nothing(FLOOD + 1);
    n = drain(2);
    CHECK(n > 100 && n < 600);
    ask_nothing(8);
    SHOW(drain(8));
}

/* One answer always fits. */
static void little(void)
{
    start();
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVBUF, 0));
    for (unsigned n = 1; n <= 10; n++)
        ask_nothing(n);
    SHOW(recv(s, &(char){0}, 1, MSG_DONTWAIT));
    unsigned n = drain(1);
    CHECK(n >= 1 && n < 10);
}

/* Without room a dump begins when enough was read; another one does not. */
static void dump(void)
{
    unsigned number, last = 0, after = 0;
    int type;
    start();
    for (unsigned k = 1; k <= HELD; k++)
        ask_nothing(k);
    SHOW(set_opt(s, SOL_SOCKET, SO_RCVBUF, 16384));
    say_ready("less room", s);
    ask(RTM_GETLINK, NLM_F_DUMP, 1000);
    ask(RTM_GETLINK, NLM_F_DUMP, 1001);
    say_ready("a dump", s);
    SHOW(recv(s, &(char){0}, 1, MSG_DONTWAIT));
    while (next(&number, &type)) {
        CHECK(type == NLMSG_ERROR ? number == last + 1 : number == 1000);
        if (type == NLMSG_ERROR)
            last = number;
        after += number == 1000;
    }
    say("acknowledgements: %u, dump: %d, then %s", last, after > 0, strerror(errno));
    ask(RTM_GETLINK, NLM_F_DUMP, 1002);
    CHECK(next(&number, &type) && number == 1002 && type == RTM_NEWLINK);
}

/* Dumps without anybody who reads them: memory has an end before they have. */
static void dumps(void)
{
    unsigned number, n = 0;
    int type;
    start();
    for (unsigned k = 1; k <= FLOOD; k++)
        ask(RTM_GETLINK, NLM_F_DUMP, k);
    SHOW(recv(s, &(char){0}, 1, MSG_DONTWAIT));
    while (next(&number, &type))
        n++;
    CHECK(n > 2 && n < 600);
    ask(RTM_GETLINK, NLM_F_DUMP, 9);
    CHECK(next(&number, &type) && number == 9);
}

/* A reader that sleeps is woken by the first answer, and others ask meanwhile. */
static void *reader(void *arg)
{
    unsigned *nr = arg;
    char bytes[8192];
    for (;;) {
        long n = recv(s, bytes, sizeof bytes, 0);
        if (n < 0) {
            CHECK(errno == ENOBUFS);
            continue;
        }
        ++*nr;
        if (((struct nlmsghdr *)bytes)->nlmsg_seq == FLOOD + 1)
            return NULL;
    }
}

static void threads(void)
{
    pthread_t t;
    unsigned nr = 0;
    start();
    NEED(pthread_create(&t, NULL, reader, &nr) == 0);
    for (unsigned k = 1; k <= FLOOD; k++)
        ask_nothing(k);
    /* The last one comes when the reader has read the others. */
    do
        ask_nothing(FLOOD + 1);
    while (pthread_tryjoin_np(t, NULL));
    CHECK(nr > 0);
}

int main(void)
{
    flood();
    little();
    dump();
    dumps();
    threads();
    return done();
}
