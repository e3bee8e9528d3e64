/* lwIP's periodic timers, and when they rest.
 *
 * lwIP would be called ten times a second for good.  Here its timers run four times a second while the stack is in use,
 * and not at all once nobody has used it for a while and no connection waits for an answer: what still ages then (ARP
 * entries, leases, TIME_WAIT) catches up when it is looked at again, or once in a while. */
#include <core/wait.h>
#include <inet.h>

#include <lwip/dhcp.h>
#include <lwip/igmp.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/timeouts.h>

#define NS_PER_MS 1000000ul
#define QUIET_MS \
    10000u /* the longest that ARP and ND wait between two of their packets, and some */
#define REST_MS 60000u
/* While a connection is there whose age matters: TIME_WAIT, keep-alive. */
#define REST_TCP_MS 2000u
#define ACK_MS      40u /* the longest that an acknowledgement waits, as on Linux; lwIP has 250 */
#define TCP_TIMER   0   /* its place among lwIP's timers */
/* Of a time in which nothing ran, as the machine stood still, TCP sees two seconds: it would give up peers that it has not
 * asked.  All else ages. */
#define TCP_MISSED 8u
#define MISSED     (REST_MS / IGMP_TMR_INTERVAL)

/* under the net lock; times in milliseconds of arch_clock_ns() */
static uint64_t last_run[16];
static uint64_t next_run; /* of the first of them */
static uint64_t last_use;
static uint64_t acks_at;    /* when acknowledgements that wait are sent; 0: none does, perhaps */
static uint64_t rest_began; /* 0: the timers run */
static uint64_t rest_ends;  /* when it was to */
static bool is_used;

static uint64_t now_ms(void)
{
    return arch_clock_ns() / NS_PER_MS;
}

/* lwip_init calls it. */
void sys_timeouts_init(void)
{
    uint64_t now = now_ms();
    assert((size_t)lwip_num_cyclic_timers <= ARRAY_LEN(last_run));
    for (int i = 0; i < lwip_num_cyclic_timers; i++)
        last_run[i] = now;
    last_use = now;
}

/* TCP's clock goes on where it would be: no connection had a timer running that should have seen it pass. */
static void end_rest(uint64_t now)
{
    uint64_t ticks = (MIN(now, rest_ends) - rest_began) / TCP_SLOW_INTERVAL;
    tcp_ticks += (u32_t)ticks - (ticks > 0);
    last_run[TCP_TIMER] = ticks > 0 ? now - TCP_SLOW_INTERVAL : now;
    next_run = now;
    rest_began = 0;
}

/* lwIP lets an acknowledgement wait with the bytes that Nagle's algorithm holds back, and in the end forgets it; the peer may
 * hold back its own for the lack of it. */
static void send_acks(void)
{
    for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next)
        if (p->unsent && (p->flags & (TF_ACK_DELAY | TF_ACK_NOW)))
            tcp_send_empty_ack(p);
}

void inet_timers_run(void)
{
    uint64_t now = now_ms();
    if (rest_began)
        end_rest(now);
    if (is_used)
        last_use = now;
    is_used = false;
    if (acks_at && now >= acks_at) {
        acks_at = 0;
        send_acks();
        tcp_fasttmr();
    }
    if (now < next_run)
        return;
    next_run = UINT64_MAX;
    for (int i = 0; i < lwip_num_cyclic_timers; i++) {
        const struct lwip_cyclic_timer *t = &lwip_cyclic_timers[i];
        uint64_t n = (now - last_run[i]) / t->interval_ms;
        last_run[i] += n * t->interval_ms;
        if (i == TCP_TIMER)
            send_acks();
        for (n = MIN(n, i == TCP_TIMER ? TCP_MISSED : MISSED); n > 0; n--)
            t->handler();
        if (i == TCP_TIMER)
            inet_tcp_forget_oldest_waits();
        next_run = MIN(next_run, last_run[i] + t->interval_ms);
    }
}

void inet_timers_delayed(void)
{
    if (acks_at)
        return;
    acks_at = now_ms() + ACK_MS;
    inet_run_at(acks_at * NS_PER_MS);
}

bool inet_timers_wake(void)
{
    if (likely(!rest_began))
        return false;
    inet_timers_run();
    return true;
}

void inet_timers_use(void)
{
    is_used = true;
    if (likely(!rest_began))
        return;
    inet_timers_run();
    inet_kick(); /* the thread sleeps for longer than to the next timer */
}

void inet_timers_sent(void)
{
    assert(
        !rest_began); /* the timers are not to run in the middle of what sends, which they may take away */
    is_used = true;
}

/* Nothing of it is under way. */
static bool is_quiet(const struct tcp_pcb *p)
{
    return !p->unsent && !p->unacked && !p->ooseq && !p->refused_data &&
           !(p->flags & (TF_ACK_DELAY | TF_ACK_NOW | TF_CLOSEPEND));
}

/* How long all timers may rest, in ms; 0: they may not. */
static uint64_t may_rest(uint64_t now)
{
    uint64_t ms = tcp_tw_pcbs ? REST_TCP_MS : REST_MS;
    struct netif *n;
    if (is_used || now - last_use < QUIET_MS)
        return 0;
    for (struct tcp_pcb *p = tcp_active_pcbs; p; p = p->next) {
        if (!is_quiet(p))
            return 0;
        if (p->state != ESTABLISHED || ip_get_option(p, SOF_KEEPALIVE))
            ms = REST_TCP_MS;
    }
    NETIF_FOREACH(n)
    {
        const struct dhcp *dhcp = netif_dhcp_data(n);
        if (dhcp && dhcp->request_timeout > 0)
            ms = MIN(ms, (uint64_t)dhcp->request_timeout * DHCP_FINE_TIMER_MSECS);
    }
    return ms;
}

/* What waits for an acknowledgement is repeated some time: else nobody does. */
static bool is_watched(void)
{
    struct tcp_pcb *p = tcp_active_pcbs;
    while (p && (!p->unacked || p->rtime >= 0))
        p = p->next;
    return !p;
}

uint64_t inet_timers_next(void)
{
    assert(is_watched());
    uint64_t now = now_ms(), ms = may_rest(now);
    if (ms > 0) {
        rest_began = now;
        rest_ends = now + ms;
    } else {
        ms = last_run[TCP_TIMER] + TCP_TMR_INTERVAL - now;
    }
    return (now + ms) * NS_PER_MS;
}
