/* flock(2).  Record locks are commands of fcntl(2). */
#include <asm/fcntl.h>
#include <base/errno.h>
#include <syscalls/bodies.h>
#include <vfs/file_locks.h>

#include "names.h"

long sys_flock(int fd, int operation)
{
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    bool may = f->can_read || f->can_write || (operation & ~LOCK_NB) == LOCK_UN;
    long ret = may ? locks_flock(f, operation) : -EBADF;
    file_put(f);
    return ret;
}
