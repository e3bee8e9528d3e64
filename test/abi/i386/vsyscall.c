/* i386's vDSO: AT_SYSINFO's entry, its symbols, and clocks that agree with the kernel's. */
#include "../abi.h"

#include <elf.h>
#include <sys/auxv.h>

#ifndef AT_SYSINFO
#define AT_SYSINFO 32
#endif

static const char *base;
static const Elf32_Sym *symbols;
static const char *strings;
static unsigned nr_symbols;

static void find_tables(void)
{
    const Elf32_Ehdr *eh = (const void *)base;
    const Elf32_Phdr *ph = (const void *)(base + eh->e_phoff);
    const Elf32_Dyn *dyn = NULL;
    uint32_t shift = 0;

    for (unsigned i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD)
            shift = (uint32_t)(uintptr_t)base - ph[i].p_vaddr;
        if (ph[i].p_type == PT_DYNAMIC)
            dyn = (const void *)(base + ph[i].p_offset);
    }
    NEED(dyn);
    for (; dyn->d_tag != DT_NULL; dyn++) {
        if (dyn->d_tag == DT_SYMTAB)
            symbols = (const void *)(uintptr_t)(dyn->d_un.d_ptr + shift);
        if (dyn->d_tag == DT_STRTAB)
            strings = (const void *)(uintptr_t)(dyn->d_un.d_ptr + shift);
        if (dyn->d_tag == DT_HASH)
            nr_symbols = ((const uint32_t *)(uintptr_t)(dyn->d_un.d_ptr + shift))[1];
    }
    NEED(symbols && strings && nr_symbols);
}

static void *find(const char *name)
{
    for (unsigned i = 0; i < nr_symbols; i++)
        if (!strcmp(strings + symbols[i].st_name, name) && symbols[i].st_shndx != SHN_UNDEF)
            return (void *)(base + symbols[i].st_value);
    say("no %s", name);
    return NULL;
}

struct timespec32 {
    int32_t sec, nsec;
};
struct timespec64 {
    int64_t sec, nsec;
};

/* Between two readings of the kernel's. */
static void check_clock(int clock)
{
    int (*get32)(int, struct timespec32 *) = find("__vdso_clock_gettime");
    int (*get64)(int, struct timespec64 *) = find("__vdso_clock_gettime64");
    struct timespec32 t32;
    struct timespec64 before, t64, after;

    syscall(403, clock, &before);
    int a = get32(clock, &t32), b = get64(clock, &t64);
    syscall(403, clock, &after);
    int64_t lo = before.sec * 1000000000 + before.nsec, hi = after.sec * 1000000000 + after.nsec;
    int64_t n32 = t32.sec * 1000000000ll + t32.nsec, n64 = t64.sec * 1000000000 + t64.nsec;
    const int64_t slack = 20000000; /* a coarse clock's tick */
    say("clock %d: %d %d, in order: %d %d", clock, a, b, lo - slack <= n32 && n32 <= hi,
        lo - slack <= n64 && n64 <= hi);
}

int main(void)
{
    struct timeval32 {
        int32_t sec, usec;
    } tv;
    struct timespec64 now;
    long pid;

    base = (const char *)getauxval(AT_SYSINFO_EHDR);
    void *entry = (void *)getauxval(AT_SYSINFO);
    NEED(base && entry);
    find_tables();
    say("an ELF of 32 bits: %d", base[EI_CLASS] == ELFCLASS32);
    say("AT_SYSINFO is __kernel_vsyscall: %d", find("__kernel_vsyscall") == entry);
    say("sigreturns: %d %d", find("__kernel_sigreturn") != NULL,
        find("__kernel_rt_sigreturn") != NULL);
    __asm__ volatile("call *%1" : "=a"(pid) : "r"(entry), "0"(SYS_getpid) : "memory");
    say("getpid through it: %d", pid == getpid());

    check_clock(CLOCK_REALTIME);
    check_clock(CLOCK_MONOTONIC);
    check_clock(CLOCK_MONOTONIC_COARSE);
    check_clock(CLOCK_BOOTTIME);
    int (*get32)(int, struct timespec32 *) = find("__vdso_clock_gettime");
    struct timespec32 t;
    say("no such clock: %d", get32(77, &t));
    say("a CPU clock: %d", get32(CLOCK_PROCESS_CPUTIME_ID, &t));

    int (*gettime)(struct timeval32 *, void *) = find("__vdso_gettimeofday");
    int32_t (*seconds)(int32_t *) = find("__vdso_time");
    syscall(403, CLOCK_REALTIME, &now);
    int ret = gettime(&tv, NULL);
    say("gettimeofday: %d, close: %d", ret, tv.sec - now.sec >= 0 && tv.sec - now.sec < 5);
    int32_t s, r = seconds(&s);
    /* time() reads the second of the last tick: up to a tick behind CLOCK_REALTIME. */
    say("time: %d %d", r == s, r - now.sec >= -1 && r - now.sec < 5);
    return done();
}
