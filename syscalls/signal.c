/* Signals: handlers, masks, sending, waiting.  The work is kernel/proc/signal.c's; here are the
 * arguments. */
#include "abi.h"
#include "abi_io.h"
#include "abi_signal.h"

#include <core/timer.h>
#include <linux/limits.h>
#include <linux/signal.h>
#include <linux/time_types.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

static struct regs *user_regs(void)
{
    return arch_user_regs(&current_thread()->arch);
}

/* --- handlers and masks ----------------------------------------------------------------------- */

long sys_rt_sigaction(int signum, struct uptr act, struct uptr oldact, size_t sigsetsize)
{
    struct sigaction_k new, old;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (!uptr_is_null(act) && user_get_sigaction(act, &new))
        return -EFAULT;
    int err = signal_set_action(signum, uptr_is_null(act) ? NULL : &new, &old);
    if (!err && !uptr_is_null(oldact))
        err = user_put_sigaction(oldact, &old);
    return err;
}

long sys_rt_sigprocmask(int how, struct uptr set, struct uptr oldset, size_t sigsetsize)
{
    uint64_t old = current_task()->blocked, mask;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (!uptr_is_null(set)) {
        if (user_get(set, &mask))
            return -EFAULT;
        if (how == SIG_BLOCK)
            mask |= old;
        else if (how == SIG_UNBLOCK)
            mask = old & ~mask;
        else if (how != SIG_SETMASK)
            return -EINVAL;
        signal_set_mask(mask);
    }
    return uptr_is_null(oldset) ? 0 : user_put(oldset, &old);
}

long sys_rt_sigpending(struct uptr set, size_t sigsetsize)
{
    if (sigsetsize > SIGSET_SIZE)
        return -EINVAL;
    uint64_t pending = signal_pending_set() & current_task()->blocked;
    return user_write(set, &pending, sigsetsize);
}

long sys_sigaltstack(struct uptr ss, struct uptr old_ss)
{
    struct sigaltstack_state new, old;
    if (!uptr_is_null(ss) && user_get_altstack(ss, &new))
        return -EFAULT;
    int err = signal_set_altstack(uptr_is_null(ss) ? NULL : &new, &old, user_regs()->rsp);
    if (!err && !uptr_is_null(old_ss))
        err = user_put_altstack(old_ss, &old);
    return err;
}

long sys_rt_sigreturn(void)
{
    if (caller_is_i386())
        return signal_return_rt_32(user_regs());
    return signal_return(user_regs());
}

/* --- waiting ---------------------------------------------------------------------------------- */

static long sleep_until_signal(void)
{
    int err;
    do {
        wait_prepare(WAIT_INTERRUPTIBLE);
        err = wait_sleep(TIME_NEVER);
    } while (err == 0);
    return -ERESTARTNOHAND;
}

long sys_pause(void)
{
    return sleep_until_signal();
}

long sys_rt_sigsuspend(struct uptr mask, size_t sigsetsize)
{
    uint64_t set;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (user_get(mask, &set))
        return -EFAULT;
    signal_set_temporary_mask(set);
    return sleep_until_signal();
}

/* A relative timeout as a deadline: 0, -EFAULT or -EINVAL.  NULL: never. */
static int get_deadline(struct uptr timeout, uint64_t *deadline)
{
    struct __kernel_timespec ts;
    *deadline = TIME_NEVER;
    if (uptr_is_null(timeout))
        return 0;
    if (user_get_timespec(timeout, &ts))
        return -EFAULT;
    if (ts.tv_sec < 0 || (unsigned long long)ts.tv_nsec >= 1000000000)
        return -EINVAL;
    uint64_t ns;
    if (__builtin_mul_overflow((uint64_t)ts.tv_sec, 1000000000UL, &ns) ||
        __builtin_add_overflow(ns, (uint64_t)ts.tv_nsec + clock_mono_ns(), &ns))
        ns = TIME_NEVER;
    *deadline = ts.tv_sec == 0 && ts.tv_nsec == 0 ? 0 : ns;
    return 0;
}

long sys_rt_sigtimedwait(struct uptr set, struct uptr info, struct uptr timeout, size_t sigsetsize)
{
    uint64_t mask, deadline;
    siginfo_t found;
    if (sigsetsize != SIGSET_SIZE)
        return -EINVAL;
    if (user_get(set, &mask))
        return -EFAULT;
    int err = get_deadline(timeout, &deadline);
    if (err)
        return err;
    int sig = signal_wait(mask, &found, deadline);
    if (sig > 0 && !uptr_is_null(info) && user_put_siginfo(info, &found))
        return -EFAULT;
    return sig;
}

static long no_restart(struct restart_block *r)
{
    return -EINTR;
}

long sys_restart_syscall(void)
{
    struct restart_block *r = &current_task()->restart;
    current_task()->is_time64 = r->is_time64;
    return (r->fn ? r->fn : no_restart)(r);
}

/* --- sending ---------------------------------------------------------------------------------- */

static int check_send(struct process *p, int sig)
{
    if (sig < 0 || sig > NR_SIGNALS)
        return -EINVAL;
    return signal_may_send(p, sig);
}

static int send_checked(struct process *p, int sig, const siginfo_t *info)
{
    int err = check_send(p, sig);
    if (!err && sig)
        err = signal_send_process(p, sig, info);
    return err;
}

static long send_to_pid(int pid, int sig, const siginfo_t *info)
{
    if (pid == current_process()->pid)
        return send_checked(current_process(), sig, info);
    struct process *p = process_find(pid);
    if (!p) { /* any thread's id will do */
        struct task *t = task_find(pid);
        if (!t)
            return -ESRCH;
        p = t->process;
        process_get(p);
        task_put(t);
    }
    int err = send_checked(p, sig, info);
    process_put(p);
    return err;
}

struct broadcast {
    int sig, error;
    bool is_everybody; /* kill(-1): not the caller, not process 1 */
    bool any_sent, any_seen;
    const siginfo_t *info;
};

static void broadcast_to(void *arg, struct process *p)
{
    struct broadcast *b = arg;
    if (b->is_everybody && (p == current_process() || p->pid == 1))
        return;
    b->any_seen = true;
    int err = send_checked(p, b->sig, b->info);
    if (err)
        b->error = err;
    else
        b->any_sent = true;
}

static long send_to_group(int group, int sig, const siginfo_t *info)
{
    struct broadcast b = {.sig = sig, .is_everybody = group == 0, .info = info};
    process_visit_group(group, broadcast_to, &b);
    return b.any_sent ? 0 : b.any_seen ? b.error : -ESRCH;
}

long sys_kill(int pid, int sig)
{
    siginfo_t info;
    signal_info_from_current(&info, sig, SI_USER);
    if (pid > 0)
        return send_to_pid(pid, sig, &info);
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid == -1)
        return send_to_group(0, sig, &info);
    return send_to_group(pid ? -pid : process_group(current_process()), sig, &info);
}

/* To one thread; tgid 0: whatever its process. */
static long send_to_task(int tgid, int tid, int sig, const siginfo_t *info)
{
    struct task *t = tid == current_task()->tid ? current_task() : task_find(tid);
    if (!t)
        return -ESRCH;
    long err = tgid && t->process->pid != tgid ? -ESRCH : check_send(t->process, sig);
    if (!err && sig)
        err = signal_send_task(t, sig, info);
    if (t != current_task())
        task_put(t);
    return err;
}

long sys_tgkill(int tgid, int tid, int sig)
{
    siginfo_t info;
    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    signal_info_from_current(&info, sig, SI_TKILL);
    return send_to_task(tgid, tid, sig, &info);
}

long sys_tkill(int tid, int sig)
{
    siginfo_t info;
    if (tid <= 0)
        return -EINVAL;
    signal_info_from_current(&info, sig, SI_TKILL);
    return send_to_task(0, tid, sig, &info);
}

/* Nobody may pretend to be the kernel or kill(2), except towards himself. */
static int check_forged(const siginfo_t *info, int pid)
{
    bool is_forged = info->si_code >= 0 || info->si_code == SI_TKILL;
    return is_forged && pid != current_process()->pid ? -EPERM : 0;
}

long sys_rt_sigqueueinfo(int tgid, int sig, struct uptr uinfo)
{
    siginfo_t info;
    if (user_get_siginfo(uinfo, &info))
        return -EFAULT;
    info.si_signo = sig;
    int err = check_forged(&info, tgid);
    return err ? err : send_to_pid(tgid, sig, &info);
}

long sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, struct uptr uinfo)
{
    siginfo_t info;
    if (user_get_siginfo(uinfo, &info))
        return -EFAULT;
    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    info.si_signo = sig;
    int err = check_forged(&info, tgid);
    return err ? err : send_to_task(tgid, tid, sig, &info);
}
