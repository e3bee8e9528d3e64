/* From exceptions of the program to signals: which signal, si_code and address, as Linux gives
 * them. */
#include "private.h"

#include <arch/upcalls.h>
#include <linux/signal.h>

enum {
    VECTOR_DE = 0,
    VECTOR_DB = 1,
    VECTOR_BP = 3,
    VECTOR_UD = 6,
    VECTOR_NP = 11,
    VECTOR_SS = 12,
    VECTOR_PF = 14,
    VECTOR_MF = 16,
    VECTOR_AC = 17,
    VECTOR_XF = 19,
};

/* --- page faults ------------------------------------------------------------------------------ */

/* The program's page is nowhere to be had: it dies, the kernel goes on. */
static void fault_out_of_memory(uintptr_t addr)
{
    struct process *p = current_process();
    bool irqs = spin_lock_irq(&p->sighand->lock);
    bool is_first = signal_begin_group_exit(p, SIGKILL);
    thread_post(current_thread(), THREAD_KILL);
    spin_unlock_irq(&p->sighand->lock, irqs);
    if (is_first)
        report_out_of_memory(addr);
}

static void fault_signal(uintptr_t addr, unsigned flags, int err, int si_code)
{
    if (addr >= USER_TOP && !(flags & FAULT_EXEC))
        flags |= FAULT_PRESENT; /* do not tell what the kernel has mapped */
    current_task()->trap.cr2 = addr;
    signal_fault(err == -EIO ? SIGBUS : SIGSEGV, si_code, addr, VECTOR_PF, flags);
}

bool up_page_fault(struct regs *regs, uintptr_t addr, unsigned flags)
{
    struct thread *self = current_thread();
    bool from_user = flags & FAULT_USER;
    if (!self || !self->vm || (self->nofault && !from_user))
        return false;
    int si_code = SEGV_MAPERR;
    int err = vm_fault(self->vm, addr, flags, &si_code);
    if (!err)
        return true;
    if (err == -ENOMEM)
        fault_out_of_memory(addr);
    else if (from_user)
        fault_signal(addr, flags, err, si_code);
    return false;
}

/* --- the others ------------------------------------------------------------------------------- */

/* si_code of the first unmasked floating-point exception, in Linux's order.  `bits` are IE DE ZE OE
 * UE PE. */
static int float_code(unsigned bits)
{
    if (bits & 0x01)
        return FPE_FLTINV;
    if (bits & 0x04)
        return FPE_FLTDIV;
    if (bits & 0x08)
        return FPE_FLTOVF;
    if (bits & 0x12) /* denormal operand, or underflow */
        return FPE_FLTUND;
    if (bits & 0x20)
        return FPE_FLTRES;
    return 0;
}

void up_fault(struct regs *regs, unsigned vector, uint64_t error)
{
    uintptr_t rip = regs->rip;
    int trap = (int)vector;
    switch (vector) {
    case VECTOR_DE:
        signal_fault(SIGFPE, FPE_INTDIV, rip, trap, error);
        break;
    case VECTOR_DB:
        signal_fault(SIGTRAP, TRAP_TRACE, rip, trap, error);
        break;
    case VECTOR_BP:
        signal_fault(SIGTRAP, SI_KERNEL, 0, trap, error);
        break;
    case VECTOR_UD:
        signal_fault(SIGILL, ILL_ILLOPN, rip, trap, error);
        break;
    case VECTOR_NP:
    case VECTOR_SS:
        signal_fault(SIGBUS, SI_KERNEL, 0, trap, error);
        break;
    case VECTOR_MF:
    case VECTOR_XF:
        signal_fault(SIGFPE, float_code(arch_fpu_exceptions(vector)), rip, trap, error);
        break;
    case VECTOR_AC:
        signal_fault(SIGBUS, BUS_ADRALN, 0, trap, error);
        break;
    default: /* #GP and what is left of the i386 age: #OF, #BR, #TS */
        signal_fault(SIGSEGV, SI_KERNEL, 0, trap, error);
    }
}
