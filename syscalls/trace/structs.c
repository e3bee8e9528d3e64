/* i386's structures as x86-64's, which the rest of the decoder shows. */
#include "structs.h"

#include <i386/layout.h>

#include "decode.h"

#define COPY(field) d->field = s.field;

static bool is_i386(const struct trace *t)
{
    return t->abi == ABI_I386;
}

/* --- structures -------------------------------------------------------------------------------------------------- */

#define COPY_STAT  \
    COPY(st_dev)   \
    COPY(st_ino)   \
    COPY(st_mode)  \
    COPY(st_nlink) \
    COPY(st_uid)   \
    COPY(st_gid) COPY(st_rdev) COPY(st_size) COPY(st_atime) COPY(st_mtime) COPY(st_ctime)
#define COPY_STAT_MORE \
    COPY(st_blksize)   \
    COPY(st_blocks) COPY(st_atime_nsec) COPY(st_mtime_nsec) COPY(st_ctime_nsec)

static bool fetch_stat64(struct trace *t, uint64_t addr, struct stat *d)
{
    union i386_stat64 s;

    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    COPY_STAT
    COPY_STAT_MORE
    return true;
}

static bool fetch_old_stat(struct trace *t, uint64_t addr, struct stat *d)
{
    union i386_old_stat s;

    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    COPY_STAT
    return true;
}

bool trace_fetch_stat(struct trace *t, uint64_t addr, struct stat *d)
{
    union i386_stat s;
    enum row row = (enum row)(t->sc - syscalls);

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    __builtin_memset(d, 0, sizeof(*d));
    switch (row) {
    case ROW_stat64_32:
    case ROW_lstat64_32:
    case ROW_fstat64_32:
    case ROW_fstatat64_32:
        return fetch_stat64(t, addr, d);
    case ROW_oldstat_32:
    case ROW_oldlstat_32:
    case ROW_oldfstat_32:
        return fetch_old_stat(t, addr, d);
    default:
        break;
    }
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    COPY_STAT
    COPY_STAT_MORE
    return true;
}

#define COPY_STATFS                                                                               \
    COPY(f_type)                                                                                  \
    COPY(f_bsize)                                                                                 \
    COPY(f_blocks)                                                                                \
    COPY(f_bfree)                                                                                 \
    COPY(f_bavail)                                                                                \
    COPY(f_files)                                                                                 \
    COPY(f_ffree) COPY(f_namelen) COPY(f_frsize) COPY(f_flags) d->f_fsid.val[0] = (int)s.f_fsid0; \
    d->f_fsid.val[1] = (int)s.f_fsid1;

bool trace_fetch_statfs(struct trace *t, uint64_t addr, struct statfs *d)
{
    union i386_statfs64 large;
    union i386_statfs s;

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (t->sc == &syscalls[ROW_statfs] || t->sc == &syscalls[ROW_fstatfs]) {
        if (!trace_fetch(t, addr, &s, sizeof(s)))
            return false;
        COPY_STATFS
        return true;
    }
    if (!trace_fetch(t, addr, &large, sizeof(large)))
        return false;
#define s large
    COPY_STATFS
#undef s
    return true;
}

bool trace_fetch_flock(struct trace *t, uint64_t addr, struct flock *d)
{
    union i386_flock64 large;
    union i386_flock s;
    uint32_t cmd = (uint32_t)t->arg[1];

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (cmd == F_GETLK || cmd == F_SETLK || cmd == F_SETLKW) {
        if (!trace_fetch(t, addr, &s, sizeof(s)))
            return false;
        *d = (struct flock){s.l_type, s.l_whence, s.l_start, s.l_len, s.l_pid};
        return true;
    }
    if (!trace_fetch(t, addr, &large, sizeof(large)))
        return false;
    *d = (struct flock){large.l_type, large.l_whence, large.l_start, large.l_len, large.l_pid};
    return true;
}

bool trace_fetch_rusage(struct trace *t, uint64_t addr, struct rusage *d)
{
    union i386_rusage s;
    uint32_t rest[14];

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    d->ru_utime = (struct __kernel_old_timeval){s.utime_sec, s.utime_usec};
    d->ru_stime = (struct __kernel_old_timeval){s.stime_sec, s.stime_usec};
    /* From ru_maxrss on, longs one behind the other. */
    __builtin_memcpy(rest, s.bytes + offsetof(union i386_rusage, ru_maxrss), sizeof(rest));
    for (unsigned n = 0; n < 14; n++)
        (&d->ru_maxrss)[n] = (int32_t)rest[n];
    return true;
}

bool trace_fetch_sysinfo(struct trace *t, uint64_t addr, struct sysinfo *d)
{
    union i386_sysinfo s;

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    d->loads[0] = s.load0;
    d->loads[1] = s.load1;
    d->loads[2] = s.load2;
    COPY(uptime)
    COPY(totalram)
    COPY(freeram)
    COPY(sharedram)
    COPY(bufferram)
    COPY(totalswap)
    COPY(freeswap)
    COPY(procs)
    COPY(totalhigh)
    COPY(freehigh)
    COPY(mem_unit)
    return true;
}

bool trace_fetch_tms(struct trace *t, uint64_t addr, struct tms *d)
{
    union i386_tms s;

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    COPY(tms_utime)
    COPY(tms_stime)
    COPY(tms_cutime)
    COPY(tms_cstime)
    return true;
}

/* clock_adjtime64 takes what x86-64 takes. */
bool trace_fetch_timex(struct trace *t, uint64_t addr, struct __kernel_timex *d)
{
    union i386_timex s;

    if (!is_i386(t) || t->sc == &syscalls[ROW_clock_adjtime64_32])
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    d->time.tv_sec = s.time_sec;
    d->time.tv_usec = s.time_usec;
    COPY(modes)
    COPY(offset)
    COPY(freq)
    COPY(maxerror)
    COPY(esterror)
    COPY(status)
    COPY(constant)
    COPY(precision)
    COPY(tolerance)
    COPY(tick)
    COPY(ppsfreq)
    COPY(jitter)
    COPY(shift)
    COPY(stabil)
    COPY(jitcnt)
    COPY(calcnt)
    COPY(errcnt)
    COPY(stbcnt)
    COPY(tai)
    return true;
}

/* --- signals ------------------------------------------------------------------------------------------------------- */

bool trace_fetch_action(struct trace *t, uint64_t addr, struct trace_action *a)
{
    union i386_old_sigaction old;
    union i386_sigaction s;
    uint64_t word[4];

    if (!is_i386(t)) {
        if (!trace_fetch(t, addr, word, sizeof(word)))
            return false;
        *a = (struct trace_action){word[0], word[1], word[2], word[3], 64};
    } else if (t->sc == &syscalls[ROW_sigaction_32]) {
        if (!trace_fetch(t, addr, &old, sizeof(old)))
            return false;
        *a = (struct trace_action){old.handler, old.flags, old.restorer, old.mask, 32};
    } else {
        if (!trace_fetch(t, addr, &s, sizeof(s)))
            return false;
        *a = (struct trace_action){s.handler, s.flags, s.restorer,
                                   (uint64_t)s.mask_high << 32 | s.mask_low, 64};
    }
    return true;
}

bool trace_fetch_stack(struct trace *t, uint64_t addr, stack_t *d)
{
    union i386_stack s;

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    *d = (stack_t){
        .ss_sp = (void *)(uintptr_t)s.ss_sp, .ss_flags = (int)s.ss_flags, .ss_size = s.ss_size};
    return true;
}

bool trace_fetch_sigevent(struct trace *t, uint64_t addr, struct sigevent *d)
{
    union i386_sigevent s;

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    d->sigev_value.sival_ptr = (void *)(uintptr_t)s.value;
    d->sigev_signo = s.signo;
    d->sigev_notify = s.notify;
    d->sigev_notify_thread_id = s.tid;
    return true;
}

static bool is_fault(int sig)
{
    return sig == SIGILL || sig == SIGFPE || sig == SIGSEGV || sig == SIGBUS || sig == SIGTRAP;
}

bool trace_fetch_siginfo(struct trace *t, uint64_t addr, siginfo_t *d)
{
    union i386_siginfo s;

    if (!is_i386(t))
        return trace_fetch(t, addr, d, sizeof(*d));
    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return false;
    __builtin_memset(d, 0, sizeof(*d));
    d->si_signo = s.signo;
    d->si_errno = s.error;
    d->si_code = s.code;
    if (s.code > 0 && is_fault(s.signo)) {
        d->si_addr = (void *)(uintptr_t)s.addr;
        return true;
    }
    if (s.code > 0 && s.signo == SIGPOLL) {
        d->si_band = s.band;
        d->si_fd = s.fd;
        return true;
    }
    d->si_pid = s.pid; /* or a timer's number, and how often it was late */
    d->si_uid = s.uid;
    if (s.code > 0 && s.signo == SIGCHLD) {
        d->si_status = s.status;
        d->si_utime = s.utime;
        d->si_stime = s.stime;
    } else {
        d->si_ptr = (void *)(uintptr_t)s.rt_value;
    }
    return true;
}

/* The frame is at saved_mask_at: of sigreturn the mask's halves lie in two places. */
bool trace_fetch_frame_mask(struct trace *t, uint64_t *mask)
{
    uint64_t frame = t->saved_mask_at;
    uint32_t low, high;
    bool is_old = t->sc == &syscalls[ROW_sigreturn_32];
    size_t low_at =
        is_old ? offsetof(union i386_sigframe, sc) + offsetof(union i386_sigcontext, oldmask)
               : offsetof(union i386_rt_sigframe, mask_low);
    size_t high_at = is_old ? offsetof(union i386_sigframe, extramask)
                            : offsetof(union i386_rt_sigframe, mask_high);

    if (!is_i386(t))
        return frame && trace_fetch_quietly(t, frame, mask, sizeof(*mask));
    if (!trace_fetch_quietly(t, frame + low_at, &low, sizeof(low)) ||
        !trace_fetch_quietly(t, frame + high_at, &high, sizeof(high)))
        return false;
    *mask = (uint64_t)high << 32 | low;
    return true;
}
