/* Memory: mmap(2) and its family.  The address space does the work and the checking (core/vm.h); here are the
 * checks that concern the file, and flags that never reach an area. */
#include <base/errno.h>
#include <core/vm.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/stat.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

#define ALL_PROT      (PROT_READ | PROT_WRITE | PROT_EXEC)
#define MAX_FILE_SIZE INT64_MAX

/* What mmap(2) accepts with MAP_SHARED_VALIDATE (Linux's LEGACY_MAP_MASK). */
#define VALIDATED_FLAGS                                                                      \
    (MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | \
     MAP_UNINITIALIZED | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |         \
     MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT)

static struct vm *current_vm(void)
{
    return current_process()->vm;
}

/* May a file be mapped that way?  Linux's order of errors. */
static int check_file(const struct file *f, int prot, int flags, uint64_t offset, size_t len)
{
    int type = flags & MAP_TYPE;
    bool has_end = S_ISREG(f->inode->mode) || S_ISSOCK(f->inode->mode);
    if (has_end && (len > MAX_FILE_SIZE || offset > MAX_FILE_SIZE - len))
        return -EOVERFLOW;
    if (type == MAP_SHARED_VALIDATE && flags & ~VALIDATED_FLAGS)
        return -EOPNOTSUPP;
    if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE && type != MAP_PRIVATE)
        return -EINVAL;
    if (type != MAP_PRIVATE && prot & PROT_WRITE && !f->can_write)
        return -EACCES;
    if (!f->can_read)
        return -EACCES;
    /* What has no place in the tree is as good as mounted without the right to execute. */
    return f->ops->mmap ? 0 : prot & PROT_EXEC && !f->mount ? -EPERM : -ENODEV;
}

/* Fill in what maps: the file's object, or shared anonymous memory.  A failure is told by args->file_error. */
static void choose_object(struct vm_map_args *args, struct file *f)
{
    int type = args->flags & MAP_TYPE;
    size_t len = ALIGN_UP(args->len, PAGE_SIZE);
    args->max_prot = ALL_PROT;
    if (len == 0)
        return;
    if (f) {
        args->file_error = check_file(f, args->prot, args->flags, args->offset, len);
        if (!args->file_error)
            args->file_error =
                f->ops->mmap(f, args->prot, args->flags, args->offset, len, &args->object);
        bool is_sealed = f->inode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);
        if (type != MAP_PRIVATE && (!f->can_write || is_sealed))
            args->max_prot &= ~PROT_WRITE;
    } else if (type == MAP_SHARED) {
        args->offset = 0;
        args->object = vm_object_new_anon(len);
        if (!args->object)
            args->file_error = -ENOMEM;
    }
}

long sys_mmap(uintptr_t addr, size_t len, int prot, int flags, int fd, int64_t offset)
{
    struct file *f = NULL;
    if (offset & ~PAGE_MASK)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS)) {
        f = fd_get_io(current_process()->files, fd);
        if (!f)
            return -EBADF;
    }
    struct vm_map_args args = {
        .addr = addr, .len = len, .prot = prot & ALL_PROT, .flags = flags, .offset = offset};
    int err = 0;
    if (flags & MAP_HUGETLB)
        err = f ? -EINVAL : -ENOMEM; /* an empty pool of huge pages */
    if (!err) {
        choose_object(&args, f);
        err = vm_map(current_vm(), &args, &addr);
    }
    if (args.object)
        vm_object_put(args.object);
    if (f)
        file_put(f);
    return err ? err : (long)addr;
}

long sys_munmap(uintptr_t addr, size_t len)
{
    return vm_unmap(current_vm(), addr, len);
}

long sys_mprotect(uintptr_t addr, size_t len, int prot)
{
    return vm_protect(current_vm(), addr, len, prot);
}

/* Protection keys, on a CPU without them: what Linux answers there. */
long sys_pkey_mprotect(uintptr_t addr, size_t len, int prot, int pkey)
{
    return pkey == -1 ? vm_protect(current_vm(), addr, len, prot) : -EINVAL;
}

long sys_pkey_alloc(unsigned long flags, unsigned long access_rights)
{
    return -EINVAL;
}

long sys_pkey_free(int pkey)
{
    return -EINVAL;
}

long sys_madvise(uintptr_t addr, size_t len, int advice)
{
    return vm_advise(current_vm(), addr, len, advice);
}

long sys_mremap(uintptr_t addr, size_t old_len, size_t new_len, int flags, uintptr_t new_addr)
{
    uintptr_t result;
    int err = vm_remap(current_vm(), addr, old_len, new_len, flags, new_addr, &result);
    return err ? err : (long)result;
}

long sys_msync(uintptr_t addr, size_t len, int flags)
{
    return vm_sync(current_vm(), addr, len, flags);
}

long sys_brk(uintptr_t addr)
{
    return (long)vm_brk(current_vm(), addr);
}

long sys_mincore(uintptr_t addr, size_t len, struct uptr vec)
{
    return vm_incore(current_vm(), addr, len, vec);
}

long sys_mlock(uintptr_t addr, size_t len)
{
    return vm_lock(current_vm(), addr, len, VM_LOCK);
}

long sys_mlock2(uintptr_t addr, size_t len, unsigned flags)
{
    if (flags & ~(unsigned)MLOCK_ONFAULT)
        return -EINVAL;
    return vm_lock(current_vm(), addr, len, flags ? VM_LOCK_ON_FAULT : VM_LOCK);
}

long sys_munlock(uintptr_t addr, size_t len)
{
    return vm_lock(current_vm(), addr, len, VM_UNLOCK);
}

long sys_mlockall(int flags)
{
    if (flags == 0 || flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || flags == MCL_ONFAULT)
        return -EINVAL;
    return vm_lock_all(current_vm(), flags);
}

long sys_munlockall(void)
{
    return vm_lock_all(current_vm(), 0);
}
