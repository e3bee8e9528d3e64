/* Layouts of the user structures that the calls on clocks and timers take; see abi_time.h. */
#include <abi_time.h>
#include <asm/siginfo.h>
#include <base/errno.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/times.h>

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

    return user_get(p, &tv) < 0 ? -EFAULT : timeval_to_ns(&tv, ns);
}

int user_get_itimerval(struct uptr p, struct timer_setting *s)
{
    struct __kernel_old_itimerval it;
    int64_t value, interval;

    if (user_get(p, &it) < 0)
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

    return user_put(p, &it);
}

int user_get_sigevent(struct uptr p, struct timer_event *e)
{
    struct sigevent ev;

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

int user_put_tms(struct uptr p, const struct tms_ns *t)
{
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
