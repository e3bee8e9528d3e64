/* Every fault of the CPU as a signal: its number, si_code, si_addr, and the trap number and error
 * code in the frame. */
#include <ucontext.h>

#include "abi.h"

#ifdef __i386__
#define REG_RIP          REG_EIP
#define STACK_POINTER    "esp"
#define FAULT_ADDRESS(m) ((m).cr2)
#else
#define STACK_POINTER    "rsp"
#define FAULT_ADDRESS(m) ((m).gregs[REG_CR2])
#endif

static ucontext_t frame;
static char *page;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    abi_fault = *info;
    frame = *(ucontext_t *)context;
    siglongjmp(abi_fault_exit, signal);
}

static void wild_read(void)
{
    (void)*(volatile char *)(page + 3 * PAGE + 5);
}

static void wild_write(void)
{
    *(volatile char *)(page + 3 * PAGE + 6) = 1;
}

static void read_only(void)
{
    *(volatile char *)(page + PAGE) = 1;
}

static void execute_data(void)
{
    ((void (*)(void))page)();
}

static void execute_nowhere(void)
{
    ((void (*)(void))(page + 3 * PAGE))();
}

static void non_canonical(void)
{
    volatile uintptr_t address = (uintptr_t)(0x8000000000000000ull + 16);
    (void)*(volatile char *)address;
}

static void kernel_address(void)
{
    (void)*(volatile char *)(uintptr_t)0xffffffff81000000ull;
}

static void divide(void)
{
    int quotient, rest;

    __asm__ volatile("idivl %4" : "=a"(quotient), "=d"(rest) : "a"(1), "d"(0), "r"(0) : "cc");
}

static void divide_overflow(void)
{
    int quotient, rest;

    __asm__ volatile("idivl %4"
                     : "=a"(quotient), "=d"(rest)
                     : "a"(INT_MIN), "d"(-1), "r"(-1)
                     : "cc");
}

static void undefined(void)
{
    __asm__ volatile("ud2");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void privileged(void)
{
    __asm__ volatile("hlt");
}

static void port(void)
{
    __asm__ volatile("inb $0x80, %%al" : : : "eax");
}

static void software_interrupt(void)
{
    __asm__ volatile("int $0x40");
}

static void step(void)
{
    __asm__ volatile("pushf; orl $0x100, (%%" STACK_POINTER "); popf; nop" : : : "memory", "cc");
}

static void x87_divide(void)
{
    unsigned short control = 0x37f & ~(1u << 2);

    __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdivp; fwait" : : "m"(control));
}

static void beyond_file(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

    unlink("file");
    close(fd);
    (void)*(volatile char *)p;
}

static void misaligned_vector(void)
{
    __asm__ volatile("movaps 1(%0), %%xmm0" : : "r"(page) : "xmm0");
}

static const struct fault {
    const char *name;
    void (*run)(void);
    bool page_fault;
} faults[] = {
    {"read of nothing", wild_read, true},
    {"write to nothing", wild_write, true},
    {"write to a read-only page", read_only, true},
    {"execution of data", execute_data, true},
    {"execution of nothing", execute_nowhere, true},
    {"non-canonical address", non_canonical, false},
    {"kernel address", kernel_address, true},
    {"division by zero", divide, false},
    {"division overflow", divide_overflow, false},
    {"undefined instruction", undefined, false},
    {"int3", breakpoint, false},
    {"hlt", privileged, false},
    {"port access", port, false},
    {"int 0x40", software_interrupt, false},
    {"single step", step, false},
    {"x87 division", x87_divide, false},
    {"beyond the end of a file", beyond_file, true},
    {"misaligned movaps", misaligned_vector, false},
};

/* QEMU's TCG reports 16 times the vector for a forbidden gate (the CPU: 8 times), and whether a page that was never
 * touched is present is the kernel's choice. */
static long long error_of(const struct fault *fault, const greg_t *regs)
{
    if (fault->run == software_interrupt)
        return regs[REG_ERR] & 7;
    return fault->run == execute_data ? regs[REG_ERR] & ~1 : regs[REG_ERR];
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};

    page = map_pages(4, PROT_READ | PROT_WRITE);
    mprotect(page + PAGE, PAGE, PROT_READ);
    munmap(page + 3 * PAGE, PAGE);
    for (size_t i = 0; i < NR(signals); i++)
        handle(signals[i], on_fault, 0);
    for (size_t i = 0; i < NR(faults); i++) {
        int signal = sigsetjmp(abi_fault_exit, 1);
        if (!signal) {
            faults[i].run();
            say("%-28s nothing happened", faults[i].name);
            continue;
        }
        const greg_t *regs = frame.uc_mcontext.gregs;
        bool at_rip = abi_fault.si_addr == (void *)regs[REG_RIP];
        say("%-28s signal %2d, code %3d, address: %s, trap %lld, error %llx", faults[i].name,
            signal, abi_fault.si_code,
            at_rip              ? "the instruction"
            : abi_fault.si_addr ? "memory"
                                : "none",
            (long long)regs[REG_TRAPNO], error_of(&faults[i], regs));
        if (faults[i].page_fault)
            CHECK((void *)FAULT_ADDRESS(frame.uc_mcontext) == abi_fault.si_addr);
        if (faults[i].run == wild_read || faults[i].run == wild_write)
            CHECK(abi_fault.si_addr == page + 3 * PAGE + (faults[i].run == wild_read ? 5 : 6));
    }
    return done();
}
