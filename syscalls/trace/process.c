/* Processes, limits, scheduling, the system. */
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <linux/utsname.h>

#include "decode.h"
#include "structs.h"

/* --- clone ---------------------------------------------------------------------------------------------------------------- */

/* The signal to the parent is the lowest byte. */
void trace_show_clone_flags(struct trace *t, unsigned i)
{
    uint64_t v = t->arg[i], flags = v & ~(uint64_t)CSIGNAL;

    trace_put(t, "child_stack=");
    trace_put_addr(t, t->arg[1]);
    trace_put(t, ", flags=");
    if (flags)
        trace_put_flags(t, &trace_flags_clone, flags);
    if (v & CSIGNAL) {
        if (flags)
            trace_put_char(t, '|');
        trace_put_signal(t, (int)(v & CSIGNAL));
    } else if (!flags) {
        trace_put_char(t, '0');
    }
}

void trace_show_clone_ptid(struct trace *t, unsigned i)
{
    int32_t tid;

    trace_put(t, "parent_tid=");
    if (failed(t) || !trace_fetch_quietly(t, t->arg[i], &tid, sizeof(tid))) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    trace_put_char(t, '[');
    trace_put_d(t, tid);
    trace_put_char(t, ']');
}

void trace_show_clone_ctid(struct trace *t, unsigned i)
{
    bool has_tls = t->arg[0] & CLONE_SETTLS;

    if (has_tls) {
        trace_put(t, "tls=");
        if (t->abi == ABI_I386)
            trace_put_user_desc(t, t->arg[3]);
        else
            trace_put_addr(t, t->arg[4]);
    }
    if (t->arg[0] & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
        trace_put(t, has_tls ? ", child_tidptr=" : "child_tidptr=");
        trace_put_addr(t, t->arg[i]);
    }
}

void trace_show_clone_args(struct trace *t, unsigned i)
{
    struct clone_args a = {0};
    uint64_t size = t->arg[i + 1];

    if (size < CLONE_ARGS_SIZE_VER0) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    if (!trace_fetch(t, t->arg[i], &a, size < sizeof(a) ? size : sizeof(a)))
        return;
    trace_put_char(t, '{');
    trace_field_flags(t, "flags", &trace_flags_clone3, a.flags);
    if (a.flags & CLONE_PIDFD)
        trace_field_addr(t, "pidfd", a.pidfd);
    if (a.flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
        trace_field_addr(t, "child_tid", a.child_tid);
    if (a.flags & CLONE_PARENT_SETTID)
        trace_field_addr(t, "parent_tid", a.parent_tid);
    trace_field(t, "exit_signal");
    if (a.exit_signal <= 64)
        trace_put_signal(t, (int)a.exit_signal);
    else
        trace_put_u(t, a.exit_signal);
    trace_field_addr(t, "stack", a.stack);
    trace_field_x(t, "stack_size", a.stack_size);
    if (a.flags & CLONE_SETTLS)
        trace_field_addr(t, "tls", a.tls);
    trace_put_char(t, '}');
}

/* What clone3(2) has written for the parent. */
void trace_put_clone3_result(struct trace *t)
{
    struct clone_args a = {0};
    int32_t tid;

    if (failed(t) || t->arg[1] < CLONE_ARGS_SIZE_VER0 ||
        !trace_fetch_quietly(t, t->arg[0], &a, CLONE_ARGS_SIZE_VER0))
        return;
    if (!(a.flags & CLONE_PARENT_SETTID) ||
        !trace_fetch_quietly(t, a.parent_tid, &tid, sizeof(tid)))
        return;
    trace_put(t, " => {parent_tid=[");
    trace_put_d(t, tid);
    trace_put(t, "]}");
}

/* --- the end of processes ---------------------------------------------------------------------------------------------------- */

void trace_put_wait_status(struct trace *t, int status)
{
    int sig = status & 0x7f;

    if (sig == 0) {
        trace_put(t, "WIFEXITED(s) && WEXITSTATUS(s) == ");
        trace_put_d(t, status >> 8 & 0xff);
    } else if (sig != 0x7f) {
        trace_put(t, "WIFSIGNALED(s) && WTERMSIG(s) == ");
        trace_put_signal(t, sig);
        if (status & 0x80)
            trace_put(t, " && WCOREDUMP(s)");
    } else if (status == 0xffff) {
        trace_put(t, "WIFCONTINUED(s)");
    } else {
        trace_put(t, "WIFSTOPPED(s) && WSTOPSIG(s) == ");
        trace_put_signal(t, status >> 8 & 0xff);
    }
}

void trace_show_wait_status(struct trace *t, unsigned i)
{
    int32_t status;

    if (t->ret == 0) { /* WNOHANG, and nobody to report */
        trace_put_addr(t, t->arg[i]);
        return;
    }
    if (!trace_fetch(t, t->arg[i], &status, sizeof(status)))
        return;
    trace_put(t, "[{");
    trace_put_wait_status(t, status);
    trace_put(t, "}]");
}

static void put_time_used(struct trace *t, const char *name, int64_t sec, int64_t usec)
{
    trace_field(t, name);
    trace_put_char(t, '{');
    trace_field_d(t, "tv_sec", sec);
    trace_field_d(t, "tv_usec", usec);
    trace_put_char(t, '}');
}

void trace_show_rusage(struct trace *t, unsigned i)
{
    struct rusage r;

    if (t->sc != &syscalls[ROW_getrusage] && t->sc != &syscalls[ROW_waitid] && t->ret == 0) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    if (!trace_fetch_rusage(t, t->arg[i], &r))
        return;
    trace_put_char(t, '{');
    put_time_used(t, "ru_utime", r.ru_utime.tv_sec, r.ru_utime.tv_usec);
    put_time_used(t, "ru_stime", r.ru_stime.tv_sec, r.ru_stime.tv_usec);
    if (t->options->is_verbose) {
        const char *const names[] = {"ru_maxrss",  "ru_ixrss",  "ru_idrss",  "ru_isrss",
                                     "ru_minflt",  "ru_majflt", "ru_nswap",  "ru_inblock",
                                     "ru_oublock", "ru_msgsnd", "ru_msgrcv", "ru_nsignals",
                                     "ru_nvcsw",   "ru_nivcsw"};
        for (unsigned n = 0; n < sizeof(names) / sizeof(*names); n++)
            trace_field_u(t, names[n], (uint64_t)(&r.ru_maxrss)[n]);
    } else {
        trace_put(t, ", ...");
    }
    trace_put_char(t, '}');
}

/* --- limits ------------------------------------------------------------------------------------------------------------------ */

static void put_limit(struct trace *t, uint64_t v, bool is_64)
{
    if (v == ~0UL) {
        trace_put(t, is_64 ? "RLIM64_INFINITY" : "RLIM_INFINITY");
    } else if (v > 1024 && v % 1024 == 0) {
        trace_put_u(t, v / 1024);
        trace_put(t, "*1024");
    } else {
        trace_put_u(t, v);
    }
}

void trace_show_rlimits(struct trace *t, unsigned i)
{
    bool is_64 = t->sc == &syscalls[ROW_prlimit64];
    uint64_t v[2] = {0};

    if (t->abi == ABI_I386 && !is_64) {
        uint32_t small[2];
        if (!trace_fetch(t, t->arg[i], small, sizeof(small)))
            return;
        for (unsigned n = 0; n < 2; n++)
            v[n] = small[n] == ~0U ? ~0UL : small[n];
    } else if (!trace_fetch(t, t->arg[i], v, sizeof(v))) {
        return;
    }
    trace_put_char(t, '{');
    trace_field(t, "rlim_cur");
    put_limit(t, v[0], is_64);
    trace_field(t, "rlim_max");
    put_limit(t, v[1], is_64);
    trace_put_char(t, '}');
}

/* --- scheduling ---------------------------------------------------------------------------------------------------------------- */

void trace_show_policy(struct trace *t, unsigned i)
{
    trace_put_enum(t, &trace_flags_policy, (uint32_t)t->arg[i]);
}

void trace_aux_policy(struct trace *t)
{
    const char *name = trace_flag_name(&trace_flags_policy, (uint64_t)t->ret);

    if (!name)
        return;
    trace_put(t, " (");
    trace_put(t, name);
    trace_put_char(t, ')');
}

void trace_show_sched_param(struct trace *t, unsigned i)
{
    int32_t priority;

    if (!trace_fetch(t, t->arg[i], &priority, sizeof(priority)))
        return;
    trace_put_char(t, '[');
    trace_put_d(t, priority);
    trace_put_char(t, ']');
}

void trace_show_sched_attr(struct trace *t, unsigned i)
{
    struct sched_attr a = {0};
    uint32_t size = 0;

    if (!trace_fetch(t, t->arg[i], &size, sizeof(size)))
        return;
    if (size < SCHED_ATTR_SIZE_VER0)
        size = SCHED_ATTR_SIZE_VER0;
    if (!trace_fetch(t, t->arg[i], &a, size < sizeof(a) ? size : sizeof(a)))
        return;
    trace_put_char(t, '{');
    trace_field_u(t, "size", a.size);
    trace_field_enum(t, "sched_policy", &trace_flags_policy, a.sched_policy);
    trace_field_flags(t, "sched_flags", &trace_flags_sched, a.sched_flags);
    trace_field_d(t, "sched_nice", a.sched_nice);
    trace_field_u(t, "sched_priority", a.sched_priority);
    trace_field_u(t, "sched_runtime", a.sched_runtime);
    trace_field_u(t, "sched_deadline", a.sched_deadline);
    trace_field_u(t, "sched_period", a.sched_period);
    if (size >= SCHED_ATTR_SIZE_VER1) {
        trace_field_u(t, "sched_util_min", a.sched_util_min);
        trace_field_u(t, "sched_util_max", a.sched_util_max);
    }
    trace_put_char(t, '}');
}

static void put_persona(struct trace *t, uint32_t v)
{
    trace_put_enum(t, &trace_flags_persona, v & 0xff);
    trace_put_more_flags(t, &trace_flags_persona_flags, v & ~0xffU);
}

void trace_show_persona(struct trace *t, unsigned i)
{
    if ((uint32_t)t->arg[i] == UINT32_MAX)
        trace_put_x(t, UINT32_MAX);
    else
        put_persona(t, (uint32_t)t->arg[i]);
}

void trace_aux_persona(struct trace *t)
{
    trace_put(t, " (");
    put_persona(t, (uint32_t)t->ret);
    trace_put_char(t, ')');
}

/* --- the system ------------------------------------------------------------------------------------------------------------------ */

static void put_utsname_field(struct trace *t, const char *name, uint64_t addr)
{
    trace_field(t, name);
    trace_put_string(t, addr, 64);
}

void trace_show_utsname(struct trace *t, unsigned i)
{
    uint64_t addr = t->arg[i];
    uint8_t first;

    if (!trace_fetch(t, addr, &first, 1))
        return;
    trace_put_char(t, '{');
    put_utsname_field(t, "sysname", addr);
    put_utsname_field(t, "nodename", addr + 65);
    if (t->options->is_verbose) {
        put_utsname_field(t, "release", addr + 130);
        put_utsname_field(t, "version", addr + 195);
        put_utsname_field(t, "machine", addr + 260);
        put_utsname_field(t, "domainname", addr + 325);
    } else {
        trace_put(t, ", ...");
    }
    trace_put_char(t, '}');
}

void trace_show_sysinfo(struct trace *t, unsigned i)
{
    struct sysinfo s;

    if (!trace_fetch_sysinfo(t, t->arg[i], &s))
        return;
    trace_put_char(t, '{');
    trace_field_u(t, "uptime", (uint64_t)s.uptime);
    trace_field(t, "loads");
    trace_put_char(t, '[');
    for (unsigned n = 0; n < 3; n++) {
        if (n)
            trace_put(t, ", ");
        trace_put_u(t, s.loads[n]);
    }
    trace_put_char(t, ']');
    trace_field_u(t, "totalram", s.totalram);
    trace_field_u(t, "freeram", s.freeram);
    trace_field_u(t, "sharedram", s.sharedram);
    trace_field_u(t, "bufferram", s.bufferram);
    trace_field_u(t, "totalswap", s.totalswap);
    trace_field_u(t, "freeswap", s.freeswap);
    trace_field_u(t, "procs", s.procs);
    trace_field_u(t, "totalhigh", s.totalhigh);
    trace_field_u(t, "freehigh", s.freehigh);
    trace_field_u(t, "mem_unit", s.mem_unit);
    trace_put_char(t, '}');
}

void trace_show_tms(struct trace *t, unsigned i)
{
    struct tms s;

    if (!trace_fetch_tms(t, t->arg[i], &s))
        return;
    trace_put_char(t, '{');
    trace_field_u(t, "tms_utime", (uint64_t)s.tms_utime);
    trace_field_u(t, "tms_stime", (uint64_t)s.tms_stime);
    trace_field_u(t, "tms_cutime", (uint64_t)s.tms_cutime);
    trace_field_u(t, "tms_cstime", (uint64_t)s.tms_cstime);
    trace_put_char(t, '}');
}

/* --- capabilities ------------------------------------------------------------------------------------------------------------------ */

void trace_show_cap_header(struct trace *t, unsigned i)
{
    struct __user_cap_header_struct h;

    if (!t->arg[i] || !trace_fetch_quietly(t, t->arg[i], &h, sizeof(h))) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    trace_put_char(t, '{');
    trace_field_enum(t, "version", &trace_flags_cap_version, h.version);
    trace_field_d(t, "pid", h.pid);
    trace_put_char(t, '}');
}

static void put_caps(struct trace *t, const char *name, uint64_t set)
{
    uint64_t known = (2UL << CAP_LAST_CAP) - 1;
    bool is_any = false;

    trace_field(t, name);
    for (unsigned n = 0; n <= CAP_LAST_CAP; n++) {
        if (!(set >> n & 1))
            continue;
        if (is_any)
            trace_put_char(t, '|');
        trace_put(t, trace_flag_name(&trace_flags_capability, n));
        is_any = true;
    }
    if (set & ~known || !is_any) {
        if (is_any)
            trace_put_char(t, '|');
        trace_put_x(t, set & ~known);
    }
}

void trace_show_cap_data(struct trace *t, unsigned i)
{
    struct __user_cap_header_struct h = {0};
    struct __user_cap_data_struct d[2] = {{0}};
    bool has_header = t->arg[0] && trace_fetch_quietly(t, t->arg[0], &h, sizeof(h));
    unsigned words = h.version == _LINUX_CAPABILITY_VERSION_1 ? 1 : 2;

    if (!has_header) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    if (!trace_fetch(t, t->arg[i], d, words * sizeof(*d)))
        return;
    trace_put_char(t, '{');
    put_caps(t, "effective", (uint64_t)d[1].effective << 32 | d[0].effective);
    put_caps(t, "permitted", (uint64_t)d[1].permitted << 32 | d[0].permitted);
    put_caps(t, "inheritable", (uint64_t)d[1].inheritable << 32 | d[0].inheritable);
    trace_put_char(t, '}');
}
