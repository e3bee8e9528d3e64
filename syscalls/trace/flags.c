/* Flags, enumerations and errors by name. */
#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/eventpoll.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/in.h>
#include <linux/inotify.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/openat2.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <linux/tcp.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include <linux/timex.h>
#include <linux/wait.h>
#include <linux/xattr.h>
#include <linux/capability.h>
#include <linux/signalfd.h>
#include <asm/siginfo.h>

#include "decode.h"

#define FLAGS(id, unknown) static const struct flag names_##id[] = {
#define NAME(name)         {(uint64_t)(name), #name},
#define VALUE(value, name) {(uint64_t)(value), #name},
#define END \
    }       \
    ;
#include "flags_all.h"

#define FLAGS(id, unknown)                       \
    const struct flag_table trace_flags_##id = { \
        names_##id, sizeof(names_##id) / sizeof(struct flag), unknown};
#define NAME(name)
#define VALUE(value, name)
#define END
#include "flags_all.h"

const char *trace_flag_name(const struct flag_table *f, uint64_t v)
{
    for (unsigned i = 0; i < f->nr; i++)
        if (f->flags[i].value == v)
            return f->flags[i].name;
    return NULL;
}

void trace_put_enum(struct trace *t, const struct flag_table *f, uint64_t v)
{
    const char *name = trace_flag_name(f, v);

    if (name) {
        trace_put(t, name);
        return;
    }
    trace_put_x(t, v);
    if (f->unknown)
        trace_put_comment(t, f->unknown);
}

bool trace_put_flag_names(struct trace *t, const struct flag_table *f, uint64_t v, uint64_t *rest)
{
    bool is_any = false;

    for (unsigned i = 0; i < f->nr && v; i++) {
        uint64_t bits = f->flags[i].value;
        if (!bits || (v & bits) != bits)
            continue;
        if (is_any)
            trace_put_char(t, '|');
        trace_put(t, f->flags[i].name);
        is_any = true;
        v &= ~bits;
    }
    *rest = v;
    return is_any;
}

void trace_put_more_flags(struct trace *t, const struct flag_table *f, uint64_t v)
{
    uint64_t rest = v;

    if (!v)
        return;
    trace_put_char(t, '|');
    if (trace_put_flag_names(t, f, v, &rest) && rest)
        trace_put_char(t, '|');
    if (rest)
        trace_put_x(t, rest);
}

void trace_put_flags(struct trace *t, const struct flag_table *f, uint64_t v)
{
    const char *zero = v ? NULL : trace_flag_name(f, 0);
    uint64_t rest;

    if (!v) {
        trace_put(t, zero ? zero : "0");
        return;
    }
    bool is_any = trace_put_flag_names(t, f, v, &rest);
    if (!rest)
        return;
    if (is_any)
        trace_put_char(t, '|');
    trace_put_x(t, rest);
    if (!is_any && f->unknown)
        trace_put_comment(t, f->unknown);
}

static const struct {
    uint16_t number;
    const char *name, *text;
} errnos[] = {
#define ERRNO(number, name, text) {number, #name, text},
#include "errnos.def"
#undef ERRNO
};

static const char *errno_of(int error, bool wants_text)
{
    for (unsigned i = 0; i < sizeof(errnos) / sizeof(*errnos); i++)
        if (errnos[i].number == error)
            return wants_text ? errnos[i].text : errnos[i].name;
    return NULL;
}

const char *trace_errno_name(int error)
{
    return errno_of(error, false);
}

const char *trace_errno_text(int error)
{
    return errno_of(error, true);
}
