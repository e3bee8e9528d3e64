/* What lwIP asks of a kernel: a lock, memory, time, chance, and someone who runs its timers.
 *
 * The net thread sleeps until the next timer (inet_timers.c) or until a device has packets; an idle CPU that a device
 * interrupts takes them in by itself.  Timers only run once the stack is up, which it is from the first socket or device on:
 * a program without network never wakes for them.
 *
 * The kernel's timer behind both is set when something is due earlier than it rings, and left alone otherwise: the thread
 * sleeps and wakes with each packet, and a timer for each sleep would cost more than one that rings for nothing. */
#include <base/string.h>
#include <core/random.h>
#include <core/sched.h>
#include <core/thread.h>
#include <core/timer.h>
#include <core/wait.h>
#include <inet.h>
#include <net/netdev.h>

#include <lwip/dns.h>
#include <net_hooks.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/sys.h>

#define NS_PER_MS 1000000ul

static struct mutex lock; /* RANK_NET */
static bool is_up;        /* atomic; set under `lock` */
static struct waitq thread_wait;
static bool has_work, has_rung, has_frames; /* atomic: why the net thread is to run */
/* under `lock`: */
static uint64_t poll_at;          /* when a device wants to be polled all the same */
static uint64_t timers_at;        /* when lwIP's timers are due */
static struct timer thread_timer; /* wakes the net thread for either, at: */
static uint64_t rings_at = TIME_NEVER;

void inet_lock(void)
{
    mutex_lock(&lock);
    inet_timers_use();
}

void net_assert_locked(void)
{
    assert(mutex_is_held(&lock));
}

/* Packets to this machine wait on their interface; delivering them may send more.  Then nothing else waits.  `has_news`:
 * something was taken in already, or a timer ran. */
static void deliver_local(bool has_news)
{
    struct netif *n;
    bool has_more;
    do {
        has_more = false;
        NETIF_FOREACH(n)
        {
            if (!n->loop_first)
                continue;
            netif_deliver(n);
            has_more = has_news = true;
        }
    } while (has_more);
    netif_flush_all();
    if (has_news)
        inet_tcp_check_linger();
}

static void take_in(void)
{
    netdev_poll_all();
    deliver_local(true);
}

static bool are_timers_wanted(void)
{
    return atomic_load(&has_work) || atomic_load(&has_rung);
}

/* For frames the net thread does not wait for the lock, which would then be handed to and fro between it and a program's
 * thread on another CPU: what has come since is taken in here. */
void inet_unlock(void)
{
    deliver_local(false);
    if (atomic_load(&has_frames) && atomic_swap(&has_frames, false))
        take_in();
    mutex_unlock(&lock);
    netif_ring_all();
    if (atomic_load(&has_frames))
        waitq_wake_all(&thread_wait);
}

void inet_look(void)
{
    mutex_lock_nested(&lock, RANK_PROCESS_INNER);
}

void inet_unlook(void)
{
    mutex_unlock(&lock);
    if (atomic_load(&has_frames))
        waitq_wake_all(&thread_wait);
}

void inet_kick(void)
{
    atomic_store(&has_work, true);
    waitq_wake(&thread_wait, 0, 0);
}

/* A CPU without work takes them in itself, before it does anything else. */
void inet_frames_came(void)
{
    atomic_store(&has_frames, true);
    if (!current_thread()->is_idle)
        waitq_wake(&thread_wait, 0, 0);
}

void netdev_poll_again(uint64_t ns)
{
    poll_at = MIN(poll_at, arch_clock_ns() + ns);
}

static void ring(struct timer *t)
{
    (void)t;
    atomic_store(&has_rung, true);
    waitq_wake(&thread_wait, 0, 0);
}

void inet_run_at(uint64_t at)
{
    if (atomic_swap(&has_rung, false))
        rings_at = TIME_NEVER;
    if (at >= rings_at)
        return;
    rings_at = at;
    timer_arm(&thread_timer, at);
}

/* What the net thread is there for; the lock is held, and given back. */
static void turn(void)
{
    bool is_kicked = atomic_swap(&has_work, false), is_due = is_kicked || atomic_load(&has_rung);
    bool is_used = atomic_swap(&has_frames, false) || is_kicked;
    is_due |= inet_timers_wake();
    if (is_used)
        inet_timers_use();
    poll_at = TIME_NEVER;
    take_in();
    if (is_due) {
        inet_timers_run();
        deliver_local(true);
        timers_at = inet_timers_next();
    }
    inet_run_at(MIN(timers_at, poll_at));
    mutex_unlock(&lock);
    netif_ring_all();
}

static void net_thread(void *arg)
{
    (void)arg;
    for (;;) {
        bool is_locked = false;
        (void)!WAIT_EVENT(&thread_wait,
                          are_timers_wanted() ||
                              (atomic_load(&has_frames) && (is_locked = mutex_try(&lock))),
                          WAIT_UNINTERRUPTIBLE, TIME_NEVER);
        if (!is_locked)
            mutex_lock(&lock);
        turn();
        if (atomic_load(&has_frames))
            sched_yield(); /* frames come faster than they are taken in: the program gets its share, too */
    }
}

/* An idle CPU spares the program that waits for a frame two switches of threads.  Whoever has the lock sees to the frames
 * when it gives it back; for what came meanwhile there is the thread, which takes turns with programs. */
static void take_in_frames(void)
{
    if (!atomic_load(&has_frames) || !atomic_load(&is_up))
        return;
    arch_irq_on();
    if (mutex_try(&lock))
        turn();
    arch_irq_off();
    if (atomic_load(&has_frames))
        waitq_wake(&thread_wait, 0, 0);
}

void inet_port_init(void)
{
    mutex_init(&lock, RANK_NET);
    waitq_init(&thread_wait);
    timer_init(&thread_timer, ring);
    sched_set_idle_work(take_in_frames);
}

void inet_start(void)
{
    if (atomic_load(&is_up))
        return;
    inet_look(); /* the first may be somebody who reads /proc/net/dev */
    if (!is_up) {
        lwip_init();
        netif_init_all();
        inet_watch_icmp();
        atomic_store(&has_work, true);
        if (!thread_spawn("net", net_thread, NULL))
            panic("no memory for the net thread");
        atomic_store(&is_up, true);
    }
    deliver_local(false);
    inet_unlook();
    netif_ring_all();
}

/* --- what its sources call ----------------------------------------------------------------------------- */

void *net_malloc(unsigned long size)
{
    return heap_alloc(size);
}

void *net_calloc(unsigned long n, unsigned long size)
{
    return heap_zalloc(n * size);
}

void net_free(void *p)
{
    heap_free(p);
}

u32_t sys_now(void)
{
    return (u32_t)(arch_clock_ns() / NS_PER_MS);
}

unsigned net_rand(void)
{
    return (unsigned)random_u64();
}

void net_copy(void *dst, const void *src, unsigned long n)
{
    arch_copy(dst, src, n);
}

void net_panic(const char *what, int line)
{
    panic("lwIP: %s (line %d)", what, line);
}

/* Names are the program's business: of lwIP's resolver only what DHCP calls is here. */
void dns_init(void)
{
}

void dns_tmr(void)
{
}

void dns_setserver(u8_t number, const ip_addr_t *server)
{
    netdev_set_nameserver(number, server);
}
