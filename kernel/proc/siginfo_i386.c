/* struct siginfo between the kernel and i386 programs: pointers and longs of 32 bits. */
#include "private.h"

#include <i386/layout.h>
#include <linux/signal.h>

/* Which of siginfo's variants it is (Linux's siginfo_layout). */
enum variant { IS_KILL, IS_TIMER, IS_POLL, IS_FAULT, IS_CHILD, IS_QUEUED };

static enum variant variant_of(int sig, int code)
{
    const int last_poll = 6; /* POLL_HUP */

    if (code > SI_USER && code < SI_KERNEL) {
        switch (sig) {
        case SIGILL:
        case SIGFPE:
        case SIGSEGV:
        case SIGBUS:
        case SIGTRAP:
            return IS_FAULT;
        case SIGCHLD:
            return IS_CHILD;
        default:
            return sig == SIGPOLL || code <= last_poll ? IS_POLL : IS_KILL;
        }
    }
    if (code == SI_TIMER)
        return IS_TIMER;
    if (code == SI_SIGIO)
        return IS_POLL;
    return code < 0 ? IS_QUEUED : IS_KILL;
}

static void put_child(union i386_siginfo *to, const siginfo_t *from)
{
    to->pid = from->si_pid;
    to->uid = from->si_uid;
    to->status = from->si_status;
    to->utime = (int32_t)from->si_utime;
    to->stime = (int32_t)from->si_stime;
}

void signal_info_to_i386(union i386_siginfo *to, const siginfo_t *from)
{
    *to = (union i386_siginfo){.bytes = {0}};
    to->signo = from->si_signo;
    to->error = from->si_errno;
    to->code = from->si_code;
    switch (variant_of(from->si_signo, from->si_code)) {
    case IS_TIMER:
        to->timer_id = from->si_tid;
        to->overrun = from->si_overrun;
        to->timer_value = (uint32_t)from->si_int;
        break;
    case IS_POLL:
        to->band = (int32_t)from->si_band;
        to->fd = from->si_fd;
        break;
    case IS_FAULT:
        to->addr = (uint32_t)(uintptr_t)from->si_addr;
        to->addr_lsb = from->si_addr_lsb;
        break;
    case IS_CHILD:
        put_child(to, from);
        break;
    case IS_QUEUED:
        to->rt_value = (uint32_t)from->si_int;
        to->pid = from->si_pid;
        to->uid = from->si_uid;
        break;
    case IS_KILL:
        to->pid = from->si_pid;
        to->uid = from->si_uid;
        break;
    }
}

void signal_info_from_i386(siginfo_t *to, const union i386_siginfo *from)
{
    siginfo_clear(to);
    to->si_signo = from->signo;
    to->si_errno = from->error;
    to->si_code = from->code;
    switch (variant_of(from->signo, from->code)) {
    case IS_TIMER:
        to->si_tid = from->timer_id;
        to->si_overrun = from->overrun;
        to->si_int = (int)from->timer_value;
        break;
    case IS_POLL:
        to->si_band = from->band;
        to->si_fd = from->fd;
        break;
    case IS_FAULT:
        to->si_addr = (void *)(uintptr_t)from->addr;
        to->si_addr_lsb = from->addr_lsb;
        break;
    case IS_CHILD:
        to->si_pid = from->pid;
        to->si_uid = from->uid;
        to->si_status = from->status;
        to->si_utime = from->utime;
        to->si_stime = from->stime;
        break;
    case IS_QUEUED:
    case IS_KILL:
        to->si_pid = from->pid;
        to->si_uid = from->uid;
        to->si_int = (int)from->rt_value;
        break;
    }
}
