/* Descriptors themselves: close(2), dup(2), fcntl(2), memfd_create(2). */
#include <abi.h>
#include <abi_io.h>
#include <base/errno.h>
#include <base/string.h>
#include <files.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/stat.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>
#include <vfs/file_locks.h>
#include <vfs/pipe.h>
#include <vfs/tmpfs.h>

/* Newer than the oldest <linux/fcntl.h> that we build with. */
#define F_DUPFD_QUERY_   (F_LINUX_SPECIFIC_BASE + 3)
#define F_CREATED_QUERY_ (F_LINUX_SPECIFIC_BASE + 4)
#define MFD_NOEXEC_SEAL_ 0x8u
#define MFD_EXEC_        0x10u

/* i386's own. */
#define F_GETLK64_  12u
#define F_SETLK64_  13u
#define F_SETLKW64_ 14u

#define ALL_SEALS \
    (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC_)
#define SETTABLE (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC)

static uint64_t fd_limit(void)
{
    return process_rlimit(current_process(), RLIMIT_NOFILE);
}

long install_file(struct file *f, int flags)
{
    if (!f)
        return -ENOMEM;
    int fd = fd_install(current_files(), f, 0, fd_limit(), flags);
    if (fd < 0)
        file_put(f);
    return fd;
}

/* --- close and dup ---------------------------------------------------------------------------- */

long sys_close(int fd)
{
    long ret = fd_close(current_files(), fd);
    /* The descriptor is gone whatever happened: there is nothing to restart. */
    return ret <= -ERESTARTSYS ? -EINTR : ret;
}

long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    struct process *p = current_process();
    if (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
        return -EINVAL;
    /* Threads of one process cannot have tables of their own here. */
    if ((flags & CLOSE_RANGE_UNSHARE) && (p->nr_tasks > 1 || fdtable_is_shared(p->files))) {
        log_warn("close_range: CLOSE_RANGE_UNSHARE with a shared table");
        return -EINVAL;
    }
    return fd_close_range(p->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
}

/* A second descriptor >= min. */
static long dup_from(int oldfd, int min, int flags)
{
    struct file *f = fd_get(current_files(), oldfd);
    if (!f)
        return -EBADF;
    int fd = fd_install(current_files(), f, min, fd_limit(), flags);
    if (fd < 0)
        file_put(f);
    return fd;
}

static long dup_to(int oldfd, int newfd, int flags)
{
    struct file *f = fd_get(current_files(), oldfd);
    if (!f)
        return -EBADF;
    int fd = fd_install_at(current_files(), f, newfd, fd_limit(), flags);
    if (fd < 0)
        file_put(f);
    return fd;
}

long sys_dup(int oldfd)
{
    return dup_from(oldfd, 0, 0);
}

long sys_dup2(int oldfd, int newfd)
{
    if (oldfd != newfd)
        return dup_to(oldfd, newfd, 0);
    int ret = fd_get_flags(current_files(), oldfd);
    return ret < 0 ? ret : newfd;
}

long sys_dup3(int oldfd, int newfd, int flags)
{
    if ((flags & ~O_CLOEXEC) || oldfd == newfd)
        return -EINVAL;
    return dup_to(oldfd, newfd, flags);
}

/* --- fcntl: flags ----------------------------------------------------------------------------- */

static long dup_min(int fd, unsigned long min, int flags)
{
    return min >= fd_limit() ? -EINVAL : dup_from(fd, min, flags);
}

/* What can be sealed, and read and written with O_DIRECT. */
static bool is_tmpfs_file(const struct file *f)
{
    return S_ISREG(f->inode->mode) && f->inode->sb->magic == TMPFS_MAGIC;
}

static long set_status(struct file *f, int flags)
{
    if (flags & O_DIRECT && !S_ISFIFO(f->inode->mode) && !is_tmpfs_file(f))
        return -EINVAL;
    return file_set_flags(f, SETTABLE, flags);
}

static bool is_same_file(struct file *f, int fd)
{
    struct file *other = fd_get(current_files(), fd);
    if (other)
        file_put(other);
    return other == f;
}

/* --- fcntl: locks ----------------------------------------------------------------------------- */

static bool is_ofd(unsigned cmd)
{
    return cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

/* i386's F_GETLK64 and its like take the larger struct flock, and so do those of open file descriptions.  Other
 * programs have only one. */
static bool has_large_flock(unsigned cmd)
{
    return is_ofd(cmd) || (cmd >= F_GETLK64_ && cmd <= F_SETLKW64_);
}

static void *lock_owner(struct file *f, unsigned cmd)
{
    return is_ofd(cmd) ? (void *)f : (void *)current_files();
}

static long get_range(struct file *f, unsigned cmd, struct uptr arg, struct flock_k *lock,
                      struct lock_range *r)
{
    if (user_get_flock(arg, has_large_flock(cmd), lock) < 0)
        return -EFAULT;
    if (is_ofd(cmd) && lock->pid != 0)
        return -EINVAL;
    int ret = locks_make_range(f, lock->whence, lock->start, lock->len, r);
    if (ret < 0)
        return ret;
    r->type = lock->type;
    r->pid = is_ofd(cmd) ? -1 : current_process()->pid;
    return 0;
}

static long test_lock(struct file *f, unsigned cmd, struct uptr arg)
{
    struct flock_k lock;
    struct lock_range r;
    long ret = get_range(f, cmd, arg, &lock, &r);
    if (ret < 0)
        return ret;
    /* F_UNLCK asks for the caller's own lock, of an open file description only. */
    if (lock.type != F_RDLCK && lock.type != F_WRLCK && (lock.type != F_UNLCK || !is_ofd(cmd)))
        return -EINVAL;
    locks_test(f, lock_owner(f, cmd), &r);
    lock.type = r.type;
    if (r.type != F_UNLCK) {
        lock.whence = 0;
        lock.pid = r.pid;
        lock.start = r.start;
        lock.len = r.end == INT64_MAX ? 0 : r.end - r.start + 1;
    }
    return user_put_flock(arg, has_large_flock(cmd), &lock);
}

static long set_lock(struct file *f, unsigned cmd, struct uptr arg)
{
    struct flock_k lock;
    struct lock_range r;
    long ret = get_range(f, cmd, arg, &lock, &r);
    if (ret < 0)
        return ret;
    if (lock.type != F_RDLCK && lock.type != F_WRLCK && lock.type != F_UNLCK)
        return -EINVAL;
    return locks_set(f, lock_owner(f, cmd), &r,
                     cmd == F_SETLKW || cmd == F_SETLKW64_ || cmd == F_OFD_SETLKW);
}

/* --- fcntl: owner of O_ASYNC ------------------------------------------------------------------ */

static void set_owner(struct file *f, int type, int pid)
{
    spin_lock(&f->lock);
    f->owner_type = type;
    f->owner_pid = pid;
    spin_unlock(&f->lock);
}

static void just_count(void *arg, struct process *p)
{
}

static bool owner_exists(int type, int pid)
{
    if (pid == 0)
        return true;
    if (type == F_OWNER_PGRP)
        return process_visit_group(pid, just_count, NULL) > 0;
    struct process *p = type == F_OWNER_PID ? process_find(pid) : NULL;
    struct task *t = type == F_OWNER_TID ? task_find(pid) : NULL;
    if (p)
        process_put(p);
    if (t)
        task_put(t);
    return p || t;
}

long files_set_owner(struct file *f, int who)
{
    if (who == INT32_MIN)
        return -EINVAL;
    if (!owner_exists(who < 0 ? F_OWNER_PGRP : F_OWNER_PID, who < 0 ? -who : who))
        return -ESRCH;
    set_owner(f, who < 0 ? F_OWNER_PGRP : F_OWNER_PID, who < 0 ? -who : who);
    return 0;
}

static long set_owner_ex(struct file *f, struct uptr arg)
{
    struct f_owner_ex owner;
    if (user_get(arg, &owner) < 0)
        return -EFAULT;
    if (owner.type < F_OWNER_TID || owner.type > F_OWNER_PGRP)
        return -EINVAL;
    if (!owner_exists(owner.type, owner.pid))
        return -ESRCH;
    set_owner(f, owner.type, owner.pid);
    return 0;
}

static long get_owner_ex(struct file *f, struct uptr arg)
{
    spin_lock(&f->lock);
    struct f_owner_ex owner = {f->owner_type, f->owner_pid};
    spin_unlock(&f->lock);
    return user_put(arg, &owner);
}

int files_get_owner(struct file *f)
{
    spin_lock(&f->lock);
    int who = f->owner_type == F_OWNER_PGRP ? -f->owner_pid : f->owner_pid;
    spin_unlock(&f->lock);
    return who;
}

static long set_signal(struct file *f, unsigned long sig)
{
    if (sig > NR_SIGNALS)
        return -EINVAL;
    f->owner_sig = sig;
    return 0;
}

/* --- fcntl: seals ----------------------------------------------------------------------------- */

static long add_seals(struct file *f, unsigned seals)
{
    struct inode *inode = f->inode;
    if (!f->can_write)
        return -EPERM;
    if (seals & ~(unsigned)ALL_SEALS)
        return -EINVAL;
    if (!is_tmpfs_file(f))
        return -EINVAL;
    mutex_lock(&inode->lock);
    long ret = 0;
    if (inode->seals & F_SEAL_SEAL)
        ret = -EPERM;
    else if (seals & ~inode->seals & F_SEAL_WRITE)
        ret = vm_object_seal(&inode->object);
    /* What can be executed and never more be changed shall not be written either. */
    if ((seals & F_SEAL_EXEC_) && (inode->mode & 0111))
        seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    if (ret == 0)
        atomic_store(&inode->seals, inode->seals | seals);
    mutex_unlock(&inode->lock);
    return ret;
}

/* --- fcntl: the rest -------------------------------------------------------------------------- */

#define PIPE_SIZE_MAX (1u << 20) /* /proc/sys/fs/pipe-max-size: beyond it by right only */

static long set_pipe_size(struct file *f, unsigned size)
{
    if (file_is_pipe(f) && size > PIPE_SIZE_MAX && size <= 1u << 31 &&
        !cred_has_cap(current_cred(), CAP_SYS_RESOURCE))
        return -EPERM;
    return pipe_set_size(f, size);
}

/* How long what is written will live: kept, and of no use here. */
static long get_write_hint(struct file *f, struct uptr arg)
{
    uint64_t hint = atomic_load(&f->inode->write_hint);
    return user_put(arg, &hint);
}

static long set_write_hint(struct file *f, struct uptr arg)
{
    uint64_t hint;
    if (current_cred()->fsuid != f->inode->uid && !cred_has_cap(current_cred(), CAP_FOWNER))
        return -EPERM;
    if (user_get(arg, &hint) < 0)
        return -EFAULT;
    if (hint > RWH_WRITE_LIFE_EXTREME)
        return -EINVAL;
    atomic_store(&f->inode->write_hint, (uint8_t)hint);
    return 0;
}

/* --- fcntl itself ----------------------------------------------------------------------------- */

static bool works_on_path(unsigned cmd)
{
    return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD ||
           cmd == F_GETFL || cmd == F_DUPFD_QUERY_ || cmd == F_CREATED_QUERY_;
}

static long fcntl(struct file *f, int fd, unsigned cmd, unsigned long arg)
{
    switch (cmd) {
    case F_DUPFD:
        return dup_min(fd, (unsigned)arg, 0);
    case F_DUPFD_CLOEXEC:
        return dup_min(fd, (unsigned)arg, O_CLOEXEC);
    case F_DUPFD_QUERY_:
        return is_same_file(f, (int)arg);
    case F_GETFD:
        return fd_get_flags(current_files(), fd);
    case F_SETFD:
        return fd_set_flags(current_files(), fd, (int)arg);
    case F_GETFL:
        return f->flags & ~O_NOCTTY;
    case F_SETFL:
        return set_status(f, (int)arg);
    case F_GETLK:
    case F_GETLK64_:
    case F_OFD_GETLK:
        return test_lock(f, cmd, uptr_of_word(arg));
    case F_SETLK:
    case F_SETLKW:
    case F_SETLK64_:
    case F_SETLKW64_:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return set_lock(f, cmd, uptr_of_word(arg));
    case F_SETOWN:
        return files_set_owner(f, (int)arg);
    case F_GETOWN:
        return files_get_owner(f);
    case F_SETOWN_EX:
        return set_owner_ex(f, uptr_of_word(arg));
    case F_GETOWN_EX:
        return get_owner_ex(f, uptr_of_word(arg));
    case F_SETSIG:
        return set_signal(f, arg);
    case F_GETSIG:
        return f->owner_sig;
    case F_GETLEASE:
        return F_UNLCK;
    case F_SETPIPE_SZ:
        return set_pipe_size(f, (unsigned)arg);
    case F_GETPIPE_SZ:
        return pipe_get_size(f);
    case F_ADD_SEALS:
        return add_seals(f, (unsigned)arg);
    case F_GET_SEALS:
        return is_tmpfs_file(f) ? (long)atomic_load(&f->inode->seals) : -EINVAL;
    case F_GET_RW_HINT:
        return get_write_hint(f, uptr_of_word(arg));
    case F_SET_RW_HINT:
        return set_write_hint(f, uptr_of_word(arg));
    default: /* leases, F_NOTIFY among them */
        return -EINVAL;
    }
}

static long any_fcntl(int fd, unsigned cmd, unsigned long arg)
{
    struct file *f = fd_get(current_files(), fd);
    if (!f)
        return -EBADF;
    long ret = (f->flags & O_PATH) && !works_on_path(cmd) ? -EBADF : fcntl(f, fd, cmd, arg);
    file_put(f);
    return ret;
}

long sys_fcntl(int fd, unsigned cmd, unsigned long arg)
{
    if (!caller_is_i386() && cmd >= F_GETLK64_ && cmd <= F_SETLKW64_)
        cmd = UINT32_MAX; /* x86-64 has one struct flock */
    return any_fcntl(fd, cmd, arg);
}

long sys_fcntl64_32(int fd, unsigned cmd, unsigned long arg)
{
    return any_fcntl(fd, cmd, arg);
}

/* --- memfd_create ----------------------------------------------------------------------------- */

#define MEMFD_NAME_MAX 249 /* NAME_MAX less "memfd:" */

static long check_memfd_flags(unsigned flags)
{
    unsigned known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL_ | MFD_EXEC_;
    if (flags & MFD_HUGETLB)
        known |= MFD_HUGETLB | MFD_HUGE_MASK << MFD_HUGE_SHIFT;
    if ((flags & ~known) ||
        (flags & (MFD_NOEXEC_SEAL_ | MFD_EXEC_)) == (MFD_NOEXEC_SEAL_ | MFD_EXEC_))
        return -EINVAL;
    return flags & MFD_HUGETLB ? -ENOSYS : 0;
}

long sys_memfd_create(struct uptr name, unsigned flags)
{
    char buf[MEMFD_NAME_MAX + 1];
    long ret = check_memfd_flags(flags);
    if (ret < 0)
        return ret;
    ret = user_read_string(buf, name, sizeof(buf));
    if (ret < 0)
        return ret == -ENAMETOOLONG ? -EINVAL : ret;

    bool is_noexec = flags & MFD_NOEXEC_SEAL_;
    unsigned seals = is_noexec ? F_SEAL_EXEC_ : flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
    struct file *f;
    ret = tmpfs_new_memfd(buf, O_RDWR | O_LARGEFILE, seals, &f);
    if (ret < 0)
        return ret;
    if (is_noexec) {
        mutex_lock(&f->inode->lock);
        f->inode->mode &= ~0111u;
        mutex_unlock(&f->inode->lock);
    }
    return install_file(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}
