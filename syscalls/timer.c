/* Timers: timer_create(2) and its family, setitimer(2), alarm(2). */
#include <abi_time.h>
#include <asm/siginfo.h>
#include <base/errno.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <syscalls/bodies.h>

#define NS_PER_SEC 1000000000UL

/* --- POSIX timers ----------------------------------------------------------------------------------------- */

static bool clock_has_timers(int clockid)
{
    return clockid != CLOCK_MONOTONIC_RAW && clockid != CLOCK_MONOTONIC_COARSE &&
           clockid != CLOCK_REALTIME_COARSE;
}

/* Linux finds last that no clock wakes a sleeping machine. */
static bool is_alarm_clock(int clockid)
{
    return clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
}

long sys_timer_create(int clockid, struct uptr sevp, struct uptr timerid)
{
    struct timer_event event = {.notify = SIGEV_SIGNAL, .signo = SIGALRM, .value_is_id = true};

    if (!uptr_is_null(sevp) && user_get_sigevent(sevp, &event) < 0)
        return -EFAULT;
    if (!clock_has_timers(clockid))
        return -EOPNOTSUPP;
    int id = posix_timer_create(clockid, &event);
    if (id < 0)
        return id;
    int err = user_put(timerid, &id);
    if (err == 0 && is_alarm_clock(clockid))
        err = -EOPNOTSUPP;
    if (err < 0)
        (void)!posix_timer_delete(id);
    return err;
}

long sys_timer_settime(int timerid, int flags, struct uptr new_value, struct uptr old_value)
{
    struct timer_setting new, old;

    if (uptr_is_null(new_value))
        return -EINVAL;
    int err = user_get_itimerspec_ns(new_value, &new.value_ns, &new.interval_ns);
    if (err == 0)
        err = posix_timer_set(timerid, flags & TIMER_ABSTIME, &new, &old);
    if (err || uptr_is_null(old_value))
        return err;
    return user_put_itimerspec_ns(old_value, old.value_ns, old.interval_ns);
}

long sys_timer_gettime(int timerid, struct uptr curr_value)
{
    struct timer_setting now;
    int err = posix_timer_get(timerid, &now);

    return err < 0 ? err : user_put_itimerspec_ns(curr_value, now.value_ns, now.interval_ns);
}

long sys_timer_getoverrun(int timerid)
{
    return posix_timer_overrun(timerid);
}

long sys_timer_delete(int timerid)
{
    return posix_timer_delete(timerid);
}

/* --- interval timers -------------------------------------------------------------------------------------- */

long sys_getitimer(int which, struct uptr curr_value)
{
    struct timer_setting now;
    int err = itimer_set(which, NULL, &now);

    return err < 0 ? err : user_put_itimerval(curr_value, &now);
}

long sys_setitimer(int which, struct uptr new_value, struct uptr old_value)
{
    struct timer_setting new = {0}, old;
    int err = uptr_is_null(new_value) ? 0 : user_get_itimerval(new_value, &new);

    if (err == 0)
        err = itimer_set(which, &new, &old);
    if (err < 0 || uptr_is_null(old_value))
        return err;
    return user_put_itimerval(old_value, &old);
}

long sys_alarm(unsigned seconds)
{
    struct timer_setting new = {.value_ns = MIN(seconds, (unsigned)INT32_MAX) * NS_PER_SEC}, old;
    int err = itimer_set(ITIMER_REAL, &new, &old);

    if (err < 0)
        return err;
    /* Rounded, but never to 0 while something was left. */
    uint64_t left = (old.value_ns + NS_PER_SEC / 2) / NS_PER_SEC;
    return left == 0 && old.value_ns > 0 ? 1 : (long)left;
}
