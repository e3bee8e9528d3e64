/* The two signal frames of i386, byte for byte as Linux lays them out: with SA_SIGINFO a siginfo and a ucontext,
 * without it the older sigcontext alone.  From high to low addresses: the interrupted stack (i386 has no red zone),
 * the FPU state (its FXSAVE part 64-byte aligned), the frame.
 *
 * The handler returns into the vDSO, into its own restorer, or, in a program without this vDSO, into code in the
 * frame.  All three end in sigreturn or rt_sigreturn. */
#include "private.h"

#include <asm/sigcontext.h>
#include <base/string.h>
#include <core/usercopy.h>
#include <i386/layout.h>
#include <linux/signal.h>
#include <asm/ucontext.h>

enum { FXSAVE_ALIGN = 64, FRAME_ALIGN = 16, FXSAVE_BYTES = 512 };

/* Also in the frame, where debuggers look for it. */
static const uint8_t sigreturn_code[8] = {0x58, 0xb8, 119, 0, 0,
                                          0,    0xcd, 0x80}; /* pop eax; mov eax, 119; int 0x80 */
static const uint8_t rt_sigreturn_code[8] = {0xb8, 173,  0,    0,
                                             0,    0xcd, 0x80, 0}; /* mov eax, 173; int 0x80 */

/* --- down ---------------------------------------------------------------------------------------- */

static void save_context(union i386_sigcontext *sc, const struct regs *regs, uint64_t mask,
                         uintptr_t fpu)
{
    const struct task *t = current_task();
    struct arch_selectors s;

    arch_get_selectors(&s);
    sc->ds = s.ds;
    sc->es = s.es;
    sc->fs = s.fs;
    sc->gs = s.gs;
    sc->di = (uint32_t)regs->rdi;
    sc->si = (uint32_t)regs->rsi;
    sc->bp = (uint32_t)regs->rbp;
    sc->sp = sc->sp_at_signal = (uint32_t)regs->rsp;
    sc->bx = (uint32_t)regs->rbx;
    sc->dx = (uint32_t)regs->rdx;
    sc->cx = (uint32_t)regs->rcx;
    sc->ax = (uint32_t)regs->rax;
    sc->trapno = (uint32_t)t->trap.number;
    sc->err = (uint32_t)t->trap.error;
    sc->cr2 = (uint32_t)t->trap.cr2;
    sc->ip = (uint32_t)regs->rip;
    sc->cs = (uint16_t)regs->cs;
    sc->flags = (uint32_t)regs->rflags;
    sc->ss = (uint16_t)regs->ss;
    sc->fpstate = (uint32_t)fpu;
    sc->oldmask = (uint32_t)mask;
}

static uint32_t return_address(const struct sigaction_k *action, uint32_t vdso_offset,
                               uintptr_t in_frame)
{
    const struct process *p = current_process();

    if (action->flags & SA_RESTORER)
        return (uint32_t)action->restorer;
    return (uint32_t)(p->is_i386 ? p->vdso + vdso_offset : in_frame);
}

/* Both kinds apart from their caller: together in one function their frames would need too much of the stack. */
static __attribute__((noinline)) int push_plain(const struct regs *regs, int sig,
                                                const struct sigaction_k *action, uint64_t mask,
                                                uintptr_t fpu, uintptr_t at)
{
    union i386_sigframe frame = {.bytes = {0}};
    union i386_sigcontext sc = {.bytes = {0}};

    frame.pretcode = return_address(action, arch_vdso_32()->sigreturn,
                                    at + offsetof(union i386_sigframe, retcode));
    frame.sig = sig;
    frame.extramask = (uint32_t)(mask >> 32);
    save_context(&sc, regs, mask, fpu);
    memcpy(frame.sc, sc.bytes, sizeof(sc));
    memcpy(frame.retcode, sigreturn_code, sizeof(sigreturn_code));
    return user_put((struct uptr){at}, &frame);
}

static __attribute__((noinline)) int push_info(const struct regs *regs, int sig,
                                               const struct sigaction_k *action,
                                               const siginfo_t *info, uint64_t mask, uintptr_t fpu,
                                               uintptr_t at)
{
    const struct sigaltstack_state *alt = &current_task()->altstack;
    union i386_rt_sigframe frame = {.bytes = {0}};
    union i386_siginfo user_info;
    union i386_sigcontext sc = {.bytes = {0}};
    union i386_stack stack = {.bytes = {0}};

    frame.pretcode = return_address(action, arch_vdso_32()->rt_sigreturn,
                                    at + offsetof(union i386_rt_sigframe, retcode));
    frame.sig = sig;
    frame.pinfo = (uint32_t)(at + offsetof(union i386_rt_sigframe, info));
    frame.puc = (uint32_t)(at + offsetof(union i386_rt_sigframe, uc));
    signal_info_to_i386(&user_info, info);
    memcpy(frame.info, user_info.bytes, sizeof(user_info));
    frame.uc_flags = arch_fpu_frame_size() > FXSAVE_BYTES ? UC_FP_XSTATE : 0;
    stack.ss_sp = (uint32_t)alt->sp;
    stack.ss_flags = alt->flags;
    stack.ss_size = (uint32_t)alt->size;
    memcpy(frame.uc_stack, stack.bytes, sizeof(stack));
    save_context(&sc, regs, mask, fpu);
    memcpy(frame.uc_mcontext, sc.bytes, sizeof(sc));
    frame.mask_low = (uint32_t)mask;
    frame.mask_high = (uint32_t)(mask >> 32);
    memcpy(frame.retcode, rt_sigreturn_code, sizeof(rt_sigreturn_code));
    return user_put((struct uptr){at}, &frame);
}

int sigframe_push_32(struct regs *regs, int sig, const struct sigaction_k *action,
                     const siginfo_t *info, uint64_t mask)
{
    struct sigaltstack_state *alt = &current_task()->altstack;
    bool has_info = action->flags & SA_SIGINFO;
    size_t size = has_info ? sizeof(union i386_rt_sigframe) : sizeof(union i386_sigframe);
    struct sigframe_stack s = sigframe_stack(regs, action, 0);
    uintptr_t fpu =
        ALIGN_DOWN((uint32_t)s.sp - arch_fpu_frame_size(), FXSAVE_ALIGN) - ARCH_FSAVE_SIZE;
    /* As after a call instruction: 4 below a multiple of 16. */
    uintptr_t at = ALIGN_DOWN(fpu - size + 4, FRAME_ALIGN) - 4;

    if (at > UINT32_MAX || !sigframe_fits(&s, at) || arch_fpu_to_user_32((struct uptr){fpu}))
        return -EFAULT;
    if (has_info ? push_info(regs, sig, action, info, mask, fpu, at)
                 : push_plain(regs, sig, action, mask, fpu, at))
        return -EFAULT;
    if (alt->flags & (int)SS_AUTODISARM)
        *alt = (struct sigaltstack_state){.flags = SS_DISABLE};

    regs->rax = (uint32_t)sig;
    regs->rdx = has_info ? at + offsetof(union i386_rt_sigframe, info) : 0;
    regs->rcx = has_info ? at + offsetof(union i386_rt_sigframe, uc) : 0;
    struct arch_selectors selectors;
    arch_get_selectors(&selectors);
    selectors.ds = selectors.es = USER_DS;
    arch_set_selectors(&selectors);
    sigframe_enter(regs, action->handler, at, USER32_CS);
    return 0;
}

/* --- up ------------------------------------------------------------------------------------------- */

static uint16_t user_selector(uint16_t selector)
{
    return selector ? selector | 3 : 0;
}

static int restore_context(struct regs *regs, const uint8_t *bytes)
{
    union i386_sigcontext sc;

    memcpy(sc.bytes, bytes, sizeof(sc));
    if (sigframe_restore_control(regs, sc.ip, sc.cs, sc.ss, sc.flags))
        return -EFAULT;
    regs->rdi = sc.di;
    regs->rsi = sc.si;
    regs->rbp = sc.bp;
    regs->rsp = sc.sp;
    regs->rbx = sc.bx;
    regs->rdx = sc.dx;
    regs->rcx = sc.cx;
    regs->rax = sc.ax;
    arch_set_selectors(&(struct arch_selectors){.ds = user_selector(sc.ds),
                                                .es = user_selector(sc.es),
                                                .fs = user_selector(sc.fs),
                                                .gs = user_selector(sc.gs)});
    return arch_fpu_from_user_32((struct uptr){sc.fpstate});
}

static int restore_plain(struct regs *regs)
{
    union i386_sigframe frame;
    union i386_sigcontext sc;
    uintptr_t at = regs->rsp - 2 * sizeof(uint32_t); /* `ret` and `pop eax` have taken two words */

    if (user_get((struct uptr){at}, &frame))
        return -EFAULT;
    memcpy(sc.bytes, frame.sc, sizeof(sc));
    signal_set_mask((uint64_t)frame.extramask << 32 | sc.oldmask);
    return restore_context(regs, frame.sc);
}

static int restore_info(struct regs *regs)
{
    union i386_rt_sigframe frame;
    union i386_stack stack;
    uintptr_t at = regs->rsp - sizeof(uint32_t);

    if (user_get((struct uptr){at}, &frame))
        return -EFAULT;
    signal_set_mask((uint64_t)frame.mask_high << 32 | frame.mask_low);
    if (restore_context(regs, frame.uc_mcontext))
        return -EFAULT;
    /* A bad stack in the frame is ignored, as on Linux. */
    memcpy(stack.bytes, frame.uc_stack, sizeof(stack));
    struct sigaltstack_state alt = {
        .sp = stack.ss_sp, .size = stack.ss_size, .flags = stack.ss_flags};
    int ignored = signal_set_altstack(&alt, NULL, regs->rsp);
    (void)ignored;
    return 0;
}

static long finish(const struct regs *regs, int err)
{
    if (err == 0)
        return (long)regs->rax;
    signal_force(SIGSEGV);
    return 0;
}

long signal_return_32(struct regs *regs)
{
    current_task()->restart.fn = NULL;
    return finish(regs, restore_plain(regs));
}

long signal_return_rt_32(struct regs *regs)
{
    current_task()->restart.fn = NULL;
    return finish(regs, restore_info(regs));
}
