/* timerfd_create(2): a timer to wait for. */
#pragma once

#include <vfs/file.h>

void timerfd_init(void); /* boot */
bool file_is_timerfd(const struct file *f);

/* `clock`: CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME, or an _ALARM one; O_NONBLOCK in flags.  NULL: no
 * memory. */
struct file *timerfd_new(int clock, int flags) must_check;

/* timerfd_settime(2): TFD_TIMER_* in flags; value_ns 0 disarms.  What was before comes back like timerfd_get's. */
void timerfd_set(struct file *f, int flags, uint64_t value_ns, uint64_t interval_ns,
                 uint64_t *old_value_ns, uint64_t *old_interval_ns);
/* Nanoseconds until the next expiry (0: disarmed) and between expiries. */
void timerfd_get(struct file *f, uint64_t *value_ns, uint64_t *interval_ns);
