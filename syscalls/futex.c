/* futex(2) and its relatives: taking operations apart. */
#include <abi.h>
#include <abi_io.h>
#include <base/errno.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/futex.h>
#include <linux/time.h>
#include <proc/futex.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

static bool has_timeout(int cmd)
{
    return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
           cmd == FUTEX_LOCK_PI2;
}

/* The time-out argument: FUTEX_WAIT's is relative, on the monotonic clock; the others' are absolute.  0, -EFAULT,
 * -EINVAL. */
static int read_deadline(int cmd, bool is_wall, struct uptr timeout, struct clock_deadline *until)
{
    int64_t ns;
    int err = user_get_timespec_ns(timeout, &ns);

    if (err < 0)
        return err;
    *until = (struct clock_deadline){.ns = (uint64_t)ns, .is_wall = is_wall};
    if (cmd == FUTEX_WAIT)
        until->ns += clock_mono_ns(); /* neither exceeds INT64_MAX */
    return 0;
}

/* Waiting commands apart, which take a time-out where the others take `val2`. */
static long futex_other(int cmd, unsigned flags, struct uptr uaddr, unsigned val, unsigned val2,
                        struct uptr uaddr2, unsigned val3)
{
    switch (cmd) {
    case FUTEX_WAKE_BITSET:
        return futex_wake(uaddr, flags, (int)val, val3);
    case FUTEX_REQUEUE:
        return futex_requeue(uaddr, uaddr2, flags, (int)val, (int)val2, NULL);
    case FUTEX_CMP_REQUEUE:
        return futex_requeue(uaddr, uaddr2, flags, (int)val, (int)val2, &val3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(uaddr, uaddr2, flags, (int)val, (int)val2, val3);
    case FUTEX_UNLOCK_PI:
        return futex_unlock_pi(uaddr, flags);
    case FUTEX_TRYLOCK_PI:
        return futex_lock_pi(uaddr, flags, NULL, true);
    default:
        return -ENOSYS;
    }
}

/* Everything but the two calls that programs make all the time. */
static __attribute__((noinline)) long futex_general(struct uptr uaddr, int futex_op, unsigned val,
                                                    unsigned long timeout, struct uptr uaddr2,
                                                    unsigned val3)
{
    int cmd = futex_op & FUTEX_CMD_MASK;
    unsigned flags = futex_op & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
    bool is_wall = futex_op & FUTEX_CLOCK_REALTIME;
    struct clock_deadline deadline, *until = NULL;

    if (timeout && has_timeout(cmd)) {
        int err =
            read_deadline(cmd, is_wall || cmd == FUTEX_LOCK_PI, uptr_of_word(timeout), &deadline);
        if (err < 0)
            return err;
        until = &deadline;
    }
    if (is_wall && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2)
        return -ENOSYS;
    switch (cmd) {
    case FUTEX_WAKE:
        return futex_wake(uaddr, flags, (int)val, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT:
        return futex_wait(uaddr, flags, val, until, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAIT_BITSET:
        return futex_wait(uaddr, flags, val, until, val3);
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return futex_lock_pi(uaddr, flags, until, false);
    default:
        return futex_other(cmd, flags, uaddr, val, (unsigned)timeout, uaddr2, val3);
    }
}

long sys_futex(struct uptr uaddr, int futex_op, unsigned val, unsigned long timeout,
               struct uptr uaddr2, unsigned val3)
{
    if (futex_op == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG))
        return futex_wake(uaddr, 0, (int)val, FUTEX_BITSET_MATCH_ANY);
    if (futex_op == (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) && timeout == 0)
        return futex_wait(uaddr, 0, val, NULL, FUTEX_BITSET_MATCH_ANY);
    return futex_general(uaddr, futex_op, val, timeout, uaddr2, val3);
}

/* One element of futex_waitv(2)'s array.  0, -EFAULT, -EINVAL. */
static seldom_called int read_waiter(struct uptr p, struct futex_one *one)
{
    struct futex_waitv w;

    if (user_get(p, &w) < 0)
        return -EFAULT;
    if ((w.flags & ~(unsigned)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || w.__reserved ||
        !(w.flags & FUTEX_32))
        return -EINVAL;
    one->addr = uptr_of_word(w.uaddr);
    one->value = (uint32_t)w.val;
    one->flags = w.flags & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
    return 0;
}

seldom_called long sys_futex_waitv(struct uptr waiters, unsigned nr_futexes, unsigned flags,
                                   struct uptr timeout, int clockid)
{
    struct clock_deadline deadline, *until = NULL;
    struct futex_one *f;
    int err = 0;

    if (flags || nr_futexes == 0 || nr_futexes > FUTEX_WAITV_MAX || uptr_is_null(waiters))
        return -EINVAL;
    if (!uptr_is_null(timeout)) {
        if (clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC)
            return -EINVAL;
        caller_use_time64();
        err = read_deadline(FUTEX_WAIT_BITSET, clockid == CLOCK_REALTIME, timeout, &deadline);
        if (err < 0)
            return err;
        until = &deadline;
    }
    f = heap_alloc(nr_futexes * sizeof(*f));
    if (!f)
        return -ENOMEM;
    for (unsigned i = 0; err == 0 && i < nr_futexes; i++)
        err = read_waiter(uptr_add(waiters, i * sizeof(struct futex_waitv)), &f[i]);
    long result = err < 0 ? err : futex_wait_multiple(f, nr_futexes, until);
    heap_free(f);
    return result;
}

/* --- futex2: an operation a call, with a size that may one day be another --- */

#define FUTEX2_MASK 0x83u /* size and FUTEX_PRIVATE_FLAG */

static int check_futex2(unsigned flags, unsigned long a, unsigned long b)
{
    bool is_word = (flags & ~FUTEX2_MASK) == 0 && (flags & 3) == FUTEX_32;
    return is_word && a <= UINT32_MAX && b <= UINT32_MAX ? 0 : -EINVAL;
}

static unsigned shared_of(unsigned flags)
{
    return flags & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
}

long sys_futex_wake(struct uptr uaddr, unsigned long mask, int nr, unsigned flags)
{
    if (check_futex2(flags, mask, 0) < 0 || mask == 0)
        return -EINVAL;
    uint32_t seen;
    if (nr == 0) /* nobody; but a shared word must be there */
        return shared_of(flags) ? user_load32(uaddr, &seen) : 0;
    return futex_wake(uaddr, shared_of(flags), nr, (uint32_t)mask);
}

long sys_futex_wait(struct uptr uaddr, unsigned long val, unsigned long mask, unsigned flags,
                    struct uptr timeout, int clockid)
{
    struct clock_deadline deadline, *until = NULL;
    if (check_futex2(flags, val, mask) < 0 || mask == 0)
        return -EINVAL;
    caller_use_time64();
    if (!uptr_is_null(timeout)) {
        if (clockid != CLOCK_REALTIME && clockid != CLOCK_MONOTONIC)
            return -EINVAL;
        int err = read_deadline(FUTEX_WAIT_BITSET, clockid == CLOCK_REALTIME, timeout, &deadline);
        if (err < 0)
            return err;
        until = &deadline;
    }
    return futex_wait(uaddr, shared_of(flags), (uint32_t)val, until, (uint32_t)mask);
}

seldom_called long sys_futex_requeue(struct uptr waiters, unsigned flags, int nr_wake,
                                     int nr_requeue)
{
    struct futex_one f[2];
    if (flags || uptr_is_null(waiters))
        return -EINVAL;
    for (unsigned i = 0; i < 2; i++) {
        int err = read_waiter(uptr_add(waiters, i * sizeof(struct futex_waitv)), &f[i]);
        if (err < 0)
            return err;
    }
    if (f[0].flags != f[1].flags)
        return -EINVAL;
    return futex_requeue(f[0].addr, f[1].addr, f[0].flags, nr_wake, nr_requeue, &f[0].value);
}

/* --- robust lists --------------------------------------------------------------------------------------- */

static size_t robust_head_size(void)
{
    return caller_is_i386() ? sizeof(union i386_robust_list_head) : sizeof(struct robust_list_head);
}

/* The size, which is that of the caller's ABI, tells later how the list is to be read. */
long sys_set_robust_list(struct uptr head, size_t len)
{
    struct task *t = current_task();

    if (len != robust_head_size())
        return -EINVAL;
    t->robust_list = head;
    t->robust_list_len = len;
    return 0;
}

seldom_called long sys_get_robust_list(int pid, struct uptr head_ptr, struct uptr len_ptr)
{
    struct task *t = pid ? task_find(pid) : current_task();
    unsigned long head, len = robust_head_size();

    if (!t)
        return -ESRCH;
    bool may = t->process == current_process(); /* Linux: who may trace it */
    /* Linux keeps one for each ABI. */
    head = t->robust_list_len == len ? uptr_word(t->robust_list) : 0;
    if (pid)
        task_put(t);
    if (!may)
        return -EPERM;
    if (user_put_word(len_ptr, len) < 0)
        return -EFAULT;
    return user_put_word(head_ptr, head);
}
