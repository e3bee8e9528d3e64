/* Signals: names, sets, handlers, siginfo. */
#include "decode.h"
#include "structs.h"

static const char *const signals[] = {
    "0",        "SIGHUP",   "SIGINT",    "SIGQUIT",  "SIGILL",   "SIGTRAP",   "SIGABRT",
    "SIGBUS",   "SIGFPE",   "SIGKILL",   "SIGUSR1",  "SIGSEGV",  "SIGUSR2",   "SIGPIPE",
    "SIGALRM",  "SIGTERM",  "SIGSTKFLT", "SIGCHLD",  "SIGCONT",  "SIGSTOP",   "SIGTSTP",
    "SIGTTIN",  "SIGTTOU",  "SIGURG",    "SIGXCPU",  "SIGXFSZ",  "SIGVTALRM", "SIGPROF",
    "SIGWINCH", "SIGIO",    "SIGPWR",    "SIGSYS",   "SIGRTMIN", "SIGRT_1",   "SIGRT_2",
    "SIGRT_3",  "SIGRT_4",  "SIGRT_5",   "SIGRT_6",  "SIGRT_7",  "SIGRT_8",   "SIGRT_9",
    "SIGRT_10", "SIGRT_11", "SIGRT_12",  "SIGRT_13", "SIGRT_14", "SIGRT_15",  "SIGRT_16",
    "SIGRT_17", "SIGRT_18", "SIGRT_19",  "SIGRT_20", "SIGRT_21", "SIGRT_22",  "SIGRT_23",
    "SIGRT_24", "SIGRT_25", "SIGRT_26",  "SIGRT_27", "SIGRT_28", "SIGRT_29",  "SIGRT_30",
    "SIGRT_31", "SIGRT_32",
};

const char *trace_signal_name(int sig)
{
    return sig >= 0 && sig <= 64 ? signals[sig] : NULL;
}

void trace_put_signal(struct trace *t, int sig)
{
    if (trace_signal_name(sig))
        trace_put(t, trace_signal_name(sig));
    else
        trace_put_d(t, sig);
}

void trace_show_signal(struct trace *t, unsigned i)
{
    trace_put_signal(t, (int)t->arg[i]);
}

void trace_aux_signal(struct trace *t)
{
    trace_put(t, " (");
    trace_put_signal(t, (int)t->ret);
    trace_put_char(t, ')');
}

static unsigned count_bits(uint64_t v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

/* Names without SIG; of a set that is nearly full, those that are not in it. */
static void put_signals(struct trace *t, uint64_t set, unsigned nr)
{
    bool is_any = false, is_inverted = count_bits(set) >= nr * 2 / 3;

    if (is_inverted) {
        trace_put_char(t, '~');
        set = ~set;
    }
    trace_put_char(t, '[');
    for (unsigned sig = 1; sig <= nr; sig++) {
        if (!(set >> (sig - 1) & 1))
            continue;
        if (is_any)
            trace_put_char(t, ' ');
        trace_put(t, signals[sig] + 3);
        is_any = true;
    }
    trace_put_char(t, ']');
}

void trace_put_sigset(struct trace *t, uint64_t addr, uint64_t size)
{
    uint64_t set = 0;

    if (size > sizeof(set))
        trace_put_addr(t, addr);
    else if (trace_fetch(t, addr, &set, size))
        put_signals(t, set, (unsigned)size * 8);
}

/* Its size is the next argument or the one after (rt_sigprocmask's second set comes between). */
void trace_show_sigset(struct trace *t, unsigned i)
{
    unsigned at = i + 1;

    while (at < t->sc->argc && t->sc->kind[at] != KIND_LEN)
        at++;
    uint64_t size = at < t->sc->argc ? t->arg[at] : 8;
    bool is_signalfd = t->sc == &syscalls[ROW_signalfd] || t->sc == &syscalls[ROW_signalfd4];
    if (is_signalfd && size != 8)
        trace_put_addr(t, t->arg[i]);
    else
        trace_put_sigset(t, t->arg[i], size);
}

/* rt_sigreturn(2): the mask that the frame below the stack pointer restores. */
void trace_put_restored_mask(struct trace *t)
{
    uint64_t set;

    trace_put(t, "{mask=");
    if (trace_fetch_frame_mask(t, &set))
        put_signals(t, set, 64);
    else
        trace_put_addr(t, t->saved_mask_at);
    trace_put_char(t, '}');
}

/* --- handlers ----------------------------------------------------------------------------------------------------------- */

static void put_handler(struct trace *t, uint64_t handler)
{
    if (handler == 0)
        trace_put(t, "SIG_DFL");
    else if (handler == 1)
        trace_put(t, "SIG_IGN");
    else if (handler == (t->abi == ABI_I386 ? UINT32_MAX : UINT64_MAX))
        trace_put(t, "SIG_ERR");
    else
        trace_put_addr(t, handler);
}

void trace_show_handler(struct trace *t, unsigned i)
{
    put_handler(t, t->arg[i]);
}

/* Behind the number of the old one, where that has a name. */
void trace_aux_handler(struct trace *t)
{
    if (t->ret != 0 && t->ret != 1)
        return;
    trace_put(t, " (");
    put_handler(t, (uint64_t)t->ret);
    trace_put_char(t, ')');
}

void trace_show_sigset32(struct trace *t, unsigned i)
{
    trace_put_sigset(t, t->arg[i], sizeof(uint32_t));
}

void trace_show_signal_mask(struct trace *t, unsigned i)
{
    put_signals(t, (uint32_t)t->arg[i], 32);
}

void trace_aux_mask(struct trace *t)
{
    trace_put(t, t->sc->argc ? " (old mask " : " (mask ");
    put_signals(t, (uint32_t)t->ret, 32);
    trace_put_char(t, ')');
}

void trace_show_sigaction(struct trace *t, unsigned i)
{
    struct trace_action act;

    if (!trace_fetch_action(t, t->arg[i], &act))
        return;
    trace_put_char(t, '{');
    trace_field(t, "sa_handler");
    put_handler(t, act.handler);
    trace_field(t, "sa_mask");
    put_signals(t, act.mask, act.nr_signals);
    trace_field_flags(t, "sa_flags", &trace_flags_sigaction, act.flags);
    if (act.flags & SA_RESTORER)
        trace_field_addr(t, "sa_restorer", act.restorer);
    trace_put_char(t, '}');
}

void trace_show_stack(struct trace *t, unsigned i)
{
    stack_t ss;

    if (!trace_fetch_stack(t, t->arg[i], &ss))
        return;
    trace_put_char(t, '{');
    trace_field_addr(t, "ss_sp", (uint64_t)ss.ss_sp);
    trace_field_flags(t, "ss_flags", &trace_flags_sigaltstack, (uint32_t)ss.ss_flags);
    trace_field_u(t, "ss_size", ss.ss_size);
    trace_put_char(t, '}');
}

/* --- siginfo ------------------------------------------------------------------------------------------------------------- */

static const struct flag_table *codes_of(int sig)
{
    switch (sig) {
    case SIGILL:
        return &trace_flags_si_code_ill;
    case SIGFPE:
        return &trace_flags_si_code_fpe;
    case SIGSEGV:
        return &trace_flags_si_code_segv;
    case SIGBUS:
        return &trace_flags_si_code_bus;
    case SIGTRAP:
        return &trace_flags_si_code_trap;
    case SIGCHLD:
        return &trace_flags_si_code_chld;
    case SIGPOLL:
        return &trace_flags_si_code_poll;
    case SIGSYS:
        return &trace_flags_si_code_sys;
    default:
        return NULL;
    }
}

static void put_code(struct trace *t, int sig, int code)
{
    const char *name = trace_flag_name(&trace_flags_si_code, (uint32_t)code);

    if (!name && codes_of(sig))
        name = trace_flag_name(codes_of(sig), (uint32_t)code);
    trace_field(t, "si_code");
    if (name)
        trace_put(t, name);
    else
        trace_put_x(t, (uint32_t)code);
}

static void put_sender(struct trace *t, const siginfo_t *si)
{
    trace_field_d(t, "si_pid", si->si_pid);
    trace_field_u(t, "si_uid", si->si_uid);
}

static void put_value(struct trace *t, const siginfo_t *si)
{
    trace_field_d(t, "si_int", si->si_int);
    trace_field_addr(t, "si_ptr", (uint64_t)si->si_ptr);
}

static void put_child(struct trace *t, const siginfo_t *si)
{
    put_sender(t, si);
    trace_field(t, "si_status");
    if (si->si_code == CLD_EXITED)
        trace_put_d(t, si->si_status);
    else
        trace_put_signal(t, si->si_status);
    trace_field_d(t, "si_utime", si->si_utime);
    trace_field_d(t, "si_stime", si->si_stime);
}

static void put_kernel_info(struct trace *t, const siginfo_t *si)
{
    switch (si->si_signo) {
    case SIGCHLD:
        put_child(t, si);
        break;
    case SIGILL:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGTRAP:
        trace_field_addr(t, "si_addr", (uint64_t)si->si_addr);
        break;
    case SIGPOLL:
        trace_field_d(t, "si_band", si->si_band);
        break;
    case SIGSYS:
        trace_field_addr(t, "si_call_addr", (uint64_t)si->si_call_addr);
        trace_field_d(t, "si_syscall", si->si_syscall);
        break;
    default:
        if (si->si_pid || si->si_uid)
            put_sender(t, si);
        if (si->si_ptr)
            put_value(t, si);
    }
}

void trace_siginfo(struct trace *t, uint64_t addr)
{
    siginfo_t si;

    if (!trace_fetch_siginfo(t, addr, &si))
        return;
    trace_put_char(t, '{');
    if (!si.si_signo) {
        trace_put_char(t, '}');
        return;
    }
    trace_field(t, "si_signo");
    trace_put_signal(t, si.si_signo);
    put_code(t, si.si_signo, si.si_code);
    if (si.si_errno) {
        trace_field(t, "si_errno");
        const char *name = trace_errno_name(si.si_errno);
        if (name)
            trace_put(t, name);
        else
            trace_put_d(t, si.si_errno);
    }
    switch (si.si_code) {
    case SI_USER:
    case SI_TKILL:
        put_sender(t, &si);
        break;
    case SI_TIMER:
        trace_field_x(t, "si_timerid", (uint32_t)si.si_tid);
        trace_field_d(t, "si_overrun", si.si_overrun);
        put_value(t, &si);
        break;
    default:
        if (si.si_code > 0) {
            put_kernel_info(t, &si);
        } else {
            put_sender(t, &si);
            if (si.si_ptr)
                put_value(t, &si);
        }
    }
    trace_put_char(t, '}');
}

void trace_show_siginfo(struct trace *t, unsigned i)
{
    trace_siginfo(t, t->arg[i]);
}

void trace_show_sigevent(struct trace *t, unsigned i)
{
    struct sigevent ev;

    if (!trace_fetch_sigevent(t, t->arg[i], &ev))
        return;
    trace_put_char(t, '{');
    if (ev.sigev_value.sival_ptr) {
        trace_field(t, "sigev_value");
        trace_put_char(t, '{');
        trace_field_d(t, "sival_int", ev.sigev_value.sival_int);
        trace_field_addr(t, "sival_ptr", (uint64_t)ev.sigev_value.sival_ptr);
        trace_put_char(t, '}');
    }
    trace_field(t, "sigev_signo");
    if (ev.sigev_notify == SIGEV_NONE)
        trace_put_u(t, (uint32_t)ev.sigev_signo);
    else
        trace_put_signal(t, ev.sigev_signo);
    trace_field_enum(t, "sigev_notify", &trace_flags_sigev, (uint32_t)ev.sigev_notify);
    if (ev.sigev_notify == SIGEV_THREAD_ID)
        trace_field_d(t, "sigev_notify_thread_id", ev.sigev_notify_thread_id);
    trace_put_char(t, '}');
}
