/* Threads, processes, programs: their birth, their end, and waiting for it. */
#include "abi.h"
#include "abi_process.h"
#include "abi_signal.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>
#include <proc/process.h>
#include <syscalls/bodies.h>

/* --- clone ------------------------------------------------------------------------------------ */

/* Thread-local storage is a segment's base; an i386 caller describes the segment. */
static long clone_with_tls(const struct clone_request *request)
{
    struct clone_request r = *request; /* not the caller's, which outlives `d` */
    struct user_desc d;
    if (caller_is_i386() && (r.flags & CLONE_SETTLS)) {
        if (user_get(uptr_of_word(r.tls), &d))
            return -EFAULT;
        r.tls_segment = &d;
    }
    return process_clone(&r);
}

long sys_clone(unsigned long flags, uintptr_t stack, struct uptr parent_tid, struct uptr child_tid,
               unsigned long tls)
{
    struct clone_request r = {
        .flags = (uint32_t)flags & ~(uint64_t)CSIGNAL,
        .exit_signal = (int)(flags & CSIGNAL),
        .stack = stack,
        .tls = tls,
        .parent_tid = parent_tid,
        .child_tid = child_tid,
        .pidfd = parent_tid, /* one argument for both */
    };
    return clone_with_tls(&r);
}

/* What clone3(2) checks before anything that it has in common with clone(2). */
static int check_clone_args(const struct clone_args *a, size_t size)
{
    const uint64_t known = 0xffffffffUL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP;
    if (a->set_tid_size > 32 || !a->set_tid != !a->set_tid_size)
        return -EINVAL;
    if (a->exit_signal > NR_SIGNALS)
        return -EINVAL;
    if ((a->flags & CLONE_INTO_CGROUP) && (a->cgroup > INT32_MAX || size < CLONE_ARGS_SIZE_VER2))
        return -EINVAL;
    if ((a->flags & ~known) || (a->flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))))
        return -EINVAL;
    if ((a->flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) == (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
        return -EINVAL;
    if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
        return -EINVAL;
    if (!a->stack != !a->stack_size)
        return -EINVAL;
    if (a->stack >= USER_TOP || a->stack_size > USER_TOP - a->stack)
        return -EINVAL;
    return a->set_tid_size ? -EPERM : 0; /* no process may choose ids here */
}

long sys_clone3(struct uptr cl_args, size_t size)
{
    struct clone_args a = {0};
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    int err = user_get_extensible(cl_args, size, &a, sizeof(a));
    if (!err)
        err = check_clone_args(&a, size);
    if (err)
        return err;
    struct clone_request r = {
        .flags = a.flags,
        .exit_signal = (int)a.exit_signal,
        .stack = a.stack + a.stack_size,
        .tls = a.tls,
        .parent_tid = {a.parent_tid},
        .child_tid = {a.child_tid},
        .pidfd = {a.pidfd},
    };
    return clone_with_tls(&r);
}

long sys_set_tid_address(struct uptr tidptr)
{
    current_task()->clear_child_tid = tidptr;
    return current_task()->tid;
}

long sys_arch_prctl(int code, unsigned long addr)
{
    uint64_t base;
    if (caller_is_i386() && code != ARCH_GET_CPUID) /* the bases are x86-64's */
        return -EINVAL;
    switch (code) {
    case ARCH_SET_FS:
        return arch_set_fs_base(addr);
    case ARCH_SET_GS:
        return arch_set_gs_base(addr);
    case ARCH_GET_FS:
        base = arch_get_fs_base();
        return user_put((struct uptr){addr}, &base);
    case ARCH_GET_GS:
        base = arch_get_gs_base();
        return user_put((struct uptr){addr}, &base);
    case ARCH_GET_CPUID:
        return 1; /* CPUID does not fault */
    default:
        return -EINVAL;
    }
}

/* --- exec ------------------------------------------------------------------------------------- */

enum { STRING_MAX = 32 * 4096, STRINGS_MAX = 6 << 20, FIRST_TRY = 4096 };

/* One string, on the heap.  0, -EFAULT, -E2BIG, -ENOMEM. */
static int copy_string(struct uptr p, char **out, size_t *total)
{
    for (size_t size = FIRST_TRY;; size = STRING_MAX) {
        char *buf = heap_alloc(size);
        if (!buf)
            return -ENOMEM;
        long len = user_read_string(buf, p, size);
        if (len >= 0) {
            *out = heap_realloc(buf, (size_t)len + 1);
            if (!*out)
                *out = buf;
            *total += (size_t)len + 1 + sizeof(char *);
            return 0;
        }
        heap_free(buf);
        if (len != -ENAMETOOLONG)
            return (int)len;
        if (size == STRING_MAX)
            return -E2BIG;
    }
}

static void free_strings(char **strings)
{
    for (char **s = strings; s && *s; s++)
        heap_free(*s);
    heap_free(strings);
}

/* How many pointers come before the NULL: 0.. or -EFAULT, -E2BIG. */
static long count_strings(struct uptr array)
{
    uint64_t word;
    for (size_t n = 0; n < STRINGS_MAX / sizeof(word); n++) {
        if (user_get_word(uptr_add(array, n * caller_word()), &word))
            return -EFAULT;
        if (!word)
            return (long)n;
    }
    return -E2BIG;
}

/* A NULL-terminated array of strings; a NULL array counts as an empty one. */
static int copy_strings(struct uptr array, char ***out, size_t *total)
{
    long n = uptr_is_null(array) ? 0 : count_strings(array);
    if (n < 0)
        return (int)n;
    char **strings = heap_zalloc(((size_t)n + 1) * sizeof(*strings));
    int err = strings ? 0 : -ENOMEM;
    for (long i = 0; i < n && !err; i++) {
        uint64_t word;
        err = user_get_word(uptr_add(array, (size_t)i * caller_word()), &word);
        if (!err)
            err = copy_string(uptr_of_word(word), &strings[i], total);
        if (!err && *total > STRINGS_MAX)
            err = -E2BIG;
    }
    if (err)
        free_strings(strings);
    else
        *out = strings;
    return err;
}

static long exec(struct exec_request *r, struct uptr argv, struct uptr envp)
{
    char **args, **env;
    size_t total = 0;
    int err = copy_strings(argv, &args, &total);
    if (err)
        return process_exec_check(r) ?: err; /* Linux opens the file first */
    err = copy_strings(envp, &env, &total);
    if (!err) {
        r->argv = (const char *const *)args;
        r->envp = (const char *const *)env;
        err = process_exec(r);
        free_strings(env);
    } else {
        err = process_exec_check(r) ?: err;
    }
    free_strings(args);
    return err;
}

static long exec_at(int dirfd, struct uptr pathname, struct uptr argv, struct uptr envp, int flags)
{
    struct exec_request r = {.empty_path = flags & AT_EMPTY_PATH,
                             .no_follow = flags & AT_SYMLINK_NOFOLLOW};
    char *path = NULL, *name = NULL;
    long err = -ENOMEM;
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    path = heap_alloc(PATH_MAX);
    name = heap_alloc(PATH_MAX + 32);
    if (path && name)
        err = user_read_string(path, pathname, PATH_MAX);
    if (err == 0 && !r.empty_path)
        err = -ENOENT;
    if (err >= 0) {
        bool is_relative = dirfd != AT_FDCWD && path[0] != '/';
        r.at = is_relative ? fd_get(current_process()->files, dirfd) : NULL;
        err = is_relative && !r.at ? -EBADF : 0;
        snprintf(name, PATH_MAX + 32, "/dev/fd/%d%s%s", dirfd, path[0] ? "/" : "", path);
        r.path = path;
        r.name = is_relative ? name : path;
    }
    if (!err)
        err = exec(&r, argv, envp);
    if (r.at)
        file_put(r.at);
    heap_free(name);
    heap_free(path);
    return err;
}

long sys_execveat(int dirfd, struct uptr pathname, struct uptr argv, struct uptr envp, int flags)
{
    return exec_at(dirfd, pathname, argv, envp, flags);
}

long sys_execve(struct uptr pathname, struct uptr argv, struct uptr envp)
{
    return exec_at(AT_FDCWD, pathname, argv, envp, 0);
}

/* --- exit and wait ---------------------------------------------------------------------------- */

long sys_exit(int status)
{
    task_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
    process_exit((status & 0xff) << 8);
}

long sys_wait4(int pid, struct uptr wstatus, int options, struct uptr rusage)
{
    struct wait_result r;
    int which = P_PID;
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | (int)__WCLONE | __WALL))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid == -1)
        which = P_ALL;
    else if (pid <= 0)
        which = P_PGID;
    int id = pid == 0 ? process_group(current_process()) : pid < 0 ? -pid : pid;
    long err = process_wait(which, id, options | WEXITED, &r);
    if (err || r.pid == 0)
        return err;
    if (!uptr_is_null(wstatus) && user_put(wstatus, &r.status))
        return -EFAULT;
    if (!uptr_is_null(rusage) && user_put_rusage(rusage, &r.usage))
        return -EFAULT;
    return r.pid;
}

/* waitid's id, by Linux's rules: 0 or -errno. */
static int check_wait_id(int which, int *id)
{
    switch (which) {
    case P_ALL:
        return 0;
    case P_PID:
        return *id > 0 ? 0 : -EINVAL;
    case P_PGID:
        if (*id == 0)
            *id = process_group(current_process());
        return *id > 0 ? 0 : -EINVAL;
    case P_PIDFD:
        return *id < 0 ? -EINVAL : -EBADF; /* no descriptor is a pidfd yet */
    default:
        return -EINVAL;
    }
}

static long wait_id(int which, int pid, int options, struct wait_result *r)
{
    const int events = WEXITED | WSTOPPED | WCONTINUED;
    if (options & ~(events | WNOHANG | WNOWAIT | __WNOTHREAD | (int)__WCLONE | __WALL))
        return -EINVAL;
    if (!(options & events))
        return -EINVAL;
    int err = check_wait_id(which, &pid);
    if (err)
        return err;
    return process_wait(which, pid, options, r);
}

/* What is told is told even of a failure: nothing but zeros, and -EFAULT comes first. */
long sys_waitid(int which, int pid, struct uptr infop, int options, struct uptr rusage)
{
    struct wait_result r = {0};
    long result = wait_id(which, pid, options, &r);
    if (result)
        memset(&r, 0, sizeof(r));
    if (!uptr_is_null(rusage) && r.pid && user_put_rusage(rusage, &r.usage))
        return -EFAULT;
    if (uptr_is_null(infop))
        return result;
    siginfo_t info = {.si_signo = r.pid ? SIGCHLD : 0, .si_code = r.code};
    info.si_pid = r.pid;
    info.si_uid = r.uid;
    info.si_status = r.code == CLD_EXITED || r.code == CLD_STOPPED ? r.status >> 8 & 0xff
                     : r.code == CLD_CONTINUED                     ? SIGCONT
                                                                   : r.status & 0x7f;
    return user_put_siginfo(infop, &info) < 0 ? -EFAULT : result;
}

/* --- unshare ---------------------------------------------------------------------------------- */

#define UNSHARE_OWN \
    (CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM)

/* Of a process with one thread everything is its own already.  A thread among others shares all there is, and
 * namespaces answer as Linux does without the option. */
long sys_unshare(unsigned long flags)
{
    struct process *p = current_process();
    if (flags & ~(unsigned long)UNSHARE_OWN)
        return -EINVAL;
    mutex_lock(&p->lock);
    bool is_alone = p->nr_tasks == 1;
    mutex_unlock(&p->lock);
    if (is_alone || !(flags & ~(unsigned long)CLONE_SYSVSEM))
        return 0;
    if (flags & (CLONE_FS | CLONE_FILES))
        log_warn("unshare: a thread among others cannot have tables of its own");
    return -EINVAL;
}
