/* What a handler must not do. */
#include <yolk/sdk.h>

static struct yolk_lock kept;

static long read_through(struct uptr p)
{
    return *(volatile int *)p.va;
}

long sys_probe_fault(int how, struct uptr address)
{
    int here;

    switch (how) {
    case 0:
        return read_through(address);
    case 1:
        memset((void *)address.va, 1, 64);
        return 0;
    case 2: /* a user pointer where a kernel one belongs */
        return yolk_read_user((void *)address.va, address, sizeof(here));
    case 3: /* with a lock */
        if (yolk_lock(&kept))
            return -EINTR;
        return read_through(address);
    case 4: /* a kernel address that is none */
        return *(volatile int *)0xffffff0000000000;
    case 5: /* ends with the lock */
        return yolk_lock(&kept);
    case 6:
        yolk_log(YOLK_LOG_WARNING, "thread %d of %d said %s", yolk_tid(), yolk_pid(), "so");
        return 0;
    default:
        return -EINVAL;
    }
}
