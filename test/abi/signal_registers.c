/* The signal frame: registers come back as they were, changes to them take effect, the red zone is
 * left alone. */
#include <ucontext.h>

#include "abi.h"

static volatile unsigned long stack_at_entry, flags_at_entry;
static volatile unsigned handled;

__attribute__((noinline)) static void inspect(ucontext_t *context)
{
    greg_t *regs = context->uc_mcontext.gregs;

    handled++;
    switch (handled) {
    case 1: /* skip the two bytes of ud2, and answer for it */
        regs[REG_RIP] += 2;
        regs[REG_RAX] = 4711;
        break;
    case 2: /* the direction flag and others go back as they were */
        regs[REG_RIP] += 2;
        break;
    default:
        regs[REG_RIP] += 2;
    }
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    unsigned long flags, frame = (unsigned long)__builtin_frame_address(0);

    (void)signal;
    (void)info;
    __asm__ volatile("pushfq; pop %0" : "=r"(flags));
    flags_at_entry = flags;
    stack_at_entry = frame + 16; /* before the return address and the saved frame pointer */
    /* Wreck what the frame has to restore. */
    __asm__ volatile("xor %%ebx, %%ebx; xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%r10d, %%r10d; "
                     "xor %%r11d, %%r11d;"
                     "xorps %%xmm0, %%xmm0; xorps %%xmm15, %%xmm15; fninit"
                     :
                     :
                     : "rbx", "r8", "r9", "r10", "r11", "xmm0", "xmm15");
    inspect(context);
}

int main(void)
{
    unsigned long result, registers[15], redzone = 0, flags;

    handle(SIGILL, on_signal, 0);
    __asm__ volatile("ud2" : "=a"(result) : : "memory");
    say("rax set by the handler: %lu, aligned at entry: %lu", result, stack_at_entry % 16);
    __asm__ volatile("std; stc; ud2; pushfq; pop %0; cld" : "=r"(flags) : : "memory", "cc");
    say("direction flag: in the handler %lu, afterwards %lu; carry afterwards %lu",
        flags_at_entry >> 10 & 1, flags >> 10 & 1, flags & 1);
    __asm__ volatile("mov $0x123456789, %%rax; mov %%rax, -128(%%rsp); mov %%rax, -8(%%rsp); ud2;"
                     "mov -128(%%rsp), %%rax; sub -8(%%rsp), %%rax; mov %%rax, %0"
                     : "=r"(redzone)
                     :
                     : "rax", "memory");
    say("red zone: %lu", redzone);
    __asm__ volatile(
        "push %%rbp; push %%rbx; mov %0, %%rbp;"
        "mov $1, %%rax; mov $2, %%rbx; mov $3, %%rcx; mov $4, %%rdx; mov $5, %%rsi; mov $6, %%rdi;"
        "mov $8, %%r8; mov $9, %%r9; mov $10, %%r10; mov $11, %%r11; mov $12, %%r12; mov $13, "
        "%%r13;"
        "mov $14, %%r14; mov $15, %%r15; ud2;"
        "mov %%rax, (%%rbp); mov %%rbx, 8(%%rbp); mov %%rcx, 16(%%rbp); mov %%rdx, 24(%%rbp);"
        "mov %%rsi, 32(%%rbp); mov %%rdi, 40(%%rbp); mov %%r8, 48(%%rbp); mov %%r9, 56(%%rbp);"
        "mov %%r10, 64(%%rbp); mov %%r11, 72(%%rbp); mov %%r12, 80(%%rbp); mov %%r13, 88(%%rbp);"
        "mov %%r14, 96(%%rbp); mov %%r15, 104(%%rbp); pop %%rbx; pop %%rbp"
        :
        : "a"(registers)
        : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
          "memory");
    for (int i = 0; i < 14; i++)
        say("register %d: %lu", i, registers[i]);
    say("handled: %u", handled);
    /* A system call changes rax, rcx and r11 only. */
    __asm__ volatile(
        "mov $1, %%rdi; mov $2, %%rsi; mov $3, %%rdx; mov $4, %%r8; mov $5, %%r9; mov $6, %%r10;"
        "mov $39, %%eax; stc; syscall; setc %%al; movzbl %%al, %%eax; add %%rdi, %%rax; add %%rsi, "
        "%%rax;"
        "add %%rdx, %%rax; add %%r8, %%rax; add %%r9, %%rax; add %%r10, %%rax"
        : "=a"(result)
        :
        : "rcx", "r11", "rdi", "rsi", "rdx", "r8", "r9", "r10", "cc", "memory");
    say("registers over a system call: sum %lu", result);
    return done();
}
