/* Signal frames: what a handler finds on its stack, and the way back.
 *
 * The frame is Linux's struct rt_sigframe, byte for byte: unwinders, Go's preemption, longjmp from
 * a handler and debuggers all know it.  From high to low addresses: the interrupted stack, 128
 * bytes of red zone, the FPU state (64-byte aligned), then siginfo, ucontext and the return
 * address. */
#include "private.h"

#include <asm/sigcontext.h>
#include <linux/signal.h>
#include <asm/ucontext.h>
#include <base/string.h>
#include <core/usercopy.h>

enum { RED_ZONE = 128, FPU_ALIGN = 64, FXSAVE_BYTES = 512 };

struct rt_sigframe {
    uint64_t return_address;
    struct ucontext uc;
    siginfo_t info;
};
_Static_assert(sizeof(struct rt_sigframe) == 440, "Linux's x86-64 frame");
_Static_assert(offsetof(struct rt_sigframe, uc.uc_mcontext) == 48, "Linux's x86-64 frame");
/* The frame up to the eight words of struct sigcontext that nobody uses: neither written nor read, as on Linux. */
#define FRAME_USED offsetof(struct rt_sigframe, uc.uc_mcontext.reserved1)

#define RFLAGS_RF 0x10000
/* What a program may change in rflags through sigreturn: CF PF AF ZF SF TF DF OF RF AC. */
#define RFLAGS_RESTORED 0x50dd5UL

/* --- the alternate stack ---------------------------------------------------------------------- */

static bool is_on_altstack(const struct sigaltstack_state *alt, uintptr_t sp)
{
    if (alt->flags & SS_AUTODISARM)
        return false;
    return sp > alt->sp && sp - alt->sp <= alt->size;
}

static int altstack_state(const struct sigaltstack_state *alt, uintptr_t sp)
{
    if (alt->size == 0)
        return SS_DISABLE;
    return is_on_altstack(alt, sp) ? SS_ONSTACK : 0;
}

int signal_set_altstack(const struct sigaltstack_state *new, struct sigaltstack_state *old,
                        uintptr_t sp)
{
    struct sigaltstack_state *alt = &current_task()->altstack;
    struct sigaltstack_state before = {
        .sp = alt->sp,
        .size = alt->size,
        .flags = altstack_state(alt, sp) | (alt->flags & (int)SS_AUTODISARM),
    };
    if (new) {
        int mode = new->flags & ~(int)SS_AUTODISARM;
        if (is_on_altstack(alt, sp))
            return -EPERM;
        if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
            return -EINVAL;
        bool is_same = alt->sp == new->sp && alt->size == new->size && alt->flags == new->flags;
        if (mode == SS_DISABLE)
            *alt = (struct sigaltstack_state){.flags = new->flags};
        else if (new->size < MINSIGSTKSZ && !is_same) /* nothing new is never too small */
            return -ENOMEM;
        else
            *alt = *new;
    }
    if (old)
        *old = before;
    return 0;
}

/* --- down: into the handler ------------------------------------------------------------------- */

static void save_registers(struct sigcontext *sc, const struct regs *regs, const struct task *t,
                           uint64_t mask, uintptr_t fpu)
{
    /* Field by field: a compound literal would be built aside and copied, on a path that counts. */
    sc->r8 = regs->r8;
    sc->r9 = regs->r9;
    sc->r10 = regs->r10;
    sc->r11 = regs->r11;
    sc->r12 = regs->r12;
    sc->r13 = regs->r13;
    sc->r14 = regs->r14;
    sc->r15 = regs->r15;
    sc->rdi = regs->rdi;
    sc->rsi = regs->rsi;
    sc->rbp = regs->rbp;
    sc->rbx = regs->rbx;
    sc->rdx = regs->rdx;
    sc->rax = regs->rax;
    sc->rcx = regs->rcx;
    sc->rsp = regs->rsp;
    sc->rip = regs->rip;
    sc->eflags = regs->rflags;
    sc->cs = (uint16_t)regs->cs;
    sc->gs = sc->fs = 0;
    sc->ss = (uint16_t)regs->ss;
    sc->err = t->trap.error;
    sc->trapno = t->trap.number;
    sc->cr2 = t->trap.cr2;
    sc->oldmask = mask;
    sc->fpstate = (struct _fpstate *)fpu;
}

static unsigned long context_flags(const struct regs *regs)
{
    unsigned long flags = UC_SIGCONTEXT_SS;
    if (arch_fpu_frame_size() > FXSAVE_BYTES)
        flags |= UC_FP_XSTATE;
    if (regs->cs == USER_CS)
        flags |= UC_STRICT_RESTORE_SS;
    return flags;
}

struct sigframe_stack sigframe_stack(const struct regs *regs, const struct sigaction_k *action,
                                     unsigned red_zone)
{
    const struct sigaltstack_state *alt = &current_task()->altstack;
    uintptr_t sp = regs->rsp - red_zone;
    if ((action->flags & SA_ONSTACK) && altstack_state(alt, sp) == 0)
        return (struct sigframe_stack){alt->sp + alt->size, true};
    return (struct sigframe_stack){sp, is_on_altstack(alt, regs->rsp)};
}

/* A program whose alternate stack is too small dies of SIGSEGV instead of overwriting what lies below. */
bool sigframe_fits(const struct sigframe_stack *s, uintptr_t at)
{
    const struct sigaltstack_state *alt = &current_task()->altstack;
    return !s->is_alternate || (at > alt->sp && at - alt->sp <= alt->size);
}

/* Where the frame goes: its address, and that of the FPU state above it; 0: nowhere. */
static uintptr_t place(const struct regs *regs, const struct sigaction_k *action, uintptr_t *fpu)
{
    struct sigframe_stack s = sigframe_stack(regs, action, RED_ZONE);
    *fpu = ALIGN_DOWN(s.sp - arch_fpu_frame_size(), FPU_ALIGN);
    /* As after a call instruction: 8 below a multiple of 16. */
    uintptr_t frame = ALIGN_DOWN(*fpu - sizeof(struct rt_sigframe), 16) - 8;
    return sigframe_fits(&s, frame) ? frame : 0;
}

void sigframe_enter(struct regs *regs, uintptr_t handler, uintptr_t frame, uint64_t cs)
{
    regs->rip = handler;
    regs->rsp = frame;
    regs->cs = cs;
    regs->ss = USER_DS;
    regs->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
    arch_fpu_reset();
}

static void enter_handler(struct regs *regs, int sig, uintptr_t handler, uintptr_t frame)
{
    regs->rdi = (uint64_t)sig;
    regs->rax = 0; /* a variadic handler's number of vector registers */
    regs->rsi = frame + offsetof(struct rt_sigframe, info);
    regs->rdx = frame + offsetof(struct rt_sigframe, uc);
    sigframe_enter(regs, handler, frame, USER_CS);
}

static int put_info(uintptr_t frame, const siginfo_t *info)
{
    siginfo_t whole;
    memset(&whole, 0, sizeof(whole));
    siginfo_copy(&whole, info);
    return user_put((struct uptr){frame + offsetof(struct rt_sigframe, info)}, &whole);
}

int sigframe_push(struct regs *regs, int sig, const struct sigaction_k *action,
                  const siginfo_t *info, uint64_t mask)
{
    struct task *t = current_task();
    struct sigaltstack_state *alt = &t->altstack;
    uintptr_t fpu, at = place(regs, action, &fpu);
    if (!at || !(action->flags & SA_RESTORER) || action->handler >= USER_TOP)
        return -EFAULT;
    if (arch_fpu_to_user((struct uptr){fpu}))
        return -EFAULT;

    struct rt_sigframe frame;
    frame.return_address = action->restorer;
    frame.uc.uc_flags = context_flags(regs);
    frame.uc.uc_link = NULL;
    frame.uc.uc_stack =
        (stack_t){.ss_sp = (void *)alt->sp, .ss_flags = alt->flags, .ss_size = alt->size};
    save_registers(&frame.uc.uc_mcontext, regs, t, mask, fpu);
    if (user_write((struct uptr){at}, &frame, FRAME_USED) ||
        user_store64((struct uptr){at + offsetof(struct rt_sigframe, uc.uc_sigmask)}, mask))
        return -EFAULT;
    if (action->flags & SA_SIGINFO && put_info(at, info))
        return -EFAULT;
    if (alt->flags & (int)SS_AUTODISARM)
        *alt = (struct sigaltstack_state){.flags = SS_DISABLE};
    enter_handler(regs, sig, action->handler, at);
    return 0;
}

/* --- up: back to what was interrupted --------------------------------------------------------- */

int sigframe_restore_control(struct regs *regs, uint64_t rip, uint64_t cs, uint64_t ss,
                             uint64_t rflags)
{
    cs |= 3;
    ss |= 3;
    if ((cs != USER_CS && cs != USER32_CS) || ss != USER_DS || rip >= USER_TOP)
        return -EFAULT;
    regs->rip = rip;
    regs->cs = cs;
    regs->ss = ss;
    regs->rflags = (regs->rflags & ~RFLAGS_RESTORED) | (rflags & RFLAGS_RESTORED);
    regs->orig_rax = (uint64_t)-1; /* the interrupted call is over, whatever it was */
    return 0;
}

static int restore_registers(struct regs *regs, const struct sigcontext *sc, unsigned long uc_flags)
{
    bool is_any_ss = !(uc_flags & UC_STRICT_RESTORE_SS) && (sc->cs | 3) == USER_CS;
    if (sigframe_restore_control(regs, sc->rip, sc->cs, is_any_ss ? USER_DS : sc->ss, sc->eflags))
        return -EFAULT;
    regs->r8 = sc->r8;
    regs->r9 = sc->r9;
    regs->r10 = sc->r10;
    regs->r11 = sc->r11;
    regs->r12 = sc->r12;
    regs->r13 = sc->r13;
    regs->r14 = sc->r14;
    regs->r15 = sc->r15;
    regs->rdi = sc->rdi;
    regs->rsi = sc->rsi;
    regs->rbp = sc->rbp;
    regs->rbx = sc->rbx;
    regs->rdx = sc->rdx;
    regs->rax = sc->rax;
    regs->rcx = sc->rcx;
    regs->rsp = sc->rsp;
    return 0;
}

/* A bad stack in the frame is ignored, as on Linux. */
static void restore_altstack(const stack_t *s, uintptr_t sp)
{
    const struct sigaltstack_state *now = &current_task()->altstack;
    struct sigaltstack_state alt = {
        .sp = (uintptr_t)s->ss_sp, .size = s->ss_size, .flags = s->ss_flags};
    if (alt.sp == now->sp && alt.size == now->size && alt.flags == now->flags)
        return; /* most programs have none, and the rest leave theirs as it is */
    int ignored = signal_set_altstack(&alt, NULL, sp);
    (void)ignored;
}

static int restore_frame(struct regs *regs)
{
    struct ucontext uc;
    uint64_t mask;
    uintptr_t frame = regs->rsp - sizeof(uint64_t); /* `ret` has taken the return address */
    struct uptr at = {frame + offsetof(struct rt_sigframe, uc)};
    if (user_read(&uc, at, FRAME_USED - offsetof(struct rt_sigframe, uc)) ||
        user_load64(uptr_add(at, offsetof(struct ucontext, uc_sigmask)), &mask))
        return -EFAULT;
    signal_set_mask(mask);
    if (restore_registers(regs, &uc.uc_mcontext, uc.uc_flags))
        return -EFAULT;
    if (arch_fpu_from_user((struct uptr){(uintptr_t)uc.uc_mcontext.fpstate}))
        return -EFAULT;
    restore_altstack(&uc.uc_stack, regs->rsp);
    return 0;
}

long signal_return(struct regs *regs)
{
    current_task()->restart.fn = NULL;
    if (restore_frame(regs) == 0)
        return (long)regs->rax;
    signal_force(SIGSEGV);
    return 0;
}
