/* Files: stat and its kin, directories, descriptors that are ready. */
#include <linux/eventpoll.h>
#include <linux/openat2.h>
#include <linux/stat.h>

#include "decode.h"
#include "structs.h"

static unsigned dev_major(uint64_t dev)
{
    return (unsigned)(dev >> 8 & 0xfff) | (unsigned)(dev >> 32 & ~0xfffUL);
}

static unsigned dev_minor(uint64_t dev)
{
    return (unsigned)(dev & 0xff) | (unsigned)(dev >> 12 & ~0xffUL);
}

static void put_dev(struct trace *t, unsigned major, unsigned minor)
{
    trace_put(t, "makedev(");
    trace_put_x(t, major);
    trace_put(t, ", ");
    trace_put_x(t, minor);
    trace_put_char(t, ')');
}

static void put_file_mode(struct trace *t, uint32_t mode)
{
    const char *type = trace_flag_name(&trace_flags_file_type, mode & S_IFMT);

    if (type) {
        trace_put(t, type);
        trace_put_char(t, '|');
    } else if (mode & S_IFMT) {
        trace_put_o(t, mode);
        return;
    }
    if (mode & S_ISUID)
        trace_put(t, "S_ISUID|");
    if (mode & S_ISGID)
        trace_put(t, "S_ISGID|");
    if (mode & S_ISVTX)
        trace_put(t, "S_ISVTX|");
    trace_put_mode(t, mode & 0777);
}

void trace_show_file_mode(struct trace *t, unsigned i)
{
    put_file_mode(t, (uint32_t)t->arg[i]);
}

void trace_show_dev(struct trace *t, unsigned i)
{
    put_dev(t, dev_major((uint32_t)t->arg[i]), dev_minor((uint32_t)t->arg[i]));
}

static void put_time_field(struct trace *t, const char *name, const char *nsec_name, int64_t sec,
                           uint64_t nsec)
{
    trace_field_d(t, name, sec);
    trace_put_local_time(t, sec, nsec);
    trace_field_u(t, nsec_name, nsec);
}

static void put_stat_times(struct trace *t, const struct stat *st)
{
    put_time_field(t, "st_atime", "st_atime_nsec", (int64_t)st->st_atime, st->st_atime_nsec);
    put_time_field(t, "st_mtime", "st_mtime_nsec", (int64_t)st->st_mtime, st->st_mtime_nsec);
    put_time_field(t, "st_ctime", "st_ctime_nsec", (int64_t)st->st_ctime, st->st_ctime_nsec);
}

void trace_show_stat(struct trace *t, unsigned i)
{
    struct stat st;

    if (!trace_fetch_stat(t, t->arg[i], &st))
        return;
    trace_put_char(t, '{');
    if (t->options->is_verbose) {
        trace_field(t, "st_dev");
        put_dev(t, dev_major(st.st_dev), dev_minor(st.st_dev));
        trace_field_u(t, "st_ino", st.st_ino);
    }
    trace_field(t, "st_mode");
    put_file_mode(t, st.st_mode);
    if (t->options->is_verbose) {
        trace_field_u(t, "st_nlink", st.st_nlink);
        trace_field_u(t, "st_uid", st.st_uid);
        trace_field_u(t, "st_gid", st.st_gid);
        trace_field_u(t, "st_blksize", (uint64_t)st.st_blksize);
        trace_field_u(t, "st_blocks", (uint64_t)st.st_blocks);
    }
    uint32_t type = st.st_mode & S_IFMT;
    if (type == S_IFCHR || type == S_IFBLK) {
        trace_field(t, "st_rdev");
        put_dev(t, dev_major(st.st_rdev), dev_minor(st.st_rdev));
    } else {
        trace_field_u(t, "st_size", (uint64_t)st.st_size);
    }
    if (t->options->is_verbose)
        put_stat_times(t, &st);
    else
        trace_put(t, ", ...");
    trace_put_char(t, '}');
}

/* --- statx --------------------------------------------------------------------------------------------------------- */

void trace_show_statx_flags(struct trace *t, unsigned i)
{
    uint32_t v = (uint32_t)t->arg[i];

    trace_put_flags(t, &trace_flags_statx_sync, v & AT_STATX_SYNC_TYPE);
    trace_put_more_flags(t, &trace_flags_at, v & ~(uint32_t)AT_STATX_SYNC_TYPE);
}

static void put_statx_time(struct trace *t, const char *name, const struct statx_timestamp *ts)
{
    trace_field(t, name);
    trace_put_char(t, '{');
    trace_field_d(t, "tv_sec", ts->tv_sec);
    trace_field_u(t, "tv_nsec", ts->tv_nsec);
    trace_put_char(t, '}');
    trace_put_local_time(t, ts->tv_sec, ts->tv_nsec);
}

static void put_statx_dev(struct trace *t, const char *major_name, const char *minor_name,
                          uint32_t major, uint32_t minor)
{
    trace_field_u(t, major_name, major);
    trace_field_u(t, minor_name, minor);
}

static void put_statx_more(struct trace *t, const struct statx *stx)
{
    put_statx_time(t, "stx_atime", &stx->stx_atime);
    if (stx->stx_mask & STATX_BTIME)
        put_statx_time(t, "stx_btime", &stx->stx_btime);
    put_statx_time(t, "stx_ctime", &stx->stx_ctime);
    put_statx_time(t, "stx_mtime", &stx->stx_mtime);
    put_statx_dev(t, "stx_rdev_major", "stx_rdev_minor", stx->stx_rdev_major, stx->stx_rdev_minor);
    put_statx_dev(t, "stx_dev_major", "stx_dev_minor", stx->stx_dev_major, stx->stx_dev_minor);
    if (stx->stx_mask & STATX_MNT_ID)
        trace_field_x(t, "stx_mnt_id", stx->stx_mnt_id);
}

void trace_show_statx(struct trace *t, unsigned i)
{
    struct statx stx;

    if (!trace_fetch(t, t->arg[i], &stx, sizeof(stx)))
        return;
    trace_put_char(t, '{');
    trace_field_flags(t, "stx_mask", &trace_flags_statx_mask, stx.stx_mask);
    if (t->options->is_verbose)
        trace_field_u(t, "stx_blksize", stx.stx_blksize);
    trace_field_flags(t, "stx_attributes", &trace_flags_statx_attr, stx.stx_attributes);
    if (t->options->is_verbose) {
        trace_field_u(t, "stx_nlink", stx.stx_nlink);
        trace_field_u(t, "stx_uid", stx.stx_uid);
        trace_field_u(t, "stx_gid", stx.stx_gid);
    }
    trace_field(t, "stx_mode");
    put_file_mode(t, stx.stx_mode);
    if (t->options->is_verbose)
        trace_field_u(t, "stx_ino", stx.stx_ino);
    trace_field_u(t, "stx_size", stx.stx_size);
    if (t->options->is_verbose) {
        trace_field_u(t, "stx_blocks", stx.stx_blocks);
        trace_field_flags(t, "stx_attributes_mask", &trace_flags_statx_attr,
                          stx.stx_attributes_mask);
        put_statx_more(t, &stx);
    } else {
        trace_put(t, ", ...");
    }
    trace_put_char(t, '}');
}

void trace_show_statfs(struct trace *t, unsigned i)
{
    struct statfs st;

    if (!trace_fetch_statfs(t, t->arg[i], &st))
        return;
    trace_put_char(t, '{');
    trace_field_enum(t, "f_type", &trace_flags_fs_magic, (uint64_t)st.f_type);
    trace_field_u(t, "f_bsize", (uint64_t)st.f_bsize);
    trace_field_u(t, "f_blocks", (uint64_t)st.f_blocks);
    trace_field_u(t, "f_bfree", (uint64_t)st.f_bfree);
    trace_field_u(t, "f_bavail", (uint64_t)st.f_bavail);
    trace_field_u(t, "f_files", (uint64_t)st.f_files);
    trace_field_u(t, "f_ffree", (uint64_t)st.f_ffree);
    trace_field(t, "f_fsid");
    trace_put(t, "{val=[");
    trace_put_x(t, (uint32_t)st.f_fsid.val[0]);
    trace_put(t, ", ");
    trace_put_x(t, (uint32_t)st.f_fsid.val[1]);
    trace_put(t, "]}");
    trace_field_u(t, "f_namelen", (uint64_t)st.f_namelen);
    trace_field_u(t, "f_frsize", (uint64_t)st.f_frsize);
    trace_field_flags(t, "f_flags", &trace_flags_statfs, (uint64_t)st.f_flags);
    trace_put_char(t, '}');
}

void trace_show_open_how(struct trace *t, unsigned i)
{
    struct open_how how = {0};
    uint64_t size = t->arg[i + 1];

    if (size < sizeof(how)) {
        trace_put_addr(t, t->arg[i]);
        return;
    }
    if (!trace_fetch(t, t->arg[i], &how, sizeof(how)))
        return;
    trace_put_char(t, '{');
    trace_field(t, "flags");
    trace_put_open_flags(t, (uint32_t)how.flags);
    if (how.flags & (O_CREAT | __O_TMPFILE)) {
        trace_field(t, "mode");
        trace_put_mode(t, (uint32_t)how.mode);
    }
    trace_field_flags(t, "resolve", &trace_flags_resolve, how.resolve);
    trace_put_char(t, '}');
}

/* --- directories ------------------------------------------------------------------------------------------------------ */

/* Only how many, as strace without -v. */
static void put_entries(struct trace *t, unsigned i, unsigned len_at)
{
    uint64_t at = 0, nr = 0, end = (uint64_t)t->ret;
    uint16_t len;

    trace_put_addr(t, t->arg[i]);
    if (failed(t))
        return;
    while (at < end && trace_fetch_quietly(t, t->arg[i] + at + len_at, &len, sizeof(len)) && len) {
        at += len;
        nr++;
    }
    trace_put(t, " /* ");
    trace_put_u(t, nr);
    trace_put(t, " entries */");
}

void trace_show_dents(struct trace *t, unsigned i)
{
    put_entries(t, i, 2 * long_size(t));
}

void trace_show_dents64(struct trace *t, unsigned i)
{
    put_entries(t, i, 16);
}

/* --- ready descriptors --------------------------------------------------------------------------------------------------- */

void trace_show_fd_pair(struct trace *t, unsigned i)
{
    int fd[2];

    if (!trace_fetch(t, t->arg[i], fd, sizeof(fd)))
        return;
    trace_put_char(t, '[');
    trace_put_fd(t, fd[0]);
    trace_put(t, ", ");
    trace_put_fd(t, fd[1]);
    trace_put_char(t, ']');
}

struct poll_fd {
    int32_t fd;
    uint16_t events, revents;
};

static void put_pollfd(struct trace *t, uint64_t addr)
{
    struct poll_fd p;

    if (!trace_fetch_quietly(t, addr, &p, sizeof(p)))
        return;
    trace_put_char(t, '{');
    trace_field(t, "fd");
    trace_put_fd(t, p.fd);
    if (p.fd >= 0)
        trace_field_flags(t, "events", &trace_flags_poll, p.events);
    trace_put_char(t, '}');
}

void trace_show_pollfds(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], (uint32_t)t->arg[i + 1], sizeof(struct poll_fd), put_pollfd);
}

/* Who is ready, as far as strings go. */
static bool put_ready(struct trace *t)
{
    unsigned shown = 0;
    bool is_any = false;

    for (uint32_t n = 0; n < (uint32_t)t->arg[1]; n++) {
        struct poll_fd p;
        if (!trace_fetch_quietly(t, t->arg[0] + n * sizeof(p), &p, sizeof(p)))
            break;
        if (!p.revents)
            continue;
        trace_put(t, is_any ? ", " : " ([");
        is_any = true;
        if (shown++ >= t->options->strings && !t->options->is_verbose) {
            trace_put(t, "...");
            break;
        }
        trace_put_char(t, '{');
        trace_field(t, "fd");
        trace_put_fd(t, p.fd);
        trace_field_flags(t, "revents", &trace_flags_poll, p.revents);
        trace_put_char(t, '}');
    }
    if (is_any)
        trace_put_char(t, ']');
    return is_any;
}

void trace_aux_poll(struct trace *t)
{
    if (t->ret == 0) {
        trace_put(t, " (Timeout)");
        return;
    }
    bool is_any = put_ready(t);
    if (trace_is(t, ROW_ppoll) && t->arg[2]) {
        trace_put(t, is_any ? ", left " : " (left ");
        trace_put_timespec(t, t->arg[2]);
        is_any = true;
    }
    if (is_any)
        trace_put_char(t, ')');
}

static uint64_t fd_word(struct trace *t, uint64_t set, unsigned at, bool *is_there)
{
    return trace_fetch_long(t, set + at / 8 / long_size(t) * long_size(t), is_there);
}

static bool put_fd_set(struct trace *t, uint64_t set, int nr)
{
    bool is_any = false, is_there = true;
    unsigned bits = long_size(t) * 8;
    uint64_t word = 0;

    trace_put_char(t, '[');
    for (int fd = 0; fd < nr && is_there; fd++) {
        if (fd % bits == 0)
            word = fd_word(t, set, (unsigned)fd, &is_there);
        if (!is_there || !(word >> fd % bits & 1))
            continue;
        if (is_any)
            trace_put_char(t, ' ');
        trace_put_fd(t, fd);
        is_any = true;
    }
    trace_put_char(t, ']');
    return is_any;
}

#define FD_SET_MAX (1 << 16)
static int fd_set_size(const struct trace *t)
{
    int nr = (int)t->arg[0];

    return nr < 0 ? 0 : nr > FD_SET_MAX ? FD_SET_MAX : nr;
}

void trace_show_fd_set(struct trace *t, unsigned i)
{
    bool is_there = true;

    if (t->arg[i] && fd_set_size(t) > 0)
        fd_word(t, t->arg[i], 0, &is_there);
    if (!t->arg[i] || !is_there)
        trace_put_addr(t, t->arg[i]);
    else
        put_fd_set(t, t->arg[i], fd_set_size(t));
}

static bool set_is_empty(struct trace *t, uint64_t set, int nr)
{
    unsigned bits = long_size(t) * 8;
    bool is_there;

    for (int fd = 0; fd < nr; fd += (int)bits) {
        uint64_t word = fd_word(t, set, (unsigned)fd, &is_there);
        if (nr - fd < (int)bits)
            word &= (1UL << (nr - fd)) - 1;
        if (is_there && word)
            return false;
    }
    return true;
}

void trace_aux_select(struct trace *t)
{
    static const char *const names[] = {"in ", "out ", "except "};
    bool is_any = false;

    if (t->ret == 0) {
        trace_put(t, " (Timeout)");
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t set = t->arg[1 + i];
        if (!set || set_is_empty(t, set, fd_set_size(t)))
            continue;
        trace_put(t, is_any ? ", " : " (");
        trace_put(t, names[i]);
        put_fd_set(t, set, fd_set_size(t));
        is_any = true;
    }
    if (t->arg[4]) {
        trace_put(t, is_any ? ", left " : " (left ");
        if (trace_is(t, ROW_select))
            trace_put_timeval(t, t->arg[4]);
        else
            trace_put_timespec(t, t->arg[4]);
        is_any = true;
    }
    if (is_any)
        trace_put_char(t, ')');
}

void trace_show_pselect_mask(struct trace *t, unsigned i)
{
    bool is_there, has_size;
    uint64_t addr = t->arg[i];
    uint64_t set = trace_fetch_long(t, addr, &is_there);
    uint64_t size = trace_fetch_long(t, addr + long_size(t), &has_size);

    if (!addr || !is_there || !has_size) {
        trace_put_addr(t, addr);
        return;
    }
    trace_put_char(t, '{');
    trace_field(t, "sigmask");
    trace_put_sigset(t, set, size);
    trace_field_u(t, "sigsetsize", size);
    trace_put_char(t, '}');
}

/* struct epoll_event is packed on x86-64 and laid out alike on i386. */
static void put_epoll_event(struct trace *t, uint64_t addr)
{
    struct {
        uint32_t events, low, high;
    } e;

    if (!trace_fetch(t, addr, &e, sizeof(e)))
        return;
    trace_put_char(t, '{');
    trace_field_flags(t, "events", &trace_flags_epoll, e.events);
    trace_field(t, "data");
    trace_put_char(t, '{');
    trace_field_u(t, "u32", e.low);
    trace_field_u(t, "u64", (uint64_t)e.high << 32 | e.low);
    trace_put(t, "}}");
}

void trace_show_epoll_event(struct trace *t, unsigned i)
{
    if ((uint32_t)t->arg[1] == EPOLL_CTL_DEL)
        trace_put_addr(t, t->arg[i]);
    else
        put_epoll_event(t, t->arg[i]);
}

void trace_show_epoll_events(struct trace *t, unsigned i)
{
    trace_put_array(t, t->arg[i], failed(t) ? 0 : (uint64_t)t->ret, 12, put_epoll_event);
}
