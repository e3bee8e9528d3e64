/* eventfd(2). */
#include <base/errno.h>
#include <files.h>
#include <linux/fcntl.h>
#include <syscalls/bodies.h>
#include <vfs/eventfd.h>

#define EFD_SEMAPHORE 1 /* no exported header of Linux has it */

static long create_eventfd(unsigned initval, int flags)
{
    if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    return install_file(eventfd_new(initval, flags), flags);
}

long sys_eventfd2(unsigned initval, int flags)
{
    return create_eventfd(initval, flags);
}

long sys_eventfd(unsigned initval)
{
    return create_eventfd(initval, 0);
}
