/* ioctl(2): what works on every file, then the file's own operation. */
#include <abi.h>
#include <asm/ioctls.h>
#include <base/errno.h>
#include <files.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <net/ifinfo.h>
#include <net/socket.h>
#include <syscalls/bodies.h>

#define BLOCK_SIZE_BYTES 4096
#define IFREQ_BYTES      40
#define I386_IFREQ_BYTES 32

static long set_flag(struct file *f, int flag, struct uptr arg)
{
    int on;
    if (user_get(arg, &on) < 0)
        return -EFAULT;
    /* No signals are sent on readiness, so asking for them is refused as for files that never do.
     */
    if (flag == FASYNC && on)
        return -ENOTTY;
    return file_set_flags(f, flag, on ? flag : 0);
}

static bool is_regular(const struct file *f)
{
    return (f->inode->mode & S_IFMT) == S_IFREG;
}

static long put_readable(struct file *f, struct uptr arg)
{
    int n = (int)(atomic_load(&f->inode->size) - file_get_pos(f));
    return user_put(arg, &n);
}

static long put_size(struct file *f, struct uptr arg)
{
    unsigned type = f->inode->mode & S_IFMT;
    if (type != S_IFREG && type != S_IFDIR && type != S_IFLNK)
        return -ENOTTY;
    int64_t size = atomic_load(&f->inode->size);
    return user_put(arg, &size);
}

static long put_block_size(struct uptr arg)
{
    int size = BLOCK_SIZE_BYTES;
    return user_put(arg, &size);
}

/* struct ifconf: the bytes of an array, and where it is. */
static long list_interfaces(struct uptr arg)
{
    int room;
    uint64_t to;
    struct uptr pointer = uptr_add(arg, caller_word());
    if (user_get(arg, &room) < 0 || user_get_word(pointer, &to) < 0)
        return -EFAULT;
    long n = ifinfo_list(uptr_of_word(to), (size_t)MAX(room, 0),
                         caller_is_i386() ? I386_IFREQ_BYTES : IFREQ_BYTES);
    room = (int)n;
    return n < 0 ? n : user_put(arg, &room);
}

static long own_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

/* SIOCGIFMAP: all 0, and its struct of x86-64 is the longer one. */
static long get_map(struct file *f, struct uptr arg)
{
    long ret = own_ioctl(f, SIOCGIFMAP, arg);
    return ret < 0 || caller_is_i386() ? ret : user_zero(uptr_add(arg, I386_IFREQ_BYTES), 5);
}

/* FIOSETOWN and its like, which only sockets have. */
static long owner_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    int who;
    if (!socket_of_file(f))
        return own_ioctl(f, cmd, arg);
    if (cmd == FIOSETOWN || cmd == SIOCSPGRP)
        return user_get(arg, &who) < 0 ? -EFAULT : files_set_owner(f, who);
    who = files_get_owner(f);
    return user_put(arg, &who);
}

static long ioctl(struct file *f, int fd, unsigned cmd, struct uptr arg)
{
    switch (cmd) {
    case FIOCLEX:
        return fd_set_flags(current_files(), fd, FD_CLOEXEC);
    case FIONCLEX:
        return fd_set_flags(current_files(), fd, 0);
    case FIONBIO:
        return set_flag(f, O_NONBLOCK, arg);
    case FIOASYNC:
        return set_flag(f, FASYNC, arg);
    case FIOQSIZE:
        return put_size(f, arg);
    case FIGETBSZ:
        return put_block_size(arg);
    case FIOSETOWN:
    case SIOCSPGRP:
    case FIOGETOWN:
    case SIOCGPGRP:
        return owner_ioctl(f, cmd, arg);
    case SIOCGIFCONF:
        return socket_of_file(f) ? list_interfaces(arg) : own_ioctl(f, cmd, arg);
    case SIOCGIFMAP:
        return get_map(f, arg);
    case FIONREAD:
        return is_regular(f) ? put_readable(f, arg) : own_ioctl(f, cmd, arg);
    default:
        return own_ioctl(f, cmd, arg);
    }
}

/* Requests whose number has the size of a long in it, as x86-64 numbers them. */
static unsigned native_request(unsigned request)
{
    switch ((int)request) {
    case I386_FS_IOC_GETFLAGS:
        return FS_IOC_GETFLAGS;
    case I386_FS_IOC_SETFLAGS:
        return FS_IOC_SETFLAGS;
    case I386_FS_IOC_GETVERSION:
        return FS_IOC_GETVERSION;
    case I386_FS_IOC_SETVERSION:
        return FS_IOC_SETVERSION;
    default:
        return request;
    }
}

long sys_ioctl(int fd, unsigned request, unsigned long argp)
{
    if (caller_is_i386())
        request = native_request(request);
    struct file *f = file_of_fd(fd);
    if (!f)
        return -EBADF;
    long ret = ioctl(f, fd, request, uptr_of_word(argp));
    file_put(f);
    return ret;
}
