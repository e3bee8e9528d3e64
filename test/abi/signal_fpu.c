/* Vector registers, x87 and their control words: kept over handlers that use them, over preemption,
 * and between threads. */
#include "abi.h"

#define THREADS 4

static volatile unsigned handled;
static bool has_avx;
static volatile unsigned wrong;

static void wreck(void)
{
    unsigned control = 0x9f80;
    unsigned short word = 0x27f;

    if (has_avx)
        __asm__ volatile("vpcmpeqd %%xmm0, %%xmm0, %%xmm0; vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0; "
                         "vmovaps %%ymm0, %%ymm7;"
                         "vmovaps %%ymm0, %%ymm15"
                         :
                         :
                         : "xmm0", "xmm7", "xmm15");
    else
        __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15"
                         :
                         :
                         : "xmm0", "xmm7", "xmm15");
    __asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fldpi" : : "m"(control), "m"(word));
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    unsigned control;
    __asm__ volatile("stmxcsr %0" : "=m"(control));
    if ((control & 0x1f80) != 0x1f80)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    wreck();
    handled++;
}

/* Fills the registers with a pattern of its own, waits, and compares. */
static unsigned hold(unsigned long value, void (*meanwhile)(void))
{
    unsigned long in[4] = {value, ~value, value * 3, value * 5}, out[4] = {0}, out15[4] = {0};
    unsigned control = 0x1fa0, control_after = 0;
    unsigned short word = 0x37f, word_after = 0;
    double st = (double)(value % 1000) + 0.5, st_after = 0;

    __asm__ volatile("ldmxcsr %0; fninit; fldcw %1; fldl %2" : : "m"(control), "m"(word), "m"(st));
    if (has_avx)
        __asm__ volatile(
            "vmovups %3, %%ymm7; vmovups %3, %%ymm15; sub $128, %%rsp; call *%2; add $128, %%rsp;"
            "vmovups %%ymm7, %0; vmovups %%ymm15, %1; vzeroupper"
            : "=m"(out), "=m"(out15)
            : "r"(meanwhile), "m"(in)
            : "memory", "cc", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm7",
              "xmm15");
    else
        __asm__ volatile(
            "movups %3, %%xmm7; movups %3, %%xmm15; sub $128, %%rsp; call *%2; add $128, %%rsp;"
            "movups %%xmm7, %0; movups %%xmm15, %1"
            : "=m"(out), "=m"(out15)
            : "r"(meanwhile), "m"(in)
            : "memory", "cc", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm7",
              "xmm15");
    __asm__ volatile("stmxcsr %0; fnstcw %1; fstpl %2"
                     : "=m"(control_after), "=m"(word_after), "=m"(st_after));
    size_t size = has_avx ? 32 : 16;
    return (unsigned)(memcmp(in, out, size) != 0) + (memcmp(in, out15, size) != 0) +
           (control != control_after) + (word != word_after) + (st != st_after);
}

/* These keep to general registers: the compiler is told so. */
__attribute__((target("general-regs-only"), noinline)) static void raise_signal(void)
{
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(SYS_tkill), "D"(syscall(SYS_gettid)), "S"(SIGUSR1)
                     : "rcx", "r11", "memory");
}

__attribute__((target("general-regs-only"), noinline)) static void yield(void)
{
    long result;

    for (int i = 0; i < 20; i++)
        __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_sched_yield) : "rcx", "r11", "memory");
}

__attribute__((target("general-regs-only"), noinline)) static void spin(void)
{
    for (volatile int i = 0; i < 200000; i++)
        ;
}

static void *work(void *arg)
{
    unsigned bad = 0;

    for (unsigned long i = 0; i < 100; i++)
        bad += hold((uintptr_t)arg * 0x123456789abcdef + i, i % 2 ? yield : spin);
    __atomic_fetch_add(&wrong, bad, __ATOMIC_RELAXED);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    unsigned bad = 0;

    __builtin_cpu_init();
    has_avx = __builtin_cpu_supports("avx");
    handle(SIGUSR1, on_signal, 0);
    for (unsigned long i = 1; i <= 200; i++)
        bad += hold(i * 0xfedcba987654321, raise_signal);
    say("over %u handlers: wrong %u, handler's own control word wrong %u", handled, bad, wrong);
    for (size_t i = 0; i < THREADS; i++)
        NEED(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    say("between %d threads: wrong %u", THREADS, wrong);
    return done();
}
