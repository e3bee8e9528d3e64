/* Terminals: settings, window size, sessions and job control; ioctl_tty(2).
 *
 * A terminal belongs to at most one session.  A session's terminal is found by looking which one
 * carries its number, so processes remember nothing. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <base/errno.h>
#include <base/string.h>
#include <tty_private.h>

static const struct tty_jobs *jobs; /* set once at boot */

void tty_set_jobs(const struct tty_jobs *j)
{
    atomic_store(&jobs, j);
}

/* --- sessions and groups ---------------------------------------------------------------------- */

/* Both at one moment. */
static int get_session(struct tty *t, int *group)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    int session = t->session;
    *group = t->group;
    spin_unlock_irq(&t->channel.lock, irqs);
    return session;
}

static void set_session(struct tty *t, int session, int group)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    t->session = session;
    t->group = group;
    spin_unlock_irq(&t->channel.lock, irqs);
}

void tty_adopt(struct tty *t, int session, int group)
{
    set_session(t, session, group);
}

void tty_signal(struct tty *t, int sig)
{
    int group;
    get_session(t, &group);
    if (jobs && group > 0)
        jobs->signal_group(group, sig);
}

static struct tty *find_by_session(int session)
{
    int group;
    for (struct tty *t = tty_first(); t && session > 0; t = t->next)
        if (get_session(t, &group) == session)
            return t;
    return NULL;
}

struct tty *tty_current(void)
{
    int group, session;
    bool is_leader;
    if (!jobs)
        return NULL;
    jobs->current(&group, &session, &is_leader);
    return find_by_session(session);
}

void tty_of_session(int session, unsigned *rdev, int *foreground)
{
    struct tty *t = find_by_session(session);
    *rdev = t ? t->channel.driver->major << 8 | t->channel.driver->minor : 0;
    *foreground = -1;
    if (t)
        get_session(t, foreground);
}

/* The session gives its terminal up, and those in the foreground learn of it. */
static void leave_session(struct tty *t)
{
    tty_signal(t, SIGHUP);
    tty_signal(t, SIGCONT);
    set_session(t, 0, 0);
}

void tty_end_session(int session)
{
    struct tty *t = find_by_session(session);
    if (t)
        leave_session(t);
}

void tty_acquire(struct tty *t)
{
    int group, session, ignored;
    bool is_leader;
    if (!jobs)
        return;
    jobs->current(&group, &session, &is_leader);
    if (is_leader && !find_by_session(session) && get_session(t, &ignored) == 0)
        set_session(t, session, group);
}

int tty_check_job(struct tty *t, int sig)
{
    int group, session, foreground;
    bool is_leader;
    if (!jobs)
        return 0;
    jobs->current(&group, &session, &is_leader);
    if (get_session(t, &foreground) != session || foreground == 0 || foreground == group)
        return 0;
    if (jobs->current_ignores(sig))
        return sig == SIGTTIN ? -EIO : 0;
    if (jobs->is_orphaned(group))
        return -EIO;
    jobs->signal_group(group, sig);
    return -ERESTARTSYS;
}

static long set_controlling(struct tty *t, bool steals)
{
    int group, session, foreground;
    bool is_leader;
    if (!jobs)
        return -EPERM;
    jobs->current(&group, &session, &is_leader);
    int owner = get_session(t, &foreground);
    if (is_leader && owner == session)
        return 0;
    if (!is_leader || find_by_session(session))
        return -EPERM;
    if (owner != 0 && !steals)
        return -EPERM;
    set_session(t, session, group);
    return 0;
}

/* TIOCNOTTY.  Only a leader can: a member of the session cannot be without its terminal here. */
static long give_up_controlling(struct tty *t)
{
    int group, session;
    bool is_leader;
    if (tty_current() != t)
        return -ENOTTY;
    jobs->current(&group, &session, &is_leader);
    if (!is_leader)
        return -EPERM;
    leave_session(t);
    return 0;
}

static long get_group(struct tty *t, struct uptr arg)
{
    int group;
    if (tty_current() != t)
        return -ENOTTY;
    get_session(t, &group);
    return user_put(arg, &group);
}

static long set_group(struct tty *t, struct uptr arg)
{
    int group, old, ret = tty_check_job(t, SIGTTOU);
    if (ret < 0)
        return ret == -EIO ? -ENOTTY : ret;
    if (tty_current() != t)
        return -ENOTTY;
    if (user_get(arg, &group) < 0)
        return -EFAULT;
    if (group < 0)
        return -EINVAL;
    int session = get_session(t, &old);
    if (!jobs->has_group(session, group))
        return jobs->has_group(0, group) ? -EPERM : -ESRCH;
    set_session(t, session, group);
    return 0;
}

static long get_sid(struct tty *t, struct uptr arg)
{
    int group;
    if (tty_current() != t)
        return -ENOTTY;
    int session = get_session(t, &group);
    return user_put(arg, &session);
}

/* --- settings --------------------------------------------------------------------------------- */

static void flush_input(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    ldisc_flush(&t->ldisc);
    spin_unlock_irq(&t->channel.lock, irqs);
    channel_resume_input(&t->channel);
}

static void flush_output(struct tty *t)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    channel_drop_output_locked(&t->channel);
    spin_unlock_irq(&t->channel.lock, irqs);
    waitq_wake(&t->channel.write_wait, 0, POLLOUT | POLLWRNORM);
}

/* struct termios is the front of struct termios2, which adds the speeds. */
_Static_assert(offsetof(struct termios2, c_ispeed) >= offsetof(struct termios, c_cc) + NCCS,
               "termios2 extends termios");

static long get_settings(struct tty *t, struct uptr arg, size_t size)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    struct termios2 settings = t->ldisc.settings;
    spin_unlock_irq(&t->channel.lock, irqs);
    return user_write(arg, &settings, size);
}

/* `how`: TCSETS at once, TCSETSW after the output has gone, TCSETSF and without the unread input.
 */
static long set_settings(struct tty *t, struct uptr arg, size_t size, unsigned how)
{
    int ret = tty_check_job(t, SIGTTOU);
    if (ret < 0)
        return ret;
    bool irqs = spin_lock_irq(&t->channel.lock);
    struct termios2 settings = t->ldisc.settings;
    spin_unlock_irq(&t->channel.lock, irqs);
    if (user_read(&settings, arg, size) < 0)
        return -EFAULT;
    if (how != TCSETS) {
        ret = tty_wait_drained(t);
        if (ret < 0)
            return ret;
    }
    if (how == TCSETSF)
        flush_input(t);
    irqs = spin_lock_irq(&t->channel.lock);
    ldisc_set(&t->ldisc, &settings);
    channel_pump_locked(&t->channel);
    bool is_readable = ldisc_is_readable(&t->ldisc, false);
    spin_unlock_irq(&t->channel.lock, irqs);
    if (is_readable) /* what was half a line may be input now */
        waitq_wake(&t->channel.read_wait, 0, POLLIN | POLLRDNORM);
    return 0;
}

static long get_winsize(struct tty *t, struct uptr arg)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    struct winsize size = t->winsize;
    spin_unlock_irq(&t->channel.lock, irqs);
    return user_put(arg, &size);
}

static long set_winsize(struct tty *t, struct uptr arg)
{
    struct winsize size;
    if (user_get(arg, &size) < 0)
        return -EFAULT;
    bool irqs = spin_lock_irq(&t->channel.lock);
    bool is_new = memcmp(&size, &t->winsize, sizeof(size)) != 0;
    t->winsize = size;
    spin_unlock_irq(&t->channel.lock, irqs);
    if (is_new)
        tty_signal(t, SIGWINCH);
    return 0;
}

static long flush(struct tty *t, unsigned long queue)
{
    int ret = tty_check_job(t, SIGTTOU);
    if (ret < 0)
        return ret;
    if (queue != TCIFLUSH && queue != TCOFLUSH && queue != TCIOFLUSH)
        return -EINVAL;
    if (queue != TCOFLUSH)
        flush_input(t);
    if (queue != TCIFLUSH)
        flush_output(t);
    return 0;
}

/* TCXONC: stop and go, or send the characters that make the other side do so. */
static long flow(struct tty *t, unsigned long action)
{
    int ret = tty_check_job(t, SIGTTOU);
    if (ret < 0)
        return ret;
    if (action > TCION)
        return -EINVAL;
    bool irqs = spin_lock_irq(&t->channel.lock);
    if (action == TCOOFF || action == TCOON) {
        t->ldisc.is_stopped = action == TCOOFF;
    } else {
        uint8_t c = t->ldisc.settings.c_cc[action == TCIOFF ? VSTOP : VSTART];
        (void)ring_put(&t->channel.out, &c, 1);
    }
    channel_pump_locked(&t->channel);
    spin_unlock_irq(&t->channel.lock, irqs);
    return 0;
}

static long put_count(struct tty *t, struct uptr arg, bool is_output)
{
    bool irqs = spin_lock_irq(&t->channel.lock);
    int n = is_output ? ring_used(&t->channel.out) : ldisc_count(&t->ldisc);
    spin_unlock_irq(&t->channel.lock, irqs);
    return user_put(arg, &n);
}

/* tcdrain, tcsendbreak: there is no line to break, but the output goes first all the same. */
static long drain(struct tty *t)
{
    int ret = tty_check_job(t, SIGTTOU);
    return ret < 0 ? ret : tty_wait_drained(t);
}

static long put_int(struct uptr arg, int value)
{
    return user_put(arg, &value);
}

long tty_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    struct tty *t = f->data;
    if (t->channel.is_gone)
        return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
    switch (cmd) {
    case TCGETS:
        return get_settings(t, arg, sizeof(struct termios));
    case TCGETS2:
        return get_settings(t, arg, sizeof(struct termios2));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_settings(t, arg, sizeof(struct termios), cmd);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return set_settings(t, arg, sizeof(struct termios2), cmd - TCSETS2 + TCSETS);
    case TIOCGWINSZ:
        return get_winsize(t, arg);
    case TIOCSWINSZ:
        return set_winsize(t, arg);
    case TIOCGPGRP:
        return get_group(t, arg);
    case TIOCSPGRP:
        return set_group(t, arg);
    case TIOCGSID:
        return get_sid(t, arg);
    case TIOCSCTTY:
        return set_controlling(t, uptr_word(arg) == 1);
    case TIOCNOTTY:
        return give_up_controlling(t);
    case FIONREAD:
        return put_count(t, arg, false);
    case TIOCOUTQ:
        return put_count(t, arg, true);
    case TCFLSH:
        return flush(t, uptr_word(arg));
    case TCXONC:
        return flow(t, uptr_word(arg));
    case TCSBRK:
    case TCSBRKP:
        return drain(t);
    case TIOCGETD:
        return put_int(arg, 0); /* N_TTY */
    case TIOCEXCL:
    case TIOCNXCL:
        atomic_store(&t->is_exclusive, cmd == TIOCEXCL);
        return 0;
    case TIOCGEXCL:
        return put_int(arg, t->is_exclusive);
    default:
        return -ENOTTY;
    }
}
