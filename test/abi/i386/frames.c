/* Both signal frames of i386: what a handler finds, what it may change, and the three ways back. */
#include "../abi.h"

#include <ucontext.h>

struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint32_t mask[2];
};
#define SA_RESTORER_ 0x04000000u

static int set_action(int sig, void *handler, unsigned long flags, void *restorer)
{
    struct kernel_action a = {handler, flags, restorer, {0, 0}};
    return (int)syscall(SYS_rt_sigaction, sig, &a, NULL, 8);
}

static volatile int calls;
static uint32_t seen_gs, seen_ds, seen_cs;

/* Without SA_SIGINFO: the frame is above the return address.  {return, sig, sigcontext} */
static void __attribute__((noinline)) plain(int sig)
{
    uint32_t *frame = (uint32_t *)__builtin_frame_address(0) + 1;
    uint32_t *sc = frame + 2;

    calls++;
    __asm__ volatile("movl %%gs, %0; movl %%ds, %1; movl %%cs, %2"
                     : "=r"(seen_gs), "=r"(seen_ds), "=r"(seen_cs));
    say("signal %d: frame's %u, aligned %d", sig, frame[1], (int)((uintptr_t)frame + 4) % 16);
    say("gs %d ds %d es %d cs %#x ss %#x", (sc[0] & 0xffff) == (seen_gs & 0xffff),
        (sc[3] & 0xffff) == (seen_ds & 0xffff), (sc[2] & 0xffff) == (seen_ds & 0xffff),
        sc[15] & 0xffff, sc[18] & 0xffff);
    say("sp twice: %d", sc[7] == sc[17]);
    say("has an FPU state: %d", sc[19] != 0);
    uint32_t *fp = (uint32_t *)(uintptr_t)sc[19];
    say("its FXSAVE part aligned: %d, control word %#x, magic %#x",
        (int)(((uintptr_t)fp + 112) % 64), fp[0] & 0xffff, fp[27] >> 16);
    say("extended magic %#x, size fits %d", fp[(112 + 464) / 4],
        fp[(112 + 464) / 4 + 1] == fp[(112 + 464) / 4 + 4] + 4 + 112);
    say("mask %#x %#x", sc[20], frame[2 + 22 + 624 / 4]);
    unsigned char *code = (unsigned char *)(frame + 2 + 22 + 624 / 4 + 1);
    say("code %02x %02x %02x .. %02x %02x", code[0], code[1], code[2], code[6], code[7]);
}

static void info_handler(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    calls++;
    say("signal %d, info %d code %d, mask %#lx", sig, info->si_signo, info->si_code,
        uc->uc_sigmask.__bits[0]);
    say("flags %#lx, link %d", uc->uc_flags, uc->uc_link != NULL);
    say("context follows the info: %d", (char *)context - (char *)info);
    if (sig == SIGSEGV) {
        say("address %p, trap %d error %#x", info->si_addr, uc->uc_mcontext.gregs[REG_TRAPNO],
            (unsigned)uc->uc_mcontext.gregs[REG_ERR]);
        uc->uc_mcontext.gregs[REG_EIP] += 2; /* over movl (%ecx), %eax */
        uc->uc_mcontext.gregs[REG_EAX] = 4711;
        uc->uc_mcontext.gregs[REG_EDI] = 1234;
    }
}

/* Registers of the FPU around a handler that uses them itself. */
static void spoil(int sig)
{
    (void)sig;
    __asm__ volatile("fninit; fldpi; fldz; pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7" ::);
    calls++;
}

/* Changes the x87 top and xmm1 in the frame: both must arrive. */
static void change(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    char *fp = (char *)uc->uc_mcontext.fpregs;
    const long double two = 2;
    const uint64_t word = 0x1111111122222222;

    (void)sig;
    (void)info;
    memcpy(fp + 28, &two, 10);             /* FSAVE's ST(0) */
    memcpy(fp + 112 + 160 + 16, &word, 8); /* FXSAVE's XMM1 */
    calls++;
}

static void fpu(void)
{
    long double st0, st1;
    uint64_t x0 = 0x123456789abcdef0, x7 = 42, x1 = 7;
    uint16_t control = 0x027f, after;

    CHECK(set_action(SIGUSR1, spoil, 0, NULL) == 0);
    pid_t pid = getpid();
    __asm__ volatile("fninit; fldcw %6; fldl2e; fld1; movq %3, %%xmm0; movq %4, %%xmm7\n\t"
                     "int $0x80\n\t"
                     "fstpt %0; fstpt %1; fnstcw %2; movq %%xmm0, %3; movq %%xmm7, %4"
                     : "=m"(st0), "=m"(st1), "=m"(after), "+m"(x0), "+m"(x7)
                     : "a"(SYS_kill), "m"(control), "b"(pid), "c"(SIGUSR1)
                     : "memory");
    say("kept: %d %d %#x %#llx %llu", st0 == 1, st1 > 1.44L && st1 < 1.45L, after,
        (unsigned long long)x0, (unsigned long long)x7);
    CHECK(set_action(SIGUSR1, change, SA_SIGINFO, NULL) == 0);
    __asm__ volatile("fninit; fld1; movq %1, %%xmm1\n\t"
                     "int $0x80\n\t"
                     "fstpt %0; movq %%xmm1, %1"
                     : "=m"(st0), "+m"(x1)
                     : "a"(SYS_kill), "b"(pid), "c"(SIGUSR1)
                     : "memory");
    say("changed: %d %#llx", st0 == 2, (unsigned long long)x1);
}

static long fault(void)
{
    long eax, edi;
    __asm__ volatile("movl $16, %%ecx; xorl %%edi, %%edi; movl (%%ecx), %%eax"
                     : "=a"(eax), "=D"(edi)::"ecx", "memory");
    return eax + edi;
}

__asm__(".text\n.globl own_restorer\nown_restorer: popl %eax\nmovl $119, %eax\nint $0x80\n");
extern char own_restorer[];

static void quiet(int sig)
{
    (void)sig;
    calls++;
}

int main(void)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigaddset(&mask, 40);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    CHECK(set_action(SIGUSR1, plain, 0, NULL) == 0);
    raise(SIGUSR1);
    CHECK(set_action(SIGUSR1, info_handler, SA_SIGINFO, NULL) == 0);
    raise(SIGUSR1);
    CHECK(set_action(SIGSEGV, info_handler, SA_SIGINFO, NULL) == 0);
    say("after the fault: %ld", fault());
    CHECK(set_action(SIGUSR1, quiet, SA_RESTORER_, own_restorer) == 0);
    raise(SIGUSR1);
    fpu();
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("mask still: %d %d %d", sigismember(&mask, SIGUSR2), sigismember(&mask, 40),
        sigismember(&mask, SIGUSR1));
    say("calls: %d", calls);
    return done();
}
