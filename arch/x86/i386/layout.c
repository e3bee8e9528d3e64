/* The layouts of the i386 ABI, as the compiler sees them: Linux's own headers under -m32.
 *
 * This file is never linked.  It is compiled to assembly, in which the lines that start with "->" are the body of a
 * generated header, <i386/layout.h>: a union i386_NAME for each structure, its fields where an i386 program has them
 * (cmake/i386.cmake).  The few structures that Linux does not export are written down here as their man pages have
 * them; the compiler still lays them out. */
#include <asm/posix_types.h>
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
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/time.h>
#include <linux/timex.h>
#include <linux/times.h>
#include <linux/uio.h>
#include <linux/utime.h>
#include <linux/utsname.h>
#include <stddef.h>

/* --- what Linux does not export ------------------------------------------------------------------ */

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

/* --- the generated text ---------------------------------------------------------------------------- */

#define LINE(format, ...)       __asm__ volatile("\n->" format ::__VA_ARGS__)
#define NUMBER(value)           "i"((long)(value))
#define BEGIN(name, type)       typedef type name##_t_; void put_##name(void) { LINE("I386_BEGIN(" #name ")");
#define FIELD(name, field, path)                                                                   \
    LINE("I386_FIELD(" #field ", %c0, %c1, %c2)", NUMBER(offsetof(name##_t_, path)),               \
         NUMBER(sizeof(((name##_t_ *)0)->path)),                                                   \
         NUMBER((__typeof__(((name##_t_ *)0)->path))-1 < (__typeof__(((name##_t_ *)0)->path))0));
#define BYTES(name, field, path)                                                                   \
    LINE("I386_BYTES(" #field ", %c0, %c1)", NUMBER(offsetof(name##_t_, path)),                    \
         NUMBER(sizeof(((name##_t_ *)0)->path)));
#define END(name)               LINE("I386_END(%c0)", NUMBER(sizeof(name##_t_))); }
#define CONSTANT(name)          void put_##name(void) { LINE("I386_CONSTANT(" #name ", %c0)", NUMBER(name)); }
#include "layout.def"
