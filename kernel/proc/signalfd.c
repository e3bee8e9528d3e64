/* signalfd(2): a file that delivers the pending signals of whoever reads it.
 *
 * Reading and polling look at the current task's signals, as on Linux.  The queue that pollers wait
 * on belongs to the process that made the file, which is kept for that reason. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <proc/process.h>
#include <proc/signalfd.h>

struct signalfd {
    struct process *process; /* referenced; immutable */
    uint64_t mask;           /* atomic */
};

static const struct file_ops signalfd_ops;

/* Which of siginfo's unions is filled: Linux decides by code first, then by signal. */
static void copy_details(struct signalfd_siginfo *out, const siginfo_t *info)
{
    bool is_hardware = info->si_code > SI_USER && info->si_code < SI_KERNEL;
    if (is_hardware &&
        (info->si_signo == SIGILL || info->si_signo == SIGFPE || info->si_signo == SIGSEGV ||
         info->si_signo == SIGBUS || info->si_signo == SIGTRAP)) {
        out->ssi_addr = (uintptr_t)info->si_addr;
    } else if (is_hardware && info->si_signo == SIGCHLD) {
        out->ssi_pid = info->si_pid;
        out->ssi_uid = info->si_uid;
        out->ssi_status = info->si_status;
        out->ssi_utime = info->si_utime;
        out->ssi_stime = info->si_stime;
    } else if (info->si_code == SI_SIGIO || (is_hardware && info->si_signo == SIGPOLL)) {
        out->ssi_band = info->si_band;
        out->ssi_fd = info->si_fd;
    } else if (info->si_code == SI_TIMER) {
        out->ssi_tid = info->si_tid;
        out->ssi_overrun = info->si_overrun;
        out->ssi_ptr = (uintptr_t)info->si_ptr;
        out->ssi_int = info->si_int;
    } else {
        out->ssi_pid = info->si_pid;
        out->ssi_uid = info->si_uid;
        if (info->si_code < 0) {
            out->ssi_ptr = (uintptr_t)info->si_ptr;
            out->ssi_int = info->si_int;
        }
    }
}

static ssize_t put_info(struct iobuf *to, const siginfo_t *info)
{
    struct signalfd_siginfo out;
    memset(&out, 0, sizeof(out));
    out.ssi_signo = info->si_signo;
    out.ssi_errno = info->si_errno;
    out.ssi_code = info->si_code;
    copy_details(&out, info);
    return iobuf_put(to, &out, sizeof(out)) == sizeof(out) ? (ssize_t)sizeof(out) : -EFAULT;
}

static ssize_t signalfd_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct signalfd *s = f->data;
    struct waitq *q = &current_process()->sighand->signalfds;
    siginfo_t info;
    if (to->left < sizeof(struct signalfd_siginfo))
        return -EINVAL;
    uint64_t mask = atomic_load(&s->mask);
    int sig = signal_take(mask, &info);
    if (!sig && (f->flags & O_NONBLOCK))
        return -EAGAIN;
    if (!sig &&
        WAIT_EVENT(q, (sig = signal_take(mask, &info)) != 0, WAIT_INTERRUPTIBLE, TIME_NEVER) < 0)
        return -ERESTARTSYS;
    ssize_t done = 0;
    while (sig) {
        ssize_t ret = put_info(to, &info);
        if (ret < 0)
            return done > 0 ? done : ret;
        done += ret;
        sig = to->left < sizeof(struct signalfd_siginfo) ? 0 : signal_take(mask, &info);
    }
    return done;
}

static uint32_t signalfd_poll(struct file *f, struct poll_table *t)
{
    struct signalfd *s = f->data;
    poll_on(t, f, &s->process->sighand->signalfds);
    return signal_pending_set() & atomic_load(&s->mask) ? POLLIN : 0;
}

static int signalfd_show_fdinfo(struct file *f, char *buf, size_t size)
{
    struct signalfd *s = f->data;
    return snprintf(buf, size, "sigmask:\t%016lx\n", atomic_load(&s->mask));
}

static void signalfd_release(struct file *f)
{
    struct signalfd *s = f->data;
    process_put(s->process);
    heap_free(s);
}

static const struct file_ops signalfd_ops = {
    .read = signalfd_read,
    .seek = file_seek_nowhere,
    .poll = signalfd_poll,
    .show_fdinfo = signalfd_show_fdinfo,
    .release = signalfd_release,
};

static uint64_t without_unblockable(uint64_t mask)
{
    return mask & ~(SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP));
}

struct file *signalfd_new(uint64_t mask, int flags)
{
    struct signalfd *s = heap_zalloc(sizeof(*s));
    if (!s)
        return NULL;
    s->mask = without_unblockable(mask);
    s->process = current_process();
    process_get(s->process);
    struct file *f = file_new_anon(&signalfd_ops, s, O_RDWR | (flags & O_NONBLOCK), 0600,
                                   "anon_inode:[signalfd]");
    if (!f) {
        process_put(s->process);
        heap_free(s);
    }
    return f;
}

int signalfd_set_mask(struct file *f, uint64_t mask)
{
    if (f->ops != &signalfd_ops)
        return -EINVAL;
    struct signalfd *s = f->data;
    atomic_store(&s->mask, without_unblockable(mask));
    /* What is pending already may be wanted now. */
    waitq_wake_all(&s->process->sighand->signalfds);
    return 0;
}
