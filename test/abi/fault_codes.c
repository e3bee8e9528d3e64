/* What signal_faults.c leaves: si_code and si_addr of each exception of the x87 (but a denormal's, which QEMU does not
 * see), of privileged and undefined instructions, gates and selectors, and of each kind of memory. */
#include <ucontext.h>

#include "abi.h"

#ifdef __i386__
#define REG_RIP REG_EIP
#endif

static ucontext_t frame;
static char *page;    /* then one that is read-only, one without rights, and a hole */
static char *of_file; /* one page of a file, and one beyond its end */
static uintptr_t touched;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    abi_fault = *info;
    frame = *(ucontext_t *)context;
    __asm__ volatile("fninit");
    siglongjmp(abi_fault_exit, signal);
}

/* --- the x87: each of its exceptions alone ------------------------------------------------------- */

static void x87(unsigned mask, const void *code)
{
    unsigned short control = (unsigned short)(0x37f & ~mask);
    __asm__ volatile("fninit; fldcw %0" : : "m"(control));
    ((void (*)(void))code)();
    __asm__ volatile("fwait");
}

#define X87(name, body)                              \
    __asm__(".text\n" #name "_code: " body "; ret"); \
    extern const char name##_code[];

X87(invalid, "fldz; fldz; fdivrp")
X87(zero, "fldz; fld1; fdivp")
X87(overflow, "flds big_count; fld1; fscale; fstpl waste; fstp %st(0)")
X87(underflow, "flds little_count; fld1; fscale; fstpl waste; fstp %st(0)")
X87(precision, "fld1; flds three; fdivrp; fstps waste")
__asm__(".data\n.balign 8\nbig_count: .float 5000\nlittle_count: .float "
        "-5000\nthree: .float 3\n"
        "waste: .quad 0\n.text");

static void x87_invalid(void)
{
    x87(1, invalid_code);
}

static void x87_zero(void)
{
    x87(4, zero_code);
}

static void x87_overflow(void)
{
    x87(8, overflow_code);
}

static void x87_underflow(void)
{
    x87(16, underflow_code);
}

static void x87_precision(void)
{
    x87(32, precision_code);
}

/* --- instructions ---------------------------------------------------------------------------------- */

#define INSTRUCTION(name, text)                                           \
    static void name(void)                                                \
    {                                                                     \
        __asm__ volatile(text : : : "eax", "ecx", "edx", "memory", "cc"); \
    }

INSTRUCTION(cli, "cli")
INSTRUCTION(sti, "sti")
INSTRUCTION(out, "xor %%eax, %%eax; mov $0x80, %%edx; outb %%al, %%dx")
INSTRUCTION(rdmsr, "mov $0x10, %%ecx; rdmsr")
INSTRUCTION(wrmsr, "mov $0x10, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr")
INSTRUCTION(clts, "clts")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(invd, "invd")
INSTRUCTION(int_0, "int $0")
INSTRUCTION(int_3, ".byte 0xcd, 3") /* not int3's own opcode */
INSTRUCTION(int_4, "int $4")
INSTRUCTION(int_13, "int $13")
INSTRUCTION(int_14, "int $14")
INSTRUCTION(int_255, "int $255")
INSTRUCTION(bad_selector, "mov $0x1230, %%eax; mov %%eax, %%ds")
INSTRUCTION(local_selector, "mov $0x1234, %%eax; mov %%eax, %%ds")
INSTRUCTION(first_selector, "mov $7, %%eax; mov %%eax, %%es")
INSTRUCTION(kernel_selector, "mov $0x10, %%eax; mov %%eax, %%es")
INSTRUCTION(locked, ".byte 0xf0, 0x90") /* lock nop */
INSTRUCTION(undefined_1, "ud1 %%eax, %%ecx")
INSTRUCTION(undefined_long, ".byte 0x0f, 0xff, 0xc0")
INSTRUCTION(too_long,
            ".byte 0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x66,0x90")
#ifdef __i386__
INSTRUCTION(into, "mov $0x7fffffff, %%eax; add $1, %%eax; into")
static void bound(void)
{
    static const int limits[2] = {0, 5};
    __asm__ volatile("boundl %0, %1" : : "r"(9), "m"(limits));
}
#else
INSTRUCTION(no_into, ".byte 0xce")
INSTRUCTION(no_bound, ".byte 0x06")
#endif

static void mov_cr0(void)
{
    unsigned long value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
}

static void mov_dr7(void)
{
    unsigned long value;
    __asm__ volatile("mov %%dr7, %0" : "=r"(value));
}

static void lgdt(void)
{
    static const char nothing[16];
    __asm__ volatile("lgdt %0" : : "m"(nothing));
}

/* Far returns to where no program may go.  In ring 3 QEMU's TCG reads their stack as the supervisor, so that they end in
 * another exception than the CPU's, but in one. */
static void far_return(void)
{
#ifdef __i386__
    __asm__ volatile("pushl $0x1237; pushl $0; lret");
#else
    __asm__ volatile("pushq $0x1237; pushq $0; lretq");
#endif
}

static void interrupt_return(void)
{
#ifdef __i386__
    __asm__ volatile("pushl $0x202; pushl $0x10; pushl $0; iret");
#else
    __asm__ volatile("pushq $0x10; pushq $0; pushq $0x202; pushq $0x33; pushq $0; iretq");
#endif
}

/* --- memory ------------------------------------------------------------------------------------------ */

static void touch(char *p, bool writes)
{
    touched = (uintptr_t)p;
    if (writes)
        *(volatile char *)p = 1;
    else
        (void)*(volatile char *)p;
}

static void read_forbidden(void)
{
    touch(page + 2 * PAGE + 7, false);
}

static void write_forbidden(void)
{
    touch(page + 2 * PAGE + 7, true);
}

static void read_beyond(void)
{
    touch(of_file + PAGE + 1, false);
}

static void write_beyond(void)
{
    touch(of_file + PAGE + 2, true);
}

static void read_null(void)
{
    static char *volatile null = (char *)3;
    touch(null, false);
}

static void jump_to_forbidden(void)
{
    touched = (uintptr_t)(page + 2 * PAGE);
    ((void (*)(void))(page + 2 * PAGE))();
}

static void jump_to_hole(void)
{
    touched = (uintptr_t)(page + 3 * PAGE);
    ((void (*)(void))(page + 3 * PAGE))();
}

/* Bytes lie in two pages, the second of which is not there. */
static void over_the_edge(void)
{
    touched = (uintptr_t)(page + 3 * PAGE);
    mprotect(page + 2 * PAGE, PAGE, PROT_READ);
    (void)*(volatile uint32_t *)(page + 3 * PAGE - 2);
}

static void call_there(void)
{
    mprotect(page + 2 * PAGE, PAGE, PROT_NONE);
    touched = (uintptr_t)(page + 3 * PAGE);
    syscall(SYS_read, 0, page + 3 * PAGE, 0); /* in a call it is an errno */
    touch(page + 3 * PAGE, true);
}

static const struct fault {
    const char *name;
    void (*run)(void);
} faults[] = {
    {"x87 invalid", x87_invalid},
    {"x87 division by zero", x87_zero},
    {"x87 overflow", x87_overflow},
    {"x87 underflow", x87_underflow},
    {"x87 precision", x87_precision},
    {"cli", cli},
    {"sti", sti},
    {"out", out},
    {"rdmsr", rdmsr},
    {"wrmsr", wrmsr},
    {"clts", clts},
    {"wbinvd", wbinvd},
    {"invd", invd},
    {"mov cr0", mov_cr0},
    {"mov dr7", mov_dr7},
    {"lgdt", lgdt},
    {"int 0", int_0},
    {"int 3", int_3},
    {"int 4", int_4},
    {"int 13", int_13},
    {"int 14", int_14},
    {"int 255", int_255},
    {"a selector of nothing", bad_selector},
    {"a selector of no LDT", local_selector},
    {"its first", first_selector},
    {"the kernel's selector", kernel_selector},
    {"far return", far_return},
    {"return from an interrupt", interrupt_return},
    {"lock nop", locked},
    {"ud1", undefined_1},
    {"ud0", undefined_long},
    {"16 bytes", too_long},
#ifdef __i386__
    {"into", into},
    {"bound", bound},
#else
    {"into in 64 bits", no_into},
    {"push es in 64 bits", no_bound},
#endif
    {"read without rights", read_forbidden},
    {"write without rights", write_forbidden},
    {"read beyond the file", read_beyond},
    {"write beyond the file", write_beyond},
    {"read of NULL", read_null},
    {"jump to what has no rights", jump_to_forbidden},
    {"jump into a hole", jump_to_hole},
    {"across an edge", over_the_edge},
    {"what a call was told", call_there},
};

static long long trap_of(const struct fault *f, const greg_t *regs)
{
    bool is_far = f->run == far_return || f->run == interrupt_return;
    return is_far && regs[REG_TRAPNO] == 14 ? 13 : regs[REG_TRAPNO];
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);

    NEED(write(fd, "x", 1) == 1);
    of_file = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(of_file != MAP_FAILED);
    unlink("file");
    page = map_pages(4, PROT_READ | PROT_WRITE);
    mprotect(page + PAGE, PAGE, PROT_READ);
    mprotect(page + 2 * PAGE, PAGE, PROT_NONE);
    munmap(page + 3 * PAGE, PAGE);
    for (size_t i = 0; i < NR(signals); i++)
        handle(signals[i], on_fault, 0);
    for (size_t i = 0; i < NR(faults); i++) {
        touched = 0;
        int signal = sigsetjmp(abi_fault_exit, 1);
        if (!signal) {
            faults[i].run();
            say("%-28s nothing happened", faults[i].name);
            continue;
        }
        const greg_t *regs = frame.uc_mcontext.gregs;
        say("%-28s signal %2d, code %3d, address: %s, trap %lld", faults[i].name, signal,
            abi_fault.si_code,
            touched ? ((uintptr_t)abi_fault.si_addr == touched ? "right" : "wrong")
            : abi_fault.si_addr == (void *)regs[REG_RIP] ? "the instruction"
            : abi_fault.si_addr                          ? "memory"
                                                         : "none",
            trap_of(&faults[i], regs));
    }
    return done();
}
