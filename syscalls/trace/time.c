/* Times, timers and clocks. */
#include <linux/time.h>
#include <linux/time_types.h>

#include "decode.h"
#include "structs.h"

/* Seconds and a fraction: two longs of the program's ABI, or two numbers of 64 bits. */
struct pair {
    int64_t sec, fraction;
};

/* Those of i386 whose name says so are the table's last; a few newer calls have no other times. */
static bool is_time64(const struct trace *t)
{
    return t->abi == ABI_X86_64 || t->sc >= &syscalls[ROW_clock_gettime64_32] ||
           t->sc == &syscalls[ROW_epoll_pwait2] || t->sc == &syscalls[ROW_futex_waitv] ||
           t->sc == &syscalls[ROW_futex_wait];
}

static bool read_pair(struct trace *t, uint64_t addr, struct pair *p)
{
    struct {
        int32_t sec;
        uint32_t fraction;
    } small;

    if (!addr || failed(t))
        return false;
    if (is_time64(t))
        return trace_fetch_quietly(t, addr, p, sizeof(*p));
    if (!trace_fetch_quietly(t, addr, &small, sizeof(small)))
        return false;
    *p = (struct pair){small.sec, small.fraction};
    return true;
}

static unsigned pair_size(const struct trace *t)
{
    return is_time64(t) ? 16 : 8;
}

static void put_pair(struct trace *t, const struct pair *p, const char *fraction)
{
    trace_put_char(t, '{');
    trace_field_d(t, "tv_sec", p->sec);
    trace_field_u(t, fraction, (uint64_t)p->fraction);
    trace_put_char(t, '}');
}

static void put_time(struct trace *t, uint64_t addr, const char *fraction)
{
    struct pair p;

    if (read_pair(t, addr, &p))
        put_pair(t, &p, fraction);
    else
        trace_put_addr(t, addr);
}

void trace_put_timespec(struct trace *t, uint64_t addr)
{
    put_time(t, addr, "tv_nsec");
}

void trace_put_timeval(struct trace *t, uint64_t addr)
{
    put_time(t, addr, "tv_usec");
}

void trace_show_timespec(struct trace *t, unsigned i)
{
    trace_put_timespec(t, t->arg[i]);
}

/* Behind what the call fills in, and the program's own all the same. */
void trace_show_timespec_late(struct trace *t, unsigned i)
{
    int64_t ret = t->ret;

    if (t->has_limit) {
        put_pair(t, &(struct pair){t->limit[0], t->limit[1]}, "tv_nsec");
        return;
    }

    t->ret = 0;
    trace_put_timespec(t, t->arg[i]);
    t->ret = ret;
}

void trace_save_limit(struct trace *t, unsigned i)
{
    struct pair p;

    t->has_limit = read_pair(t, t->arg[i], &p);
    if (!t->has_limit)
        return;
    t->limit[0] = p.sec;
    t->limit[1] = p.fraction;
}

void trace_aux_limit(struct trace *t)
{
    if (!t->has_limit || t->ret < 0)
        return;
    trace_put(t, t->ret ? " (left " : " (Timeout)");
    if (!t->ret)
        return;
    trace_put_timespec(t, t->arg[t->sc->argc - 1]);
    trace_put_char(t, ')');
}

void trace_show_timeval(struct trace *t, unsigned i)
{
    trace_put_timeval(t, t->arg[i]);
}

/* nanosleep(2) fills it in when it was interrupted, and not otherwise. */
void trace_show_time_left(struct trace *t, unsigned i)
{
    bool was_interrupted = t->ret == -4 || (t->ret <= -512 && t->ret >= -516);
    struct pair p;
    int64_t ret = t->ret;

    t->ret = 0;
    if (was_interrupted && read_pair(t, t->arg[i], &p))
        put_pair(t, &p, "tv_nsec");
    else
        trace_put_addr(t, t->arg[i]);
    t->ret = ret;
}

void trace_put_itimer(struct trace *t, uint64_t addr, bool is_spec)
{
    const char *fraction = is_spec ? "tv_nsec" : "tv_usec";
    struct pair interval, value;

    if (!read_pair(t, addr, &interval) || !read_pair(t, addr + pair_size(t), &value)) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '{');
    trace_field(t, "it_interval");
    put_pair(t, &interval, fraction);
    trace_field(t, "it_value");
    put_pair(t, &value, fraction);
    trace_put_char(t, '}');
}

void trace_show_itimerval(struct trace *t, unsigned i)
{
    trace_put_itimer(t, t->arg[i], false);
}

void trace_show_itimerspec(struct trace *t, unsigned i)
{
    trace_put_itimer(t, t->arg[i], true);
}

void trace_show_timezone(struct trace *t, unsigned i)
{
    int32_t tz[2];

    if (!trace_fetch(t, t->arg[i], tz, sizeof(tz)))
        return;
    trace_put_char(t, '{');
    trace_field_d(t, "tz_minuteswest", tz[0]);
    trace_field_d(t, "tz_dsttime", tz[1]);
    trace_put_char(t, '}');
}

void trace_show_utimbuf(struct trace *t, unsigned i)
{
    struct pair p;

    if (!read_pair(t, t->arg[i], &p)) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    if (!is_time64(t))
        p.fraction = (int32_t)p.fraction; /* a time, too */
    trace_put_char(t, '{');
    trace_field_d(t, "actime", p.sec);
    trace_put_local_time(t, p.sec, 0);
    trace_field_d(t, "modtime", p.fraction);
    trace_put_local_time(t, p.fraction, 0);
    trace_put_char(t, '}');
}

static void put_timeval(struct trace *t, const struct pair *p)
{
    put_pair(t, p, "tv_usec");
    trace_put_local_time(t, p->sec, (uint64_t)p->fraction * 1000);
}

static void put_timespec_or_word(struct trace *t, const struct pair *p)
{
    enum { UTIME_NOW = 0x3fffffff, UTIME_OMIT = 0x3ffffffe };

    if (p->fraction == UTIME_NOW) {
        trace_put(t, "UTIME_NOW");
    } else if (p->fraction == UTIME_OMIT) {
        trace_put(t, "UTIME_OMIT");
    } else {
        put_pair(t, p, "tv_nsec");
        trace_put_local_time(t, p->sec, (uint64_t)p->fraction);
    }
}

/* The two times of a file. */
static void put_times(struct trace *t, uint64_t addr,
                      void (*put)(struct trace *t, const struct pair *p))
{
    struct pair access, change;

    if (!read_pair(t, addr, &access) || !read_pair(t, addr + pair_size(t), &change)) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '[');
    put(t, &access);
    trace_put(t, ", ");
    put(t, &change);
    trace_put_char(t, ']');
}

void trace_show_timeval_pair(struct trace *t, unsigned i)
{
    put_times(t, t->arg[i], put_timeval);
}

void trace_show_timespec_pair(struct trace *t, unsigned i)
{
    put_times(t, t->arg[i], put_timespec_or_word);
}

/* time(2)'s result in its argument. */
void trace_show_time_out(struct trace *t, unsigned i)
{
    uint64_t v = 0;

    if (!trace_fetch(t, t->arg[i], &v, long_size(t)))
        return;
    trace_put_char(t, '[');
    trace_put_d(t, (int64_t)v);
    trace_put_local_time(t, (int64_t)v, 0);
    trace_put_char(t, ']');
}

void trace_aux_time(struct trace *t)
{
    if (t->ret < 0)
        return;
    trace_put(t, " (");
    trace_put_local_time_alone(t, t->ret, 0);
    trace_put_char(t, ')');
}

void trace_show_clock(struct trace *t, unsigned i)
{
    int id = (int)t->arg[i];

    if (id >= 0 || (id & 3) == 3) {
        trace_put_enum(t, trace_arg_table(t, i), (uint32_t)id);
        return;
    }
    /* A process's or thread's own: its number, its kind. */
    trace_put(t, id & 4 ? "MAKE_THREAD_CPUCLOCK(" : "MAKE_PROCESS_CPUCLOCK(");
    trace_put_d(t, ~(id >> 3));
    trace_put(t, ", ");
    trace_put_enum(t, &trace_flags_cpu_clock, id & 3);
    trace_put_char(t, ')');
}

void trace_show_timex(struct trace *t, unsigned i)
{
    struct __kernel_timex x;

    if (!trace_fetch_timex(t, t->arg[i], &x))
        return;
    trace_put_char(t, '{');
    trace_field_flags(t, "modes", &trace_flags_adj_modes, x.modes);
    trace_field_d(t, "offset", x.offset);
    trace_field_d(t, "freq", x.freq);
    trace_field_u(t, "maxerror", (uint64_t)x.maxerror);
    trace_field_u(t, "esterror", (uint64_t)x.esterror);
    trace_field_flags(t, "status", &trace_flags_adj_status, (uint32_t)x.status);
    trace_field_d(t, "constant", x.constant);
    trace_field_u(t, "precision", (uint64_t)x.precision);
    trace_field_d(t, "tolerance", x.tolerance);
    trace_field(t, "time");
    put_pair(t, &(struct pair){x.time.tv_sec, x.time.tv_usec},
             x.status & 0x2000 ? "tv_nsec" : "tv_usec");
    trace_field_u(t, "tick", (uint64_t)x.tick);
    trace_field_d(t, "ppsfreq", x.ppsfreq);
    trace_field_d(t, "jitter", x.jitter);
    trace_field_d(t, "shift", x.shift);
    trace_field_d(t, "stabil", x.stabil);
    trace_field_d(t, "jitcnt", x.jitcnt);
    trace_field_d(t, "calcnt", x.calcnt);
    trace_field_d(t, "errcnt", x.errcnt);
    trace_field_d(t, "stbcnt", x.stbcnt);
    trace_field_d(t, "tai", x.tai);
    trace_put_char(t, '}');
}

void trace_aux_timex(struct trace *t)
{
    trace_put(t, " (");
    trace_put_enum(t, &trace_flags_adj_state, (uint64_t)t->ret);
    trace_put_char(t, ')');
}

/* --- calendar ---------------------------------------------------------------------------------------------------------- */

static void put_date(struct trace *t, int64_t days)
{
    /* Days since 0000-03-01, in eras of 400 years. */
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;

    trace_put_u_width(t, (uint64_t)(yoe + era * 400 + (month <= 2)), 4);
    trace_put_char(t, '-');
    trace_put_u_width(t, month, 2);
    trace_put_char(t, '-');
    trace_put_u_width(t, doy - (153 * mp + 2) / 5 + 1, 2);
}

void trace_put_local_time_alone(struct trace *t, int64_t sec, uint64_t nsec)
{
    int64_t at = sec + t->options->utc_offset, days = at / 86400, left = at % 86400;
    int32_t offset = t->options->utc_offset;

    if (left < 0) {
        left += 86400;
        days--;
    }
    put_date(t, days);
    trace_put_char(t, 'T');
    trace_put_u_width(t, (uint64_t)left / 3600, 2);
    trace_put_char(t, ':');
    trace_put_u_width(t, (uint64_t)left / 60 % 60, 2);
    trace_put_char(t, ':');
    trace_put_u_width(t, (uint64_t)left % 60, 2);
    if (nsec) {
        trace_put_char(t, '.');
        trace_put_u_width(t, nsec, 9);
    }
    trace_put_char(t, offset < 0 ? '-' : '+');
    trace_put_u_width(t, (uint64_t)(offset < 0 ? -offset : offset) / 3600, 2);
    trace_put_u_width(t, (uint64_t)(offset < 0 ? -offset : offset) / 60 % 60, 2);
}

/* In a comment behind a number of seconds; what is no time of day is left alone. */
void trace_put_local_time(struct trace *t, int64_t sec, uint64_t nsec)
{
    if ((!sec && !nsec) || sec < -(1LL << 55) || sec > (1LL << 55) || nsec > 999999999)
        return;
    trace_put(t, " /* ");
    trace_put_local_time_alone(t, sec, nsec);
    trace_put(t, " */");
}
