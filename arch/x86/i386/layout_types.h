/* The C structures that layout.def names, for a compiler under -m32. */
#pragma once

#include <asm/posix_types.h>
#include <asm/shmbuf.h>
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/ucontext.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/resource.h>
#include <linux/sem.h>
#include <linux/sysinfo.h>
#include <linux/time.h>
#include <linux/timex.h>
#include <linux/times.h>
#include <linux/uio.h>
#include <linux/utime.h>
#include <linux/utsname.h>
#include <stddef.h>

/* --- what Linux does not export: as the man pages have it ---------------------------------------- */

struct rt_sigaction { /* sigaction(2): what rt_sigaction takes */
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask[2];
};

struct linux_dirent { /* getdents(2) */
    unsigned long d_ino, d_off;
    unsigned short d_reclen;
    char d_name[1];
};

struct sigset_arg { /* select(2): the last argument of pselect6 */
    void *mask;
    size_t size;
};

struct user_msghdr { /* sendmsg(2) */
    void *name;
    int name_len;
    void *iov;
    size_t iov_len;
    void *control;
    size_t control_len;
    unsigned flags;
};

struct user_mmsghdr { /* sendmmsg(2) */
    struct user_msghdr header;
    unsigned len;
};

struct user_cmsghdr { /* cmsg(3) */
    size_t len;
    int level, type;
};

/* <linux/shm.h> cannot be read without a libc: shmctl(2), and its structure of before 32-bit ids. */
struct shmid_ds {
    struct ipc_perm shm_perm;
    int shm_segsz;
    __kernel_old_time_t shm_atime, shm_dtime, shm_ctime;
    __kernel_ipc_pid_t shm_cpid, shm_lpid;
    unsigned short shm_nattch, unused[5];
};

struct shminfo {
    int shmmax, shmmin, shmmni, shmseg, shmall;
};

struct shm_info {
    int used_ids;
    unsigned long shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

struct mmap_args { /* the old mmap takes a pointer to its arguments */
    unsigned long addr, len, prot, flags, fd, offset;
};

struct select_args { /* so does the old select */
    unsigned long nr;
    void *in, *out, *ex, *timeout;
};

/* sigreturn(2): the two frames of signal handlers. */
struct sigframe {
    unsigned long pretcode;
    int sig;
    struct sigcontext sc;
    struct _fpstate_32 unused;
    unsigned long extramask;
    char retcode[8];
};

struct rt_sigframe {
    unsigned long pretcode;
    int sig;
    void *pinfo, *puc;
    siginfo_t info;
    struct ucontext uc; /* its mask has 64 bits in truth */
    unsigned long extramask;
    char retcode[8];
};
