/* Layouts of the user structures that the calls on clocks and timers take, beyond those of abi_io.h. */
#pragma once

#include <abi_io.h>
#include <proc/timers.h>

/* struct itimerval.  0, -EFAULT, -EINVAL (negative, or a million microseconds and more). */
must_check int user_get_itimerval(struct uptr p, struct timer_setting *s);
must_check int user_put_itimerval(struct uptr p, const struct timer_setting *s);
/* struct sigevent.  0 or -EFAULT. */
must_check int user_get_sigevent(struct uptr p, struct timer_event *e);
/* settimeofday(2)'s struct timeval, more strictly than select(2)'s. */
must_check int user_get_timeval_strict(struct uptr p, int64_t *ns);

/* struct tms of times(2), in nanoseconds. */
struct tms_ns {
    uint64_t user, system, children_user, children_system;
};
must_check int user_put_tms(struct uptr p, const struct tms_ns *t);
/* struct timezone: both words are 0. */
must_check int user_put_timezone(struct uptr p);
/* struct timex of adjtimex(2), as far as its body reads and fills it. */
struct __kernel_timex;
must_check int user_get_timex(struct uptr p, struct __kernel_timex *t);
must_check int user_put_timex(struct uptr p, const struct __kernel_timex *t);
