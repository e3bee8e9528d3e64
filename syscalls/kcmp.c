/* kcmp(2): do two tasks share something?  0: yes; 1 and 2 order what is different. */
#include <base/errno.h>
#include <files.h>
#include <linux/kcmp.h>
#include <syscalls/bodies.h>

static long compare(const void *a, const void *b)
{
    return a == b ? 0 : a < b ? 1 : 2;
}

/* Whether they are open, and are the same; the references may go before the comparison, which only looks at
 * addresses. */
static long compare_files(struct task *a, unsigned long fd1, struct task *b, unsigned long fd2)
{
    struct file *f1 = fd_get(a->process->files, (int)fd1),
                *f2 = fd_get(b->process->files, (int)fd2);
    long ret = f1 && f2 ? compare(f1, f2) : -EBADF;
    if (f1)
        file_put(f1);
    if (f2)
        file_put(f2);
    return ret;
}

static long compare_tasks(struct task *a, struct task *b, int type, unsigned long idx1,
                          unsigned long idx2)
{
    struct process *p = a->process, *q = b->process;
    if (p != current_process() || q != current_process())
        return -EPERM; /* Linux: who may trace them */
    switch (type) {
    case KCMP_FILE:
        return compare_files(a, idx1, b, idx2);
    case KCMP_VM:
        return compare(p->vm, q->vm);
    case KCMP_FILES:
        return compare(p->files, q->files);
    case KCMP_FS:
        return compare(p->fs, q->fs);
    case KCMP_SIGHAND:
        return compare(p->sighand, q->sighand);
    case KCMP_IO: /* nobody has a context for I/O, or a list of System V undos, that is its own */
    case KCMP_SYSVSEM:
        return 0;
    default:
        return type == KCMP_EPOLL_TFD ? -EOPNOTSUPP : -EINVAL;
    }
}

long sys_kcmp(int pid1, int pid2, int type, unsigned long idx1, unsigned long idx2)
{
    struct task *a = task_find(pid1), *b = task_find(pid2);
    long ret = a && b ? compare_tasks(a, b, type, idx1, idx2) : -ESRCH;
    if (a)
        task_put(a);
    if (b)
        task_put(b);
    return ret;
}
