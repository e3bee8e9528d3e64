/* What the files of arch/x86 know of each other and nobody above may see: descriptor tables, vectors,
 * per-CPU parts, boot-time mappings.  The public face is include/arch/arch.h. */
#pragma once

#include <arch/arch.h>
#include <arch/bootinfo.h>
#include <arch/upcalls.h>
#include <base/types.h>

/* --- vectors ------------------------------------------------------------------------------------ */

enum vector {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_PIC = 0x20, /* 16 of them: the legacy PIC, masked; only its spurious ones can come */
    VECTOR_DEVICE_FIRST = 0x30, /* lines and MSIs, except VECTOR_SYSCALL */
    VECTOR_SYSCALL = 0x80,      /* int 0x80 from ring 3 */
    VECTOR_DEVICE_LAST = 0xef,
    VECTOR_TIMER = 0xf0,
    VECTOR_RESCHED = 0xf1,
    VECTOR_FLUSH = 0xf2,
    VECTOR_SPURIOUS = 0xff, /* of the local APIC: wants no end-of-interrupt */
};

/* trap.c: the function that an interrupt vector (>= 0x20) calls, with interrupts off and irq_depth > 0.  The
 * dispatcher sends the end-of-interrupt after it, except for VECTOR_SPURIOUS and the PIC's.  Setting is one
 * store: any context; a vector without a handler is logged and dropped. */
typedef void irq_vector_fn(unsigned vector, struct regs *regs);
void irq_vector_set(unsigned vector, irq_vector_fn *handler);

/* --- what plat gives: apic.c, smp.c, acpi.c --------------------------------------------------------- */

/* Once on the boot CPU, just before up_main: the final page tables, GDT, IDT and this_cpu() work, interrupts
 * are off, no page or heap allocation works yet. */
void platform_init(const struct bootinfo *info);
/* End of interrupt, to this CPU's local APIC. */
void apic_eoi(void);
/* Fixed-vector interrupts to another CPU, or to every other CPU that runs.  Any context. */
void ipi_send(unsigned cpu, unsigned vector);
void ipi_send_others(unsigned vector);
/* A non-maskable interrupt to another CPU (arch_halt_others). */
void ipi_send_nmi(unsigned cpu);

/* clock.c: the frequency of the TSC; 0: not known. */
uint64_t platform_tsc_hz(void);

/* --- CPUs: cpu.c, descriptors.c ---------------------------------------------------------------------- */

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
} __attribute__((packed));

#define GDT_ENTRIES    16
#define IST_STACK_SIZE 4096

enum { IST_NMI = 1, IST_DOUBLE_FAULT = 2, IST_MACHINE_CHECK = 3, IST_COUNT = 3 };

/* Arch's own part of struct cpu. */
struct arch_cpu {
    alignas(64) uint64_t gdt[GDT_ENTRIES];
    struct tss tss;
    alignas(16) uint8_t ist_stack[IST_COUNT][IST_STACK_SIZE];

    struct arch_thread *fpu_owner; /* whose FPU state was loaded last */

    /* plat: timer and APIC */
    bool timer_is_armed;
    uint64_t timer_deadline_ns;
};

/* Make the block of CPU `index` (not the boot CPU): zeroed, with its tables filled in and registered for
 * arch_cpu(index), not counted as running.  NULL: no memory.  smp.c gives it to the CPU that it starts. */
struct cpu *cpu_new(unsigned index, uint32_t apic_id);

/* On the CPU itself, in 64-bit mode on any stack with the kernel's upper half mapped and interrupts off: control
 * registers, final page tables, GDT, TSS, IDT, GS, SYSCALL, FPU; from here on this_cpu() works. */
void cpu_init_this(struct cpu *cpu);

/* This CPU takes interrupts and may be sent some: arch_cpu_count counts it.  CPUs come up in order of their
 * index, one after the other. */
void cpu_set_running(struct cpu *cpu);

/* CPUID, once decoded (cpu.c).  Bits of this CPU; all CPUs are assumed to be alike. */
enum cpu_feature {
    CPU_FXSR,
    CPU_XSAVE,
    CPU_XSAVEOPT,
    CPU_FSGSBASE,
    CPU_SMEP,
    CPU_SMAP,
    CPU_UMIP,
    CPU_PGE,
    CPU_NX,
    CPU_1G_PAGES,
    CPU_RDRAND,
    CPU_RDSEED,
    CPU_X2APIC,
    CPU_TSC_DEADLINE,
    CPU_TSC_INVARIANT,
    CPU_RDTSCP,
    CPU_RDPID,
    CPU_HYPERVISOR,
    CPU_FEATURES,
};
/* Fill cpu_features and patch code for this CPU: once, first of all. */
void cpu_detect(void);
extern bool cpu_features[CPU_FEATURES];
static inline bool cpu_has(enum cpu_feature f)
{
    return cpu_features[f];
}

/* String instructions run one iteration at a time (QEMU's emulator: half the speed of plain moves); usercopy.asm. */
extern uint8_t cpu_slow_strings;

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};
static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

/* --- page tables: paging.c ----------------------------------------------------------------------------- */

/* Boot CPU: the reserve of table pages, the final root. */
void paging_init(const struct bootinfo *info);
void tlb_init(void);

/* A kernel address faulted: true when this address space merely lacked a later root entry; try again. */
bool paging_sync_upper(uintptr_t va);

/* CR3 for a CPU that has just been started: the upper half as it is now, and the first 2 MiB of physical memory
 * mapped one to one, readable, writable and executable.  Below 4 GiB. */
uint32_t paging_trampoline_root(void);

/* Device registers at `pa`, uncached, readable and writable, for as long as the machine runs.  Works before
 * the page allocator does.  NULL: no memory for tables. */
void *paging_map_device(struct paddr pa, size_t size);

/* The kernel's own root: upper half only; what a CPU runs on while its thread has no address space. */
extern struct arch_vm paging_kernel_vm;

/* --- instructions ------------------------------------------------------------------------------------- */

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;
    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;
    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;
    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}
