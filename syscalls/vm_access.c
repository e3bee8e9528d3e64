/* process_vm_readv(2) and process_vm_writev(2): from one part of a program's memory to another.
 *
 * They are meant for other processes; of one's own memory they are memmove with a check, which is what programs use them
 * for that want to know whether an address is good. */
#include <base/errno.h>
#include <core/page.h>
#include <core/sched.h>
#include <core/usercopy.h>
#include <files.h>
#include <syscalls/bodies.h>

/* Where a vector is being moved through. */
struct cursor {
    const struct iobuf_seg *seg;
    size_t nr, offset;
};

/* The rest of the current element; 0 at the end. */
static size_t rest(struct cursor *c)
{
    while (c->nr > 0 && c->offset == c->seg->len) {
        c->seg++;
        c->nr--;
        c->offset = 0;
    }
    return c->nr > 0 ? c->seg->len - c->offset : 0;
}

static struct uptr place(const struct cursor *c)
{
    return uptr_of_word(c->seg->base + c->offset);
}

/* Bytes moved, or -EFAULT when the first could not be. */
static ssize_t move_all(struct cursor *from, struct cursor *to, char *buf)
{
    size_t done = 0, n;
    while ((n = MIN(MIN(rest(from), rest(to)), PAGE_SIZE)) > 0) {
        size_t got = user_read_some(buf, place(from), n);
        size_t put = got ? user_write_some(place(to), buf, got) : 0;
        done += put;
        from->offset += put;
        to->offset += put;
        if (put < n)
            return done > 0 ? (ssize_t)done : -EFAULT;
        if (sched_checkpoint())
            break;
    }
    return (ssize_t)done;
}

static long move_vectors(const struct user_iov *local, size_t nr_local,
                         const struct user_iov *remote, size_t nr_remote, bool writes)
{
    struct page *page = page_alloc(0, PG_MAY_FAIL);
    if (!page)
        return -ENOMEM;
    struct cursor l = {.seg = local->seg, .nr = nr_local},
                  r = {.seg = remote->seg, .nr = nr_remote};
    long ret = writes ? move_all(&l, &r, page_ptr(page)) : move_all(&r, &l, page_ptr(page));
    page_put(page);
    return ret;
}

/* 0, or why the process's memory is out of reach. */
static int check_target(int pid)
{
    struct task *t = task_find(pid);
    if (!t)
        return -ESRCH;
    int ret = t->process == current_process() ? 0 : -EPERM;
    task_put(t);
    return ret;
}

static long process_vm(int pid, struct uptr local_iov, size_t nr_local, struct uptr remote_iov,
                       size_t nr_remote, unsigned long flags, bool writes)
{
    struct user_iov local, remote;
    if (flags)
        return -EINVAL;
    long ret = user_iov_read(&local, local_iov, nr_local);
    if (ret < 0)
        return ret;
    if (local.total == 0) {
        user_iov_end(&local);
        return 0;
    }
    ret = user_iov_read(&remote, remote_iov, nr_remote);
    if (ret == 0) {
        ret = remote.total == 0 ? 0 : check_target(pid);
        if (ret == 0 && remote.total > 0)
            ret = move_vectors(&local, nr_local, &remote, nr_remote, writes);
        user_iov_end(&remote);
    }
    user_iov_end(&local);
    return ret;
}

long sys_process_vm_readv(int pid, struct uptr local_iov, size_t liovcnt, struct uptr remote_iov,
                          size_t riovcnt, unsigned long flags)
{
    return process_vm(pid, local_iov, liovcnt, remote_iov, riovcnt, flags, false);
}

long sys_process_vm_writev(int pid, struct uptr local_iov, size_t liovcnt, struct uptr remote_iov,
                           size_t riovcnt, unsigned long flags)
{
    return process_vm(pid, local_iov, liovcnt, remote_iov, riovcnt, flags, true);
}
