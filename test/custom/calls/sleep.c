/* Sleeping, waking, and the lock. */
#include <yolk/sdk.h>

static struct yolk_queue bell;
static unsigned rings;

long sys_probe_wait(unsigned seen, int timeout_ms)
{
    uint64_t deadline =
        timeout_ms < 0 ? YOLK_FOREVER : yolk_now_ns() + (uint64_t)timeout_ms * 1000000;

    for (;;) {
        unsigned ticket = yolk_ticket(&bell);
        unsigned now = __atomic_load_n(&rings, __ATOMIC_ACQUIRE);
        if (now != seen)
            return (long)now;
        int err = yolk_sleep(&bell, ticket, deadline);
        if (err)
            return err;
    }
}

long sys_probe_ring(void)
{
    long now = __atomic_add_fetch(&rings, 1, __ATOMIC_ACQ_REL);

    yolk_wake(&bell);
    return now;
}

static struct yolk_lock lock;
static struct yolk_queue nobody;
static long counter; /* guarded by lock */

/* Sleeps between reading and writing, so that without the lock counts are lost. */
long sys_probe_count(int times)
{
    for (int i = 0; i < times; i++) {
        int err = yolk_lock(&lock);
        if (err)
            return err;
        long before = counter;
        err = yolk_sleep(&nobody, yolk_ticket(&nobody), yolk_now_ns() + 100000);
        counter = before + 1;
        yolk_unlock(&lock);
        if (err != -ETIMEDOUT)
            return err;
    }
    return counter;
}
