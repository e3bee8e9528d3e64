/* Arguments whose meaning depends on another argument, and what single calls show beyond their row. */
#include <asm/prctl.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/stat.h>

#include "decode.h"
#include "structs.h"

/* --- futex ----------------------------------------------------------------------------------------------------------------- */

enum {
    FUTEX_VAL = 1,
    FUTEX_TIMEOUT = 2,
    FUTEX_VAL2 = 4,
    FUTEX_ADDR2 = 8,
    FUTEX_VAL3 = 16,
    FUTEX_OP = 32
};

static unsigned futex_args(const struct trace *t)
{
    switch ((uint32_t)t->arg[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return FUTEX_VAL | FUTEX_TIMEOUT;
    case FUTEX_WAIT_BITSET:
        return FUTEX_VAL | FUTEX_TIMEOUT | FUTEX_VAL3;
    case FUTEX_WAKE:
    case FUTEX_FD:
        return FUTEX_VAL;
    case FUTEX_WAKE_BITSET:
        return FUTEX_VAL | FUTEX_VAL3;
    case FUTEX_REQUEUE:
        return FUTEX_VAL | FUTEX_VAL2 | FUTEX_ADDR2;
    case FUTEX_CMP_REQUEUE:
    case FUTEX_CMP_REQUEUE_PI:
        return FUTEX_VAL | FUTEX_VAL2 | FUTEX_ADDR2 | FUTEX_VAL3;
    case FUTEX_WAKE_OP:
        return FUTEX_VAL | FUTEX_VAL2 | FUTEX_ADDR2 | FUTEX_OP;
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        return FUTEX_TIMEOUT;
    case FUTEX_TRYLOCK_PI:
    case FUTEX_UNLOCK_PI:
        return 0;
    case FUTEX_WAIT_REQUEUE_PI:
        return FUTEX_VAL | FUTEX_TIMEOUT | FUTEX_ADDR2;
    default:
        return FUTEX_VAL | FUTEX_VAL2 | FUTEX_ADDR2 | FUTEX_VAL3;
    }
}

void trace_show_futex_value(struct trace *t, unsigned i)
{
    trace_put_u(t, (uint32_t)t->arg[i]);
}

void trace_show_futex_timeout(struct trace *t, unsigned i)
{
    if (futex_args(t) & FUTEX_TIMEOUT)
        trace_put_timespec(t, t->arg[i]);
    else if (((uint32_t)t->arg[1] & FUTEX_CMD_MASK) > FUTEX_LOCK_PI2)
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_u(t, (uint32_t)t->arg[i]);
}

static void put_shifted(struct trace *t, const struct flag_table *names, uint32_t v,
                        const char *shift)
{
    const char *name = trace_flag_name(names, v);

    if (name)
        trace_put(t, name);
    else
        trace_put_x(t, v);
    trace_put(t, shift);
    if (!name)
        trace_put_comment(t, names->unknown);
}

void trace_show_futex_value3(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i], op = v >> 28, cmp = v >> 24 & 15;

    switch ((uint32_t)t->arg[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAKE_BITSET:
        trace_put_enum(t, &trace_flags_futex_bitset, v);
        return;
    case FUTEX_WAKE_OP:
        if (op & 8)
            trace_put(t, "FUTEX_OP_OPARG_SHIFT<<28|");
        put_shifted(t, &trace_flags_futex_wake_op, op & 7, "<<28");
        trace_put_char(t, '|');
        trace_put_x(t, v >> 12 & 0xfff);
        trace_put(t, "<<12|");
        put_shifted(t, &trace_flags_futex_wake_cmp, cmp, "<<24");
        trace_put_char(t, '|');
        trace_put_x(t, v & 0xfff);
        return;
    default:
        trace_put_u(t, v);
    }
}

static void put_waiter(struct trace *t, uint64_t addr)
{
    struct futex_waitv w;

    if (!trace_fetch(t, addr, &w, sizeof(w)))
        return;
    trace_put_char(t, '{');
    trace_field_x(t, "val", w.val);
    trace_field_addr(t, "uaddr", w.uaddr);
    trace_field_flags(t, "flags", &trace_flags_futex_waiter, w.flags);
    if (w.__reserved)
        trace_field_x(t, "__reserved", w.__reserved);
    trace_put_char(t, '}');
}

void trace_show_futex_waitv(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], (uint32_t)t->arg[i + 1], sizeof(struct futex_waitv), put_waiter);
}

/* --- fcntl ------------------------------------------------------------------------------------------------------------------- */

enum { F_GETLK64_32 = 12, F_SETLK64_32, F_SETLKW64_32 }; /* i386's own */

static bool fcntl_has_arg(uint32_t cmd)
{
    switch (cmd) {
    case F_GETFD:
    case F_GETFL:
    case F_GETOWN:
    case F_GETSIG:
    case F_GETLEASE:
    case F_GETPIPE_SZ:
    case F_GET_SEALS:
        return false;
    default:
        return true;
    }
}

/* The lock's owner is told by F_GETLK alone. */
static void put_flock(struct trace *t, uint64_t addr, bool wants_pid)
{
    struct flock l;

    if (!trace_fetch_flock(t, addr, &l))
        return;
    trace_put_char(t, '{');
    trace_field_enum(t, "l_type", &trace_flags_lock, (uint16_t)l.l_type);
    trace_field_enum(t, "l_whence", &trace_flags_whence, (uint16_t)l.l_whence);
    trace_field_d(t, "l_start", l.l_start);
    trace_field_d(t, "l_len", l.l_len);
    if (wants_pid)
        trace_field_d(t, "l_pid", l.l_pid);
    trace_put_char(t, '}');
}

static void put_owner(struct trace *t, uint64_t addr)
{
    struct f_owner_ex o;

    if (!trace_fetch(t, addr, &o, sizeof(o)))
        return;
    trace_put_char(t, '{');
    trace_field_enum(t, "type", &trace_flags_owner, (uint32_t)o.type);
    trace_field_d(t, "pid", o.pid);
    trace_put_char(t, '}');
}

void trace_show_fcntl_arg(struct trace *t, unsigned i)
{
    uint64_t v = t->arg[i];
    uint32_t cmd = (uint32_t)t->arg[1];

    if (t->sc == &syscalls[ROW_fcntl64_32] && cmd >= F_GETLK64_32 && cmd <= F_SETLKW64_32) {
        put_flock(t, v, cmd == F_GETLK64_32);
        return;
    }
    switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_SETOWN:
    case F_SETPIPE_SZ:
        trace_put_d(t, (int64_t)v);
        break;
    case F_SETFD:
        trace_put_flags(t, &trace_flags_fd_flags, v);
        break;
    case F_SETFL:
        trace_put_open_flags(t, (uint32_t)v);
        break;
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        put_flock(t, v, false);
        break;
    case F_GETLK:
    case F_OFD_GETLK:
        put_flock(t, v, true);
        break;
    case F_ADD_SEALS:
        trace_put_flags(t, &trace_flags_seals, v);
        break;
    case F_NOTIFY:
        trace_put_flags(t, &trace_flags_notify, v);
        break;
    case F_SETLEASE:
        trace_put_enum(t, &trace_flags_lock, v);
        break;
    case F_SETSIG:
        trace_put_signal(t, (int)v);
        break;
    case F_SETOWN_EX:
    case F_GETOWN_EX:
        put_owner(t, v);
        break;
    default:
        trace_put_x(t, v);
    }
}

static bool fcntl_is_late(uint32_t cmd)
{
    return cmd == F_GETLK || cmd == F_OFD_GETLK || cmd == F_GETLK64_32 || cmd == F_GETOWN_EX;
}

static void aux_fd_flags(struct trace *t)
{
    trace_put(t, " (flags ");
    trace_put_flags(t, &trace_flags_fd_flags, (uint64_t)t->ret);
    trace_put_char(t, ')');
}

static void aux_seals(struct trace *t)
{
    uint64_t rest;

    trace_put(t, " (seals ");
    bool is_any = trace_put_flag_names(t, &trace_flags_seals, (uint64_t)t->ret, &rest);
    if (rest) {
        if (is_any)
            trace_put_char(t, '|');
        trace_put_x(t, rest);
    }
    trace_put_char(t, ')');
}

static void aux_lease(struct trace *t)
{
    trace_put(t, " (");
    trace_put_enum(t, &trace_flags_lock, (uint64_t)t->ret);
    trace_put_char(t, ')');
}

static void leave_fcntl(struct trace *t)
{
    switch ((uint32_t)t->arg[1]) {
    case F_GETFD:
        t->result_base = 16;
        if (t->ret > 0)
            t->aux = aux_fd_flags;
        break;
    case F_GETFL:
        t->result_base = 16;
        t->aux = trace_aux_open_flags;
        break;
    case F_GET_SEALS:
        t->result_base = 16;
        if (t->ret > 0)
            t->aux = aux_seals;
        break;
    case F_GETLEASE:
        t->result_base = 16;
        t->aux = aux_lease;
        break;
    }
}

/* --- prctl ----------------------------------------------------------------------------------------------------------------------- */

/* How many arguments an option has behind itself. */
static unsigned prctl_args(const struct trace *t)
{
    switch ((int)t->arg[0]) {
    case PR_GET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_GET_SECCOMP:
    case PR_GET_TIMERSLACK:
    case PR_GET_TIMING:
    case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE:
    case PR_GET_SECUREBITS:
        return 0;
    case PR_SET_DUMPABLE:
    case PR_SET_KEEPCAPS:
    case PR_SET_NAME:
    case PR_GET_NAME:
    case PR_SET_PDEATHSIG:
    case PR_GET_PDEATHSIG:
    case PR_SET_TIMERSLACK:
    case PR_SET_TIMING:
    case PR_SET_TSC:
    case PR_GET_TSC:
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_CHILD_SUBREAPER:
    case PR_GET_TID_ADDRESS:
    case PR_SET_SECUREBITS:
        return 1;
    default:
        return 4;
    }
}

static void put_boxed_int(struct trace *t, uint64_t addr, const struct flag_table *names)
{
    int32_t v;

    if (!trace_fetch(t, addr, &v, sizeof(v)))
        return;
    trace_put_char(t, '[');
    if (names)
        trace_put_enum(t, names, (uint32_t)v);
    else
        trace_put_u(t, (uint32_t)v);
    trace_put_char(t, ']');
}

void trace_show_prctl_arg(struct trace *t, unsigned i)
{
    uint64_t v = t->arg[i];

    if (i > 1) {
        trace_put_x(t, v);
        return;
    }
    switch ((int)t->arg[0]) {
    case PR_SET_NAME:
        trace_put_string(t, v, 15);
        break;
    case PR_GET_NAME:
        if (failed(t))
            trace_put_addr(t, v);
        else
            trace_put_string(t, v, 16);
        break;
    case PR_SET_DUMPABLE:
        trace_put_enum(t, &trace_flags_dumpable, v);
        break;
    case PR_SET_PDEATHSIG:
        if (v <= 64)
            trace_put_signal(t, (int)v);
        else
            trace_put_u(t, v);
        break;
    case PR_GET_PDEATHSIG: {
        int32_t sig;
        if (!trace_fetch(t, v, &sig, sizeof(sig)))
            break;
        trace_put_char(t, '[');
        trace_put_signal(t, sig);
        trace_put_char(t, ']');
        break;
    }
    case PR_GET_CHILD_SUBREAPER:
        put_boxed_int(t, v, NULL);
        break;
    case PR_GET_TSC:
        put_boxed_int(t, v, &trace_flags_pr_tsc);
        break;
    case PR_SET_TSC:
        trace_put_enum(t, &trace_flags_pr_tsc, v);
        break;
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
        trace_put_enum(t, &trace_flags_capability, v);
        break;
    case PR_SET_KEEPCAPS:
    case PR_SET_TIMERSLACK:
    case PR_SET_CHILD_SUBREAPER:
    case PR_SET_NO_NEW_PRIVS:
    case PR_SET_THP_DISABLE:
    case PR_SET_TIMING:
        trace_put_d(t, (int64_t)v);
        break;
    default:
        trace_put_x(t, v);
    }
}

static void aux_dumpable(struct trace *t)
{
    trace_put(t, " (");
    trace_put_enum(t, &trace_flags_dumpable, (uint64_t)t->ret);
    trace_put_char(t, ')');
}

/* --- arch_prctl -------------------------------------------------------------------------------------------------------------------- */

void trace_show_arch_arg(struct trace *t, unsigned i)
{
    uint32_t code = (uint32_t)t->arg[0];
    uint64_t v;

    if (code != ARCH_GET_FS && code != ARCH_GET_GS) {
        trace_put_x(t, t->arg[i]);
        return;
    }
    if (!trace_fetch(t, t->arg[i], &v, sizeof(v)))
        return;
    trace_put_char(t, '[');
    trace_put_x(t, v);
    trace_put_char(t, ']');
}

/* --- what kinds.def calls BY_CMD ------------------------------------------------------------------------------------------------------ */

static bool is_creating(const struct trace *t, unsigned i)
{
    uint32_t flags = (uint32_t)t->arg[i - 1];

    return flags & O_CREAT || (flags & __O_TMPFILE);
}

static bool clone_has(const struct trace *t, uint64_t flags)
{
    return (t->arg[0] & flags) != 0;
}

bool trace_arg_is_absent(const struct trace *t, unsigned i)
{
    uint32_t type;

    switch (t->sc->kind[i]) {
    case KIND_MODEC:
        return !is_creating(t, i);
    case KIND_DEV:
        type = (uint32_t)t->arg[i - 1] & S_IFMT;
        return type != S_IFCHR && type != S_IFBLK;
    case KIND_MREMAPA:
        return ((uint32_t)t->arg[i - 1] & (MREMAP_MAYMOVE | MREMAP_FIXED)) !=
               (MREMAP_MAYMOVE | MREMAP_FIXED);
    case KIND_MEMBARRC:
        return !((uint32_t)t->arg[i - 1] & 1);
    case KIND_FCNTLARG:
        return !fcntl_has_arg((uint32_t)t->arg[1]);
    case KIND_IOCTLARG:
        return trace_ioctl_has_no_arg((uint32_t)t->arg[1]);
    case KIND_PRARG:
        return i > prctl_args(t);
    case KIND_FUTEXV:
        return !(futex_args(t) & FUTEX_VAL);
    case KIND_FUTEXT:
        return !(futex_args(t) & (FUTEX_TIMEOUT | FUTEX_VAL2));
    case KIND_FUTEXP2:
        return !(futex_args(t) & FUTEX_ADDR2);
    case KIND_FUTEXV3:
        return !(futex_args(t) & (FUTEX_VAL3 | FUTEX_OP));
    case KIND_CLONEPTID:
        return !clone_has(t, CLONE_PARENT_SETTID);
    case KIND_CLONECTID:
        return !clone_has(t, CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID);
    default:
        return false;
    }
}

bool trace_arg_is_late(const struct trace *t, unsigned i)
{
    switch (t->sc->kind[i]) {
    case KIND_FCNTLARG:
        return fcntl_is_late((uint32_t)t->arg[1]);
    case KIND_IOCTLARG:
        return trace_ioctl_is_late((uint32_t)t->arg[1]);
    case KIND_PRARG:
        switch ((int)t->arg[0]) {
        case PR_GET_NAME:
        case PR_GET_PDEATHSIG:
        case PR_GET_CHILD_SUBREAPER:
        case PR_GET_TSC:
        case PR_GET_TID_ADDRESS:
            return true;
        }
        return false;
    case KIND_ARCHARG:
        return (uint32_t)t->arg[0] == ARCH_GET_FS || (uint32_t)t->arg[0] == ARCH_GET_GS;
    case KIND_SEMARG:
    case KIND_SHMBUF:
    case KIND_MSGBUF:
        return trace_ipc_is_late(t, i);
    case KIND_CLONEPTID:
    case KIND_CLONECTID:
        return true;
    default:
        return false;
    }
}

/* --- single calls ------------------------------------------------------------------------------------------------------------------------ */

/* A length that the call will change is looked at before. */
static void save_socklen(struct trace *t)
{
    int32_t len;

    for (unsigned i = 0; i < t->sc->argc; i++)
        if (t->sc->kind[i] == KIND_SOCKLENP)
            t->saved = trace_fetch_quietly(t, t->arg[i], &len, sizeof(len)) ? (uint32_t)len : 0;
}

void trace_enter_row(struct trace *t)
{
    save_socklen(t);
    if (trace_is(t, ROW_recvmmsg))
        trace_save_limit(t, 4);
    if (trace_is(t, ROW_recvmsg))
        trace_save_msg_namelen(t);
    if (trace_is(t, ROW_rt_sigreturn) || trace_is(t, ROW_sigreturn_32))
        trace_put_restored_mask(t);
}

/* sendfile(2): the offset as it became. */
static void put_new_offset(struct trace *t)
{
    uint64_t v = 0;
    size_t size = t->sc == &syscalls[ROW_sendfile] ? long_size(t) : sizeof(v);

    if (!t->arg[2] || failed(t) || !t->ret || !trace_fetch_quietly(t, t->arg[2], &v, size))
        return;
    trace_put(t, " => [");
    trace_put_u(t, v);
    trace_put_char(t, ']');
}

static void aux_membarrier(struct trace *t)
{
    trace_put(t, " (");
    trace_put_flags(t, &trace_flags_membarrier, (uint64_t)t->ret);
    trace_put_char(t, ')');
}

/* What only i386 has. */
static bool leave_row_32(struct trace *t)
{
    if (t->sc == &syscalls[ROW_signal_32])
        t->aux = trace_aux_handler;
    else if (t->sc == &syscalls[ROW_set_thread_area_32])
        t->aux = trace_aux_entry;
    else if (t->sc == &syscalls[ROW_sgetmask_32] || t->sc == &syscalls[ROW_ssetmask_32])
        t->aux = trace_aux_mask;
    else
        return false;
    if (t->aux != trace_aux_entry)
        t->result_base = 16;
    return true;
}

void trace_leave_row(struct trace *t)
{
    trace_take_result(t);
    if (t->abi == ABI_I386 && leave_row_32(t))
        return;
    if (trace_is(t, ROW_fcntl))
        leave_fcntl(t);
    else if (trace_is(t, ROW_poll) || trace_is(t, ROW_ppoll))
        t->aux = trace_aux_poll;
    else if (trace_is(t, ROW_select) || trace_is(t, ROW_pselect6))
        t->aux = trace_aux_select;
    else if (trace_is(t, ROW_rt_sigtimedwait))
        t->aux = trace_aux_signal;
    else if (trace_is(t, ROW_recvmmsg))
        t->aux = trace_aux_limit;
    else if (trace_is(t, ROW_sched_getscheduler))
        t->aux = trace_aux_policy;
    else if (trace_is(t, ROW_adjtimex) || trace_is(t, ROW_clock_adjtime))
        t->aux = trace_aux_timex;
    else if (trace_is(t, ROW_personality))
        t->aux = trace_aux_persona;
    else if (trace_is(t, ROW_time))
        t->aux = trace_aux_time;
    else if (trace_is(t, ROW_umask))
        t->result_base = 8;
    else if (trace_is(t, ROW_prctl) && (int)t->arg[0] == PR_GET_DUMPABLE)
        t->aux = aux_dumpable;
    else if (trace_is(t, ROW_membarrier) && t->arg[0] == 0 && t->ret > 0) {
        t->aux = aux_membarrier;
        t->result_base = 16;
    } else if (trace_is(t, ROW_sendfile))
        put_new_offset(t);
    else if (trace_is(t, ROW_clone3))
        trace_put_clone3_result(t);
}
