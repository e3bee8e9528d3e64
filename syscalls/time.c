/* Clocks and sleeping. */
#include <abi.h>
#include <abi_time.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/wait.h>
#include <linux/time.h>
#include <linux/timex.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>

#define NS_PER_SEC  1000000000UL
#define NS_PER_TICK 10000000UL /* USER_HZ is 100 */
#define COARSE_NS \
    4000000UL /* what clock_getres says of the coarse clocks; ours are as fine as the others */

/* --- reading and setting ---------------------------------------------------------------------------------- */

static bool is_alarm_clock(int clockid)
{
    return clockid == CLOCK_REALTIME_ALARM || clockid == CLOCK_BOOTTIME_ALARM;
}

long sys_clock_gettime(int clockid, struct uptr tp)
{
    struct clock_ref clock;

    if (is_alarm_clock(clockid)) /* without a clock that wakes a sleeping machine, as Linux */
        return -EINVAL;
    int err = clock_ref_get(clockid, &clock);
    if (err < 0)
        return err;
    uint64_t ns = clock_ref_read(&clock);
    clock_ref_put(&clock);
    return user_put_timespec_ns(tp, (int64_t)ns);
}

long sys_clock_getres(int clockid, struct uptr res)
{
    struct clock_ref clock;
    bool is_coarse = clockid == CLOCK_REALTIME_COARSE || clockid == CLOCK_MONOTONIC_COARSE;

    if (is_alarm_clock(clockid))
        return -EINVAL;
    int err = clock_ref_get(clockid, &clock);
    if (err < 0)
        return err;
    clock_ref_put(&clock);
    return uptr_is_null(res) ? 0 : user_put_timespec_ns(res, is_coarse ? COARSE_NS : 1);
}

/* The wall clock cannot be put before the moment at which the machine started, as on Linux. */
static long set_wall_clock(int64_t ns)
{
    if ((uint64_t)ns < clock_mono_ns() || ns == INT64_MAX)
        return -EINVAL;
    if (!cred_has_cap(current_cred(), CAP_SYS_TIME))
        return -EPERM;
    clock_set_wall_ns((uint64_t)ns);
    return 0;
}

long sys_clock_settime(int clockid, struct uptr tp)
{
    int64_t ns;

    if (clockid > CLOCK_REALTIME)
        return -EINVAL;
    int err = user_get_timespec_ns(tp, &ns);
    if (clockid == CLOCK_REALTIME || err == -EFAULT)
        return err < 0 ? err : set_wall_clock(ns);
    struct clock_ref cpu;
    err = clock_ref_get(clockid, &cpu);
    if (err < 0)
        return err;
    clock_ref_put(&cpu);
    return -EPERM;
}

/* i386's, in seconds. */
long sys_stime_32(struct uptr t)
{
    int32_t seconds;

    if (user_get(t, &seconds) < 0)
        return -EFAULT;
    return set_wall_clock(seconds * (int64_t)NS_PER_SEC);
}

long sys_gettimeofday(struct uptr tv, struct uptr tz)
{
    if (!uptr_is_null(tv) && user_put_timeval_ns(tv, (int64_t)clock_wall_ns()) < 0)
        return -EFAULT;
    return uptr_is_null(tz) ? 0 : user_put_timezone(tz);
}

/* The time zone is read and not kept: it has been of no use since the 1990s. */
long sys_settimeofday(struct uptr tv, struct uptr tz)
{
    bool sets = !uptr_is_null(tv);
    int64_t ns;
    struct timezone zone;

    if (sets) {
        int err = user_get_timeval_strict(tv, &ns);
        if (err < 0)
            return err;
    }
    if (!uptr_is_null(tz) && user_get(tz, &zone) < 0)
        return -EFAULT;
    if (!cred_has_cap(current_cred(), CAP_SYS_TIME))
        return -EPERM;
    return sets ? set_wall_clock(ns) : 0;
}

long sys_time(struct uptr tloc)
{
    long seconds = (long)(clock_wall_ns() / NS_PER_SEC);

    if (!uptr_is_null(tloc) && user_put_word(tloc, (uint64_t)seconds) < 0)
        return -EFAULT;
    return seconds;
}

long sys_times(struct uptr buf)
{
    struct process *p = current_process();
    struct process_usage u;

    process_get_usage(p, &u);
    struct tms_ns t = {u.user_ns, u.kernel_ns, p->children_usage.user_ns,
                       p->children_usage.kernel_ns};
    if (!uptr_is_null(buf) && user_put_tms(buf, &t) < 0)
        return -EFAULT;
    return (long)(clock_mono_ns() / NS_PER_TICK);
}

/* --- adjtimex ------------------------------------------------------------------------------------------------ */

/* ADJ_SETOFFSET: `t` is added to the wall clock. */
static int step_wall_clock(const struct __kernel_timex *t)
{
    int64_t unit = t->modes & ADJ_NANO ? 1 : 1000, ns = t->time.tv_usec;
    int64_t step, target;

    if (ns < 0 || ns >= (int64_t)NS_PER_SEC / unit)
        return -EINVAL;
    if (__builtin_mul_overflow(t->time.tv_sec, (int64_t)NS_PER_SEC, &step) ||
        __builtin_add_overflow(step, ns * unit, &step) ||
        __builtin_add_overflow((int64_t)clock_wall_ns(), step, &target) || target < 0)
        return -EINVAL;
    return (int)set_wall_clock(target);
}

/* What a caller without the right to set the clock may ask for. */
static bool only_reads(unsigned modes)
{
    return modes == 0 || modes == ADJ_OFFSET_SS_READ;
}

/* The answer of a clock that nobody disciplines: it can be stepped, and its rate is what it is. */
static long adjust_clock(int clk_id, struct uptr buf)
{
    struct __kernel_timex t;
    int err = 0;

    if (clk_id != CLOCK_REALTIME)
        return clk_id < 0 || clk_id > CLOCK_TAI ? -EINVAL : -EOPNOTSUPP;
    if (user_get_timex(buf, &t) < 0)
        return -EFAULT;
    unsigned modes = t.modes;
    if (!only_reads(modes) && !cred_has_cap(current_cred(), CAP_SYS_TIME))
        return -EPERM;
    if (!only_reads(modes))
        err = modes & ~(unsigned)(ADJ_SETOFFSET | ADJ_NANO) ? -EINVAL : step_wall_clock(&t);
    if (err < 0)
        return err;
    uint64_t ns = clock_wall_ns();
    memset(&t, 0, sizeof(t));
    t.modes = modes;
    t.maxerror = t.esterror = 16000000;
    t.status = STA_UNSYNC;
    t.constant = 2;
    t.precision = 1;
    t.tolerance = 32768000;
    t.tick = 10000;
    t.time.tv_sec = (long)(ns / NS_PER_SEC);
    t.time.tv_usec = (long)(ns % NS_PER_SEC / 1000);
    return user_put_timex(buf, &t) < 0 ? -EFAULT : TIME_ERROR;
}

long sys_clock_adjtime(int clk_id, struct uptr buf)
{
    return adjust_clock(clk_id, buf);
}

long sys_adjtimex(struct uptr buf)
{
    return adjust_clock(CLOCK_REALTIME, buf);
}

/* --- sleeping --------------------------------------------------------------------------------------------- */

static uint64_t add_ns(uint64_t a, uint64_t b)
{
    return b < TIME_NEVER - 1 - a ? a + b : TIME_NEVER - 1;
}

/* Until a point in time on the clock: 0 or -EINTR. */
static int sleep_until(const struct clock_ref *clock, uint64_t at)
{
    bool is_process_cpu = clock->kind == CLOCK_KIND_PROCESS_CPU;
    struct clock_deadline until = {.ns = at, .is_wall = clock->kind == CLOCK_KIND_WALL};
    int err = 0;

    for (;;) {
        uint64_t now = clock_ref_read(clock);
        if (now >= at)
            return 0;
        if (err == -EINTR)
            return err;
        /* CPU time passes at most as fast as there are CPUs: sleep for the least it can take, and look again. */
        if (is_process_cpu)
            until.ns = add_ns(clock_mono_ns(), MAX((at - now) / arch_cpu_count(), 1000000UL));
        wait_prepare(WAIT_INTERRUPTIBLE);
        err = wait_sleep_until(&until);
    }
}

static long sleep_restart(struct restart_block *r);

/* A relative sleep that began for `at`, and where to tell what is left of it. */
static long sleep_relative(int clockid, uint64_t at, struct uptr remain)
{
    struct clock_ref clock;
    int err = clock_ref_get(clockid, &clock);

    if (err < 0)
        return err;
    err = sleep_until(&clock, at);
    uint64_t now = clock_ref_read(&clock);
    clock_ref_put(&clock);
    if (err == 0 || now >= at)
        return 0;
    if (!uptr_is_null(remain) && user_put_timespec_ns(remain, (int64_t)(at - now)) < 0)
        return -EFAULT;
    current_task()->restart = (struct restart_block){
        .fn = sleep_restart,
        .arg = {(uint64_t)clockid, at, uptr_word(remain)},
    };
    return -ERESTART_RESTARTBLOCK;
}

static long sleep_restart(struct restart_block *r)
{
    return sleep_relative((int)r->arg[0], r->arg[1], uptr_of_word(r->arg[2]));
}

static long sleep_absolute(int clockid, uint64_t at)
{
    struct clock_ref clock;
    int err = clock_ref_get(clockid, &clock);

    if (err < 0)
        return err;
    err = sleep_until(&clock, at);
    clock_ref_put(&clock);
    return err == -EINTR ? -ERESTARTNOHAND : err;
}

/* A clock, with `is_dynamic` only those that Linux looks at after the time: the CPU time of a process or a thread by
 * number, and those that wake a sleeping machine.  0; -EINVAL: no such clock, -EOPNOTSUPP: nobody sleeps on it. */
static int check_sleep_clock(int clockid, bool is_dynamic)
{
    struct clock_ref clock;

    if (is_dynamic != (clockid < 0 || is_alarm_clock(clockid)))
        return 0;
    int err = clock_ref_get(clockid, &clock);
    if (err < 0)
        return err;
    bool is_thread = clock.kind == CLOCK_KIND_TASK_CPU;
    clock_ref_put(&clock);
    bool is_idle = clockid == CLOCK_MONOTONIC_RAW || clockid == CLOCK_MONOTONIC_COARSE ||
                   clockid == CLOCK_REALTIME_COARSE || is_alarm_clock(clockid);
    return is_idle || is_thread ? -EOPNOTSUPP : 0;
}

static long sleep_on_clock(int clockid, int flags, struct uptr request, struct uptr remain)
{
    int64_t ns;
    int err = check_sleep_clock(clockid, false);

    if (err == 0)
        err = user_get_timespec_ns(request, &ns);
    if (err == 0)
        err = check_sleep_clock(clockid, true);
    if (err < 0)
        return err;
    if (flags & TIMER_ABSTIME)
        return sleep_absolute(clockid, (uint64_t)ns);
    /* Setting the wall clock does not change how long a relative sleep lasts. */
    if (clockid == CLOCK_REALTIME || clockid == CLOCK_TAI)
        clockid = CLOCK_MONOTONIC;
    struct clock_ref clock;
    err = clock_ref_get(clockid, &clock);
    if (err < 0)
        return err;
    uint64_t now = clock_ref_read(&clock);
    clock_ref_put(&clock);
    return sleep_relative(clockid, add_ns(now, (uint64_t)ns), remain);
}

long sys_clock_nanosleep(int clockid, int flags, struct uptr request, struct uptr remain)
{
    return sleep_on_clock(clockid, flags, request, remain);
}

long sys_nanosleep(struct uptr req, struct uptr rem)
{
    return sleep_on_clock(CLOCK_MONOTONIC, 0, req, rem);
}
