/* What a handler sees: siginfo and ucontext of every kind of fault, the FPU state, the alternate
 * stack, and that it can change where the program goes on.  (No SIGFPE from SSE: QEMU's TCG never
 * raises #XM.) */
#define _GNU_SOURCE
#include <errno.h>
#include <immintrin.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int print_address;
static char *expected;

static void on_fault(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    printf("%s code %d", strsignal(sig), si->si_code);
    if (print_address)
        printf(" addr%+ld", (long)((char *)si->si_addr - expected));
    printf(" trap %lld err %lld", g[REG_TRAPNO], g[REG_ERR]);
    if (g[REG_TRAPNO] == 14)
        printf(" cr2%+ld", (long)((char *)g[REG_CR2] - expected));
    printf(" cs %llx flags %lx\n", g[REG_CSGSFS] & 0xffff, uc->uc_flags & 6);
    siglongjmp(back, 1);
}

static void handle(int sig)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(sig, &sa, NULL);
}

#define FAULT(what, address, ...)         \
    do {                                  \
        printf("%s: ", what);             \
        expected = (char *)(address);     \
        print_address = expected != NULL; \
        fflush(stdout);                   \
        if (!sigsetjmp(back, 1)) {        \
            __VA_ARGS__;                  \
            printf("nothing happened\n"); \
        }                                 \
    } while (0)

static void faults(void)
{
    for (int sig = 1; sig < 32; sig++)
        if (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP)
            handle(sig);
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *nx = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *hole = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(hole, 4096);
    nx[0] = (char)0xc3;
    volatile char sink;
    volatile int zero = 0, min = -2147483647 - 1, minus = -1;

    FAULT("read of nothing", hole + 5, sink = *(volatile char *)(hole + 5));
    FAULT("write to nothing", hole + 6, *(volatile char *)(hole + 6) = 1);
    FAULT("write to read-only", page + 7, *(volatile char *)(page + 7) = 1);
    sink = *(volatile char *)page;
    FAULT("write to a present read-only page", page + 7, *(volatile char *)(page + 7) = 1);
    FAULT("read of PROT_NONE", none + 1, sink = *(volatile char *)(none + 1));
    FAULT("execution of data", nx, ((void (*)(void))(void *)nx)());
    FAULT("call of NULL page", 0x10, ((void (*)(void))0x10)());
    FAULT("kernel address", 0xffffffff80000000, sink = *(volatile char *)0xffffffff80000000);
    FAULT("non-canonical address", NULL, sink = *(volatile char *)0x1234567812345678);
    FAULT("integer division", NULL, printf("%d", min / zero));
    FAULT("integer overflow", NULL, printf("%d", min / minus));
    FAULT("ud2", NULL, __asm__ volatile("ud2"));
    FAULT("int3", NULL, __asm__ volatile("int3"));
    FAULT("hlt", NULL, __asm__ volatile("hlt"));
    FAULT("single step", NULL,
          __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" ::
                               : "memory"));
    (void)sink;
}

static void bus_error(void)
{
    int fd = memfd_create("small", 0);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0 && map != MAP_FAILED)
        FAULT("beyond the end of a file", map + 4096, *(volatile char *)(map + 4096) = 1);
}

/* --- going on elsewhere ----------------------------------------------------------------------- */

static void skip_ud2(int sig, siginfo_t *si, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)sig;
    (void)si;
    g[REG_RIP] += 2;
    g[REG_RBX] = 0x1122334455667788;
    g[REG_R15] = -3;
}

static void change_registers(void)
{
    struct sigaction sa = {.sa_sigaction = skip_ud2, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &sa, NULL);
    uint64_t rbx, r15, rcx = 77, r11 = 88;
    __asm__ volatile("movq %4, %%rcx; movq %5, %%r11; ud2; movq %%rbx, %0; movq %%r15, %1; movq "
                     "%%rcx, %2; movq %%r11, %3"
                     : "=m"(rbx), "=m"(r15), "=m"(rcx), "=m"(r11)
                     : "m"(rcx), "m"(r11)
                     : "rbx", "r15", "rcx", "r11");
    printf("after the handler: rbx %lx r15 %ld rcx %lu r11 %lu\n", rbx, (long)r15, rcx, r11);
}

/* --- the FPU ---------------------------------------------------------------------------------- */

static volatile unsigned handler_mxcsr, handler_cw;

static void clobber_fpu(int sig)
{
    uint16_t cw;
    (void)sig;
    handler_mxcsr = _mm_getcsr();
    __asm__ volatile("fnstcw %0" : "=m"(cw));
    handler_cw = cw;
    __asm__ volatile("pxor %%xmm7, %%xmm7; pxor %%xmm15, %%xmm15; fninit; fld1" ::
                         : "xmm7", "xmm15");
    _mm_setcsr(0x1f80 | 0x6000);
}

static void fpu_is_kept(void)
{
    struct sigaction sa = {.sa_handler = clobber_fpu};
    sigaction(SIGUSR1, &sa, NULL);
    uint64_t in[2] = {0x0123456789abcdef, 0xfedcba9876543210}, out[2] = {0}, out15[2] = {0};
    unsigned csr = 0x1f80 | 0x2000;
    _mm_setcsr(csr);
    __asm__ volatile("movdqu %3, %%xmm7; movdqu %3, %%xmm15; movl %4, %%eax; movl %5, %%edi; movl "
                     "%6, %%esi; syscall;"
                     "movdqu %%xmm7, %0; movdqu %%xmm15, %1; stmxcsr %2"
                     : "=m"(out), "=m"(out15), "=m"(csr)
                     : "m"(in), "i"(SYS_tkill), "r"(gettid()), "i"(SIGUSR1)
                     : "xmm7", "xmm15", "rax", "rdi", "rsi", "rcx", "r11", "memory");
    _mm_setcsr(0x1f80);
    printf("fpu kept: %d %d mxcsr %x; in the handler mxcsr %x cw %x\n", !memcmp(in, out, 16),
           !memcmp(in, out15, 16), csr, handler_mxcsr, handler_cw);
}

static void show_frame(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    char *fp = (char *)uc->uc_mcontext.fpregs;
    uint32_t magic, size, magic2;
    memcpy(&magic, fp + 464, 4);
    memcpy(&size, fp + 468, 4);
    memcpy(&magic2, fp + size - 4, 4);
    printf("frame: info - frame %ld, uc - frame %ld, frame %% 16 %ld, fp %% 64 %ld\n",
           (long)((char *)si - (char *)uc), 0L, (long)(((uintptr_t)uc - 8) % 16),
           (long)((uintptr_t)fp % 64));
    printf("magic %x %x, sender %d, code %d, oldmask %llx sigmask %lx signal %d\n", magic, magic2,
           si->si_pid == getpid(), si->si_code,
           (unsigned long long)uc->uc_mcontext.gregs[REG_OLDMASK],
           *(unsigned long *)&uc->uc_sigmask, sig == SIGUSR2);
}

static void frame_layout(void)
{
    struct sigaction sa = {.sa_sigaction = show_frame, .sa_flags = SA_SIGINFO};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGUSR2, &sa, NULL);
    raise(SIGUSR2);
    kill(getpid(), SIGUSR2);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The 128 bytes below the stack pointer belong to the interrupted function. */
static void red_zone(void)
{
    uint64_t sum = 0;
    __asm__ volatile("movq $5, -8(%%rsp); movq $6, -120(%%rsp); movl %1, %%eax; movl %2, %%edi; "
                     "movl %3, %%esi; syscall;"
                     "movq -8(%%rsp), %0; addq -120(%%rsp), %0"
                     : "=&r"(sum)
                     : "i"(SYS_tkill), "r"(gettid()), "i"(SIGUSR1)
                     : "rax", "rdi", "rsi", "rcx", "r11", "memory");
    printf("red zone: %lu\n", sum);
}

/* --- the alternate stack ---------------------------------------------------------------------- */

static char stack[65536];

static int deep(int n)
{
    volatile char pad[4096];
    pad[0] = (char)n;
    return n < 0 ? 0 : deep(n + 1) + pad[0]; /* ends only in theory */
}

static void try_altstack(const char *what, const stack_t *ss)
{
    int result = sigaltstack(ss, NULL);
    printf("%s: %s\n", what, result ? strerror(errno) : "done");
}

static void on_overflow(int sig, siginfo_t *si, void *context)
{
    stack_t now;
    char here;
    ucontext_t *uc = context;
    sigaltstack(NULL, &now);
    printf("stack overflow: %s code %d on the other stack %d, flags %d, saved flags %d size %zu\n",
           strsignal(sig), si->si_code, &here > stack && &here < stack + sizeof(stack),
           now.ss_flags, uc->uc_stack.ss_flags, uc->uc_stack.ss_size);
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    try_altstack("change while on it", &other);
    siglongjmp(back, 1);
}

static void alternate_stack(void)
{
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)}, old;
    printf("altstack before: %d", sigaltstack(NULL, &old));
    printf(" flags %d\n", old.ss_flags);
    ss.ss_size = 100;
    try_altstack("too small", &ss);
    ss.ss_size = sizeof(stack);
    ss.ss_flags = 8;
    try_altstack("bad flags", &ss);
    ss.ss_flags = 0;
    try_altstack("good", &ss);
    struct sigaction sa = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &sa, NULL);
    if (!sigsetjmp(back, 1))
        printf("%d\n", deep(0));
    sigaltstack(NULL, &old);
    printf("altstack after: flags %d\n", old.ss_flags);
    ss.ss_flags = SS_DISABLE;
    sigaltstack(&ss, NULL);
    sigaltstack(NULL, &old);
    printf("disabled: flags %d\n", old.ss_flags);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    faults();
    bus_error();
    change_registers();
    fpu_is_kept();
    frame_layout();
    red_zone();
    alternate_stack();
    return 0;
}
