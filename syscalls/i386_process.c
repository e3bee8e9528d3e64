/* Memory, threads and processes as i386 asks for them, and the call that is many: socketcall(2). */
#include <asm/ldt.h>
#include <base/errno.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

#include "abi.h"
#include "abi_process.h"

/* --- memory ------------------------------------------------------------------------------------------- */

/* Whoever asks gets an address of 32 bits: an i386 program has no others, to which MAP_32BIT would mean the lower
 * half of them. */
static int placement(int flags)
{
    return current_process()->is_i386 ? flags & ~MAP_32BIT : flags | MAP_32BIT;
}

long sys_mmap2_32(uintptr_t addr, size_t length, int prot, int flags, int fd,
                  unsigned long pgoffset)
{
    return sys_mmap(addr, length, prot, placement(flags), fd, (int64_t)(pgoffset << PAGE_SHIFT));
}

long sys_mmap_32(struct uptr args)
{
    union i386_mmap_args a;
    if (user_get(args, &a))
        return -EFAULT;
    return sys_mmap(a.addr, a.len, (int)a.prot, placement((int)a.flags), (int)a.fd, a.offset);
}

/* --- threads -------------------------------------------------------------------------------------------- */

long sys_set_thread_area_32(struct uptr u_info)
{
    struct user_desc d;
    if (user_get(u_info, &d))
        return -EFAULT;
    bool is_any = d.entry_number == UINT32_MAX;
    int entry = is_any ? arch_tls_find_free() : (int)d.entry_number;
    if (is_any && entry < 0)
        return entry;
    struct arch_thread *self = &current_thread()->arch;
    int err = arch_tls_set(self, (unsigned)entry, &d);
    if (err || !is_any)
        return err;
    d.entry_number = (unsigned)entry;
    return user_write(uptr_add(u_info, offsetof(struct user_desc, entry_number)), &d.entry_number,
                      sizeof(d.entry_number));
}

long sys_get_thread_area_32(struct uptr u_info)
{
    struct user_desc d;
    unsigned entry;
    if (user_get(uptr_add(u_info, offsetof(struct user_desc, entry_number)), &entry))
        return -EFAULT;
    int err = arch_tls_get(entry, &d);
    return err ? err : user_put(u_info, &d);
}

long sys_clone_32(unsigned long flags, uintptr_t stack, struct uptr parent_tid, unsigned long tls,
                  struct uptr child_tid)
{
    return sys_clone(flags, stack, parent_tid, child_tid, tls);
}

/* --- processes ------------------------------------------------------------------------------------------ */

long sys_waitpid_32(int pid, struct uptr wstatus, int options)
{
    return sys_wait4(pid, wstatus, options, (struct uptr){0});
}

/* The first one knew no numbers above INT32_MAX; the second does. */
static long get_rlimit(unsigned resource, struct uptr rlim, uint32_t most)
{
    struct rlimit_pair limit;
    long err = process_set_rlimit(current_process(), resource, NULL, &limit);
    return err ? err : user_put_rlimit_word(rlim, &limit, most);
}

long sys_getrlimit_32(unsigned resource, struct uptr rlim)
{
    return get_rlimit(resource, rlim, INT32_MAX);
}

long sys_ugetrlimit_32(unsigned resource, struct uptr rlim)
{
    return get_rlimit(resource, rlim, UINT32_MAX);
}

long sys_nice_32(int inc)
{
    int nice = current_thread()->nice + MIN(MAX(inc, -40), 40);
    long err = sys_setpriority(PRIO_PROCESS, 0, MIN(MAX(nice, -20), 19));
    return err == -EACCES ? -EPERM : err;
}

/* --- socketcall ------------------------------------------------------------------------------------------- */

/* send and recv are the longer calls without an address. */
static enum row body_of(enum row row)
{
    if (row == ROW_send)
        return ROW_sendto;
    return row == ROW_recv ? ROW_recvfrom : row;
}

long sys_socketcall_32(int call, struct uptr args)
{
    uint64_t reg[SYSCALL_MAX_ARGS] = {0};
    enum row row = syscall_of_socketcall((uint32_t)call);
    if (row == ROW_UNKNOWN)
        return -EINVAL;
    for (unsigned i = 0; i < syscalls[row].argc; i++)
        if (user_get_word(uptr_add(args, i * sizeof(uint32_t)), &reg[i]))
            return -EFAULT;
    return syscall_call_32(body_of(row), reg);
}
