/* Published ports that many clients use at once.
 *
 * QEMU's user network listens with a backlog of one, so that of a dozen clients that come together some are reset by
 * this machine before QEMU has seen them.  A listening socket's backlog can be set anew by whoever has the socket, and
 * a parent may borrow its child's descriptors (pidfd_getfd(2), Linux 5.6). */
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run.h"

#define BACKLOG 4096

static bool is_listener(int fd)
{
    int listens = 0, family = 0;
    socklen_t len = sizeof listens;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len))
        return false;
    len = sizeof family;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len))
        return false;
    return listens && (family == AF_INET || family == AF_INET6);
}

void forward_raise_backlogs(pid_t qemu)
{
    char *path = xasprintf("/proc/%d/fd", (int)qemu);
    DIR *directory = opendir(path);
    int pidfd = (int)syscall(SYS_pidfd_open, qemu, 0);
    struct dirent *entry;

    while (directory && pidfd >= 0 && (entry = readdir(directory))) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        int fd = *end ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, (int)number, 0);
        if (fd < 0)
            continue;
        if (is_listener(fd))
            listen(fd, BACKLOG);
        close(fd);
    }
    if (pidfd >= 0)
        close(pidfd);
    if (directory)
        closedir(directory);
    free(path);
}
