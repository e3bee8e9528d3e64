/* poll(2), ppoll(2), select(2), pselect(2). */
#include <abi.h>
#include <abi_io.h>
#include <base/bitmap.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <files.h>
#include <linux/poll.h>
#include <linux/posix_types.h>
#include <syscalls/bodies.h>
#include <vfs/poll.h>

#define NS_PER_MSEC 1000000L
#define FAST_SLOTS  8 /* lists up to here allocate nothing */

/* The files of one call. */
struct slots {
    struct poll_slot fast[FAST_SLOTS];
    struct poll_slot *slot; /* fast, or from the heap */
    unsigned nr;
};

static long slots_init(struct slots *s, unsigned nr)
{
    s->nr = nr;
    s->slot = nr <= FAST_SLOTS ? s->fast : heap_alloc(nr * sizeof(s->slot[0]));
    return s->slot ? 0 : -ENOMEM;
}

static void slots_end(struct slots *s)
{
    for (unsigned i = 0; i < s->nr; i++)
        if (s->slot[i].file)
            file_put(s->slot[i].file);
    if (s->slot != s->fast)
        heap_free(s->slot);
}

/* After a wait with a temporary mask: a signal's handler still needs it. */
static void end_mask(bool has_mask, long ret)
{
    if (has_mask && ret != -ERESTARTNOHAND)
        signal_restore_mask();
}

static long begin_mask(struct uptr sigmask, size_t size, bool *has_mask)
{
    uint64_t mask;
    *has_mask = !uptr_is_null(sigmask);
    if (!*has_mask)
        return 0;
    long ret = user_get_sigset(sigmask, size, &mask);
    if (ret == 0)
        signal_set_temporary_mask(mask);
    return ret;
}

static int64_t time_left(const struct poll_timeout *t)
{
    if (t->deadline ==
        0) /* nobody waited and no clock was read; but some time has passed, as on Linux */
        return t->ns > 0 ? t->ns - 1 : t->ns;
    uint64_t now = arch_clock_ns();
    return t->deadline > now ? t->deadline - now : 0;
}

/* --- poll ------------------------------------------------------------------------------------- */

static long read_pollfds(struct slots *s, struct uptr fds)
{
    for (unsigned i = 0; i < s->nr; i++) {
        struct poll_slot *slot = &s->slot[i];
        struct pollfd pfd;
        if (user_get(uptr_add(fds, i * sizeof(pfd)), &pfd) < 0) {
            s->nr = i;
            return -EFAULT;
        }
        slot->file = pfd.fd >= 0 ? file_of_fd(pfd.fd) : NULL;
        slot->events = (uint16_t)pfd.events;
        slot->revents = pfd.fd >= 0 && !slot->file ? POLLNVAL : 0;
    }
    return 0;
}

static long write_revents(const struct slots *s, struct uptr fds)
{
    for (unsigned i = 0; i < s->nr; i++) {
        short revents = s->slot[i].revents;
        if (user_put(uptr_add(fds, i * sizeof(struct pollfd) + offsetof(struct pollfd, revents)),
                     &revents) < 0)
            return -EFAULT;
    }
    return 0;
}

/* The number of ready files, or -ERESTARTNOHAND when a signal came. */
static long poll(struct uptr fds, unsigned nfds, struct poll_timeout *timeout)
{
    struct slots s;
    if (nfds > process_rlimit(current_process(), RLIMIT_NOFILE))
        return -EINVAL;
    long ret = slots_init(&s, nfds);
    if (ret < 0)
        return ret;
    ret = read_pollfds(&s, fds);
    if (ret == 0)
        ret = poll_files(s.slot, s.nr, timeout);
    if (ret >= 0 && write_revents(&s, fds) < 0)
        ret = -EFAULT;
    slots_end(&s);
    return ret == -EINTR ? -ERESTARTNOHAND : ret;
}

/* restart_syscall(2): the deadline stays what it was. */
static long poll_restart(struct restart_block *r)
{
    struct poll_timeout timeout = {.ns = (int64_t)r->arg[2], .deadline = r->arg[3]};
    long ret = poll(uptr_of_word(r->arg[0]), (unsigned)r->arg[1], &timeout);
    return ret == -ERESTARTNOHAND ? -ERESTART_RESTARTBLOCK : ret;
}

long sys_poll(struct uptr fds, unsigned nfds, int timeout)
{
    struct poll_timeout t = {.ns = timeout * NS_PER_MSEC};
    long ret = poll(fds, nfds, &t);
    if (ret != -ERESTARTNOHAND)
        return ret;
    current_task()->restart = (struct restart_block){
        .fn = poll_restart,
        .arg = {uptr_word(fds), nfds, (uint64_t)t.ns, t.deadline},
    };
    return -ERESTART_RESTARTBLOCK;
}

/* Tell how much time was left.  A call whose timeout cannot be written cannot be restarted with it.
 */
static long end_timed(long ret, struct uptr timeout, const struct poll_timeout *t, bool is_timeval)
{
    if (uptr_is_null(timeout))
        return ret;
    int64_t left = time_left(t);
    int error =
        is_timeval ? user_put_timeval_ns(timeout, left) : user_put_timespec_ns(timeout, left);
    return error < 0 && ret == -ERESTARTNOHAND ? -EINTR : ret;
}

long sys_ppoll(struct uptr fds, unsigned nfds, struct uptr tmo_p, struct uptr sigmask,
               size_t sigsetsize)
{
    struct poll_timeout t = {.ns = -1};
    bool has_mask;
    long ret = uptr_is_null(tmo_p) ? 0 : user_get_timespec_ns(tmo_p, &t.ns);
    if (ret == 0)
        ret = begin_mask(sigmask, sigsetsize, &has_mask);
    if (ret)
        return ret;
    ret = poll(fds, nfds, &t);
    end_mask(has_mask, ret);
    return end_timed(ret, tmo_p, &t, false);
}

/* --- select ----------------------------------------------------------------------------------- */

/* What each set waits for, and what else makes its bit come up. */
#define IN_EVENTS  (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define OUT_EVENTS (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define EX_EVENTS  POLLPRI

static const uint32_t set_events[3] = {IN_EVENTS, OUT_EVENTS, EX_EVENTS};

/* The three sets of a call, as 64-bit words; on little-endian machines an i386 set is the same
 * bytes. */
#define FAST_WORDS 4
struct sets {
    uint64_t fast[3 * FAST_WORDS];
    uint64_t *word; /* fast, or from the heap: in, out, ex */
    unsigned nr_words;
    size_t user_bytes; /* whole longs of the caller's */
    struct uptr user[3];
};

static uint64_t *set_of(const struct sets *s, unsigned which)
{
    return s->word + which * s->nr_words;
}

static long sets_read(struct sets *s, int nfds, const struct uptr user[3])
{
    s->nr_words = ((unsigned)nfds + 63) / 64;
    size_t size = s->nr_words * sizeof(uint64_t);
    s->user_bytes = ALIGN_UP((size_t)nfds, 8 * caller_word()) / 8;
    s->word = s->nr_words <= FAST_WORDS ? s->fast : heap_alloc(3 * size);
    if (!s->word)
        return -ENOMEM;
    for (unsigned i = 0; i < 3; i++) {
        s->user[i] = user[i];
        memset(set_of(s, i), 0, size);
        if (!uptr_is_null(user[i]) && user_read(set_of(s, i), user[i], s->user_bytes) < 0)
            return -EFAULT;
        if (nfds % 64)
            set_of(s, i)[s->nr_words - 1] &= (1UL << (nfds % 64)) - 1;
    }
    return 0;
}

static long sets_write(const struct sets *s)
{
    for (unsigned i = 0; i < 3; i++)
        if (!uptr_is_null(s->user[i]) && user_write(s->user[i], set_of(s, i), s->user_bytes) < 0)
            return -EFAULT;
    return 0;
}

static void sets_end(struct sets *s)
{
    if (s->word != s->fast)
        heap_free(s->word);
}

static unsigned sets_count(const struct sets *s)
{
    unsigned nr = 0;
    for (unsigned w = 0; w < s->nr_words; w++)
        nr += (int)bits_count(set_of(s, 0)[w] | set_of(s, 1)[w] | set_of(s, 2)[w]);
    return nr;
}

/* A slot for each descriptor in any set. */
static long sets_to_slots(const struct sets *sets, struct slots *s)
{
    struct poll_slot *slot = s->slot;
    s->nr = 0;
    for (unsigned w = 0; w < sets->nr_words; w++) {
        uint64_t any = set_of(sets, 0)[w] | set_of(sets, 1)[w] | set_of(sets, 2)[w];
        for (; any; any &= any - 1, slot++) {
            unsigned bit = __builtin_ctzl(any);
            slot->fd = w * 64 + bit;
            slot->events = slot->revents = 0;
            slot->file = file_of_fd(slot->fd);
            if (!slot->file)
                return -EBADF;
            s->nr++;
            for (unsigned i = 0; i < 3; i++)
                if (set_of(sets, i)[w] >> bit & 1)
                    slot->events |= set_events[i];
        }
    }
    return 0;
}

/* The sets become what is ready: how many bits are set in all. */
static long slots_to_sets(const struct slots *s, struct sets *sets)
{
    long nr_bits = 0;
    for (unsigned n = 0; n < s->nr; n++) {
        const struct poll_slot *slot = &s->slot[n];
        for (unsigned i = 0; i < 3; i++) {
            uint64_t *word = &set_of(sets, i)[slot->fd / 64], bit = 1UL << (slot->fd % 64);
            if (!(*word & bit))
                continue;
            if (slot->revents & set_events[i])
                nr_bits++;
            else
                *word &= ~bit;
        }
    }
    return nr_bits;
}

static long select_sets(struct sets *sets, struct poll_timeout *timeout)
{
    struct slots s;
    long ret = slots_init(&s, sets_count(sets));
    if (ret < 0)
        return ret;
    ret = sets_to_slots(sets, &s);
    if (ret == 0)
        ret = poll_files(s.slot, s.nr, timeout);
    if (ret >= 0)
        ret = slots_to_sets(&s, sets);
    slots_end(&s);
    return ret == -EINTR ? -ERESTARTNOHAND : ret;
}

static long select(int nfds, const struct uptr user[3], struct poll_timeout *timeout)
{
    struct sets sets;
    if (nfds < 0)
        return -EINVAL;
    nfds = MIN((unsigned)nfds, fdtable_size(current_files()));
    long ret = sets_read(&sets, nfds, user);
    if (ret == 0)
        ret = select_sets(&sets, timeout);
    if (ret >= 0 && sets_write(&sets) < 0)
        ret = -EFAULT;
    sets_end(&sets);
    return ret;
}

long sys_select(int nfds, struct uptr readfds, struct uptr writefds, struct uptr exceptfds,
                struct uptr timeout)
{
    struct poll_timeout t = {.ns = -1};
    long ret = uptr_is_null(timeout) ? 0 : user_get_timeval_ns(timeout, &t.ns);
    if (ret < 0)
        return ret;
    ret = select(nfds, (const struct uptr[3]){readfds, writefds, exceptfds}, &t);
    return end_timed(ret, timeout, &t, true);
}

long sys_pselect6(int nfds, struct uptr readfds, struct uptr writefds, struct uptr exceptfds,
                  struct uptr timeout, struct uptr sigmask)
{
    struct poll_timeout t = {.ns = -1};
    struct uptr mask = sigmask;
    size_t size = 0;
    bool has_mask;
    long ret = uptr_is_null(sigmask) ? 0 : user_get_sigset_arg(sigmask, &mask, &size);
    if (ret == 0 && !uptr_is_null(timeout))
        ret = user_get_timespec_ns(timeout, &t.ns);
    if (ret == 0)
        ret = begin_mask(mask, size, &has_mask);
    if (ret)
        return ret;
    ret = select(nfds, (const struct uptr[3]){readfds, writefds, exceptfds}, &t);
    end_mask(has_mask, ret);
    return end_timed(ret, timeout, &t, false);
}
