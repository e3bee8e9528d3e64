/* POSIX timers (timer_create(2)), interval timers (setitimer(2)) and CPU-time clocks. */
#pragma once

#include <base/types.h>
#include <linux/time_types.h>
#include <proc/signal.h>

struct process;
struct task;

/* --- CPU time --------------------------------------------------------------------------------------------- */

/* CPU time used by a process so far, exited threads included.  Any context. */
uint64_t process_cpu_ns(struct process *p);
/* What a clock id names: a fixed clock, or (negative, clock_getcpuclockid(3)) the CPU time of a process or thread. */
enum clock_kind { CLOCK_KIND_MONO, CLOCK_KIND_WALL, CLOCK_KIND_PROCESS_CPU, CLOCK_KIND_TASK_CPU };
struct clock_ref {
    enum clock_kind kind;
    struct process *process; /* referenced, for PROCESS_CPU */
    struct task *task;       /* referenced, for TASK_CPU */
};
/* 0, or -EINVAL: no such clock. */
must_check int clock_ref_get(int clockid, struct clock_ref *c);
void clock_ref_put(struct clock_ref *c);
uint64_t clock_ref_read(const struct clock_ref *c); /* any context */

/* --- timers ----------------------------------------------------------------------------------------------- */

/* struct itimerspec and struct itimerval in nanoseconds.  value_ns 0: disarmed. */
struct timer_setting {
    uint64_t value_ns, interval_ns;
};

/* What happens when a POSIX timer expires. */
struct timer_event {
    int notify; /* SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID */
    int signo;
    union sigval value;
    bool value_is_id; /* no sigevent was given: sival_int is the timer's id */
    int tid;          /* SIGEV_THREAD_ID */
};

/* Of the current process; a timer's id, or -EINVAL, -EAGAIN, -ENOMEM. */
must_check int posix_timer_create(int clockid, const struct timer_event *event);
/* `old` may be NULL.  0, or -EINVAL: no such timer. */
must_check int posix_timer_set(int id, bool is_absolute, const struct timer_setting *new,
                               struct timer_setting *old);
must_check int posix_timer_get(int id, struct timer_setting *now);
must_check int posix_timer_overrun(int id);
must_check int posix_timer_delete(int id);

/* `which`: ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF; `new` NULL: only ask, `old` may be NULL.  0, -EINVAL, -ENOMEM. */
must_check int itimer_set(int which, const struct timer_setting *new, struct timer_setting *old);
/* The timer that enforces RLIMIT_CPU follows the soft limit.  Thread context, no lock held.  0 or -ENOMEM. */
must_check int itimers_limit_cpu(struct process *p);

void timers_init(void); /* boot */
/* execve(2): POSIX timers go, setitimer(2)'s stay.  Exit: all go. */
void timers_exec(struct process *p);
void timers_exit(struct process *p);
