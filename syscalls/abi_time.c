/* Layouts of the user structures that the calls on clocks and timers take; see abi_time.h. */
#include <abi.h>
#include <abi_time.h>
#include <asm/siginfo.h>
#include <base/errno.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/timex.h>

#define NS_PER_SEC   1000000000L
#define NS_PER_USEC  1000L
#define USEC_PER_SEC 1000000L
#define NS_PER_TICK  10000000UL /* USER_HZ is 100 */
#define MAX_SEC      (INT64_MAX / NS_PER_SEC - 1)

static int timeval_to_ns(const struct __kernel_old_timeval *tv, int64_t *ns)
{
    if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= USEC_PER_SEC)
        return -EINVAL;
    *ns = tv->tv_sec > MAX_SEC ? INT64_MAX : tv->tv_sec * NS_PER_SEC + tv->tv_usec * NS_PER_USEC;
    return 0;
}

/* What runs is never told as 0, which means that it does not. */
static struct __kernel_old_timeval ns_to_timeval(uint64_t ns)
{
    uint64_t usec = ns > 0 && ns < (uint64_t)NS_PER_USEC ? 1 : ns / NS_PER_USEC;

    return (struct __kernel_old_timeval){(long)(usec / USEC_PER_SEC), (long)(usec % USEC_PER_SEC)};
}

int user_get_timeval_strict(struct uptr p, int64_t *ns)
{
    struct __kernel_old_timeval tv;

    return user_get_timeval(p, &tv) < 0 ? -EFAULT : timeval_to_ns(&tv, ns);
}

static int get_itimerval(struct uptr p, struct __kernel_old_itimerval *it)
{
    union i386_itimerval small;

    if (!caller_is_i386())
        return user_get(p, it);
    if (user_get(p, &small) < 0)
        return -EFAULT;
    it->it_interval = (struct __kernel_old_timeval){small.interval_sec, small.interval_usec};
    it->it_value = (struct __kernel_old_timeval){small.value_sec, small.value_usec};
    return 0;
}

static int put_itimerval_32(struct uptr p, const struct __kernel_old_itimerval *it)
{
    union i386_itimerval small;

    small.interval_sec = (int32_t)it->it_interval.tv_sec;
    small.interval_usec = (int32_t)it->it_interval.tv_usec;
    small.value_sec = (int32_t)it->it_value.tv_sec;
    small.value_usec = (int32_t)it->it_value.tv_usec;
    return user_put(p, &small);
}

int user_get_itimerval(struct uptr p, struct timer_setting *s)
{
    struct __kernel_old_itimerval it;
    int64_t value, interval;

    if (get_itimerval(p, &it) < 0)
        return -EFAULT;
    if (timeval_to_ns(&it.it_value, &value) < 0 || timeval_to_ns(&it.it_interval, &interval) < 0)
        return -EINVAL;
    *s = (struct timer_setting){(uint64_t)value, (uint64_t)interval};
    return 0;
}

int user_put_itimerval(struct uptr p, const struct timer_setting *s)
{
    struct __kernel_old_itimerval it = {
        .it_interval = ns_to_timeval(s->interval_ns),
        .it_value = ns_to_timeval(s->value_ns),
    };

    return caller_is_i386() ? put_itimerval_32(p, &it) : user_put(p, &it);
}

static int get_sigevent_32(struct uptr p, struct timer_event *e)
{
    union i386_sigevent ev;

    if (user_get(p, &ev) < 0)
        return -EFAULT;
    *e = (struct timer_event){
        .notify = ev.notify,
        .signo = ev.signo,
        .value.sival_ptr = (void *)(uintptr_t)ev.value,
        .tid = ev.tid,
    };
    return 0;
}

int user_get_sigevent(struct uptr p, struct timer_event *e)
{
    struct sigevent ev;

    if (caller_is_i386())
        return get_sigevent_32(p, e);
    if (user_get(p, &ev) < 0)
        return -EFAULT;
    *e = (struct timer_event){
        .notify = ev.sigev_notify,
        .signo = ev.sigev_signo,
        .value = ev.sigev_value,
        .tid = ev._sigev_un._tid,
    };
    return 0;
}

static int put_tms_32(struct uptr p, const struct tms_ns *t)
{
    union i386_tms user;

    user.tms_utime = (int32_t)(t->user / NS_PER_TICK);
    user.tms_stime = (int32_t)(t->system / NS_PER_TICK);
    user.tms_cutime = (int32_t)(t->children_user / NS_PER_TICK);
    user.tms_cstime = (int32_t)(t->children_system / NS_PER_TICK);
    return user_put(p, &user);
}

int user_put_tms(struct uptr p, const struct tms_ns *t)
{
    if (caller_is_i386())
        return put_tms_32(p, t);
    struct tms user = {
        .tms_utime = (long)(t->user / NS_PER_TICK),
        .tms_stime = (long)(t->system / NS_PER_TICK),
        .tms_cutime = (long)(t->children_user / NS_PER_TICK),
        .tms_cstime = (long)(t->children_system / NS_PER_TICK),
    };

    return user_put(p, &user);
}

int user_put_timezone(struct uptr p)
{
    struct timezone none = {0, 0};

    return user_put(p, &none);
}

/* A clock that nobody disciplines has few fields that are not 0. */
static int put_timex_32(struct uptr p, const struct __kernel_timex *t)
{
    union i386_timex small = {.bytes = {0}};

    small.modes = t->modes;
    small.maxerror = (int32_t)t->maxerror;
    small.esterror = (int32_t)t->esterror;
    small.status = t->status;
    small.constant = (int32_t)t->constant;
    small.precision = (int32_t)t->precision;
    small.tolerance = (int32_t)t->tolerance;
    small.time_sec = (int32_t)t->time.tv_sec;
    small.time_usec = (int32_t)t->time.tv_usec;
    small.tick = (int32_t)t->tick;
    return user_put(p, &small);
}

/* What can be asked for is a step. */
int user_get_timex(struct uptr p, struct __kernel_timex *t)
{
    union i386_timex small;

    if (!caller_has_time32())
        return user_get(p, t);
    if (user_get(p, &small) < 0)
        return -EFAULT;
    *t = (struct __kernel_timex){
        .modes = small.modes, .time.tv_sec = small.time_sec, .time.tv_usec = small.time_usec};
    return 0;
}

int user_put_timex(struct uptr p, const struct __kernel_timex *t)
{
    return caller_has_time32() ? put_timex_32(p, t) : user_put(p, t);
}
