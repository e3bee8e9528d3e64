/* CPUs: their blocks, what they can do, their control registers.
 *
 * The boot CPU's block is static, so that this_cpu() works from the first line of C.  All CPUs of a machine are taken
 * to be alike: features are read once, on the boot CPU. */
#include "cpu.h"

#include <arch/offsets.h>
#include <base/log.h>
#include <base/string.h>

#include "descriptors.h"
#include "fpu.h"
#include "platform.h"

#define MSR_SYSENTER_CS    0x174
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define EFER_SCE 1ull
#define EFER_NXE (1ull << 11)

#define CR0_MP (1ull << 1)
#define CR0_EM (1ull << 2)
#define CR0_TS (1ull << 3)
#define CR0_NE (1ull << 5)
#define CR0_WP (1ull << 16)
#define CR0_AM (1ull << 18)

#define CR4_PAE        (1ull << 5)
#define CR4_PGE        (1ull << 7)
#define CR4_OSFXSR     (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_UMIP       (1ull << 11)
#define CR4_FSGSBASE   (1ull << 16)
#define CR4_OSXSAVE    (1ull << 18)
#define CR4_SMEP       (1ull << 20)
#define CR4_SMAP       (1ull << 21)

/* Flags that SYSCALL clears: everything defined but the virtual-8086 ones. */
#define SFMASK 0x257fd5

_Static_assert(offsetof(struct cpu, self) == 0, "gs:0");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "offsets.h");
_Static_assert(offsetof(struct cpu, kernel_rsp) == CPU_KERNEL_RSP, "offsets.h");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "offsets.h");
_Static_assert(offsetof(struct cpu, work) == CPU_WORK, "offsets.h");
_Static_assert(offsetof(struct cpu, canary) == 40, "the compiler's");
_Static_assert(offsetof(struct regs, rbp) == REGS_RBP, "offsets.h");
_Static_assert(offsetof(struct regs, r11) == REGS_R11, "offsets.h");
_Static_assert(offsetof(struct regs, r10) == REGS_R10, "offsets.h");
_Static_assert(offsetof(struct regs, r9) == REGS_R9, "offsets.h");
_Static_assert(offsetof(struct regs, r8) == REGS_R8, "offsets.h");
_Static_assert(offsetof(struct regs, rax) == REGS_RAX, "offsets.h");
_Static_assert(offsetof(struct regs, rcx) == REGS_RCX, "offsets.h");
_Static_assert(offsetof(struct regs, rdi) == REGS_RDI, "offsets.h");
_Static_assert(offsetof(struct regs, orig_rax) == REGS_ORIG_RAX, "offsets.h");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "offsets.h");
_Static_assert(offsetof(struct regs, cs) == REGS_CS, "offsets.h");
_Static_assert(offsetof(struct regs, rflags) == REGS_RFLAGS, "offsets.h");
_Static_assert(offsetof(struct regs, rsp) == REGS_RSP, "offsets.h");
_Static_assert(offsetof(struct regs, ss) == REGS_SS, "offsets.h");
_Static_assert(sizeof(struct regs) == REGS_SIZE, "offsets.h");
_Static_assert(offsetof(struct arch_thread, rsp) == THREAD_RSP, "offsets.h");
_Static_assert(SEL_KERNEL_CS == KERNEL_CS && SEL_KERNEL_DS == KERNEL_DS, "offsets.h");
_Static_assert(SEL_USER_CS == USER_CS && SEL_USER32_CS == USER32_CS && SEL_USER_DS == USER_DS,
               "offsets.h");
_Static_assert(VEC_SYSCALL == VECTOR_SYSCALL && VEC_NMI == VECTOR_NMI, "offsets.h");

static struct arch_cpu arch_cpu_boot;
struct cpu cpu_boot = {.self = &cpu_boot, .arch = &arch_cpu_boot, .canary = 0x9d2c5680a7c83100};

bool cpu_features[CPU_FEATURES];
uint8_t cpu_slow_strings;

static struct cpu *cpus[ARCH_MAX_CPUS];
static unsigned nr_running; /* atomic */

/* Where STAC or CLAC belongs if there is SMAP, from its own place, and its code. */
struct smap_site {
    int32_t site;
    uint32_t code;
};
extern const struct smap_site smap_sites_start[], smap_sites_end[];

static void patch_smap(void)
{
    /* Three bytes each, through the direct map: the image itself is not writable. */
    for (const struct smap_site *s = smap_sites_start; s < smap_sites_end; s++)
        memcpy(direct_ptr((struct paddr){(uintptr_t)&s->site + s->site - IMAGE_BASE}), &s->code, 3);
}

/* Early on the boot CPU: what an emulator translates under other control bits it translates again under these. */
static void control_registers_init(uint64_t cr4_without)
{
    uint64_t cr0, cr4;

    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP | CR0_AM;
    __asm__ volatile("movq %0, %%cr0" ::"r"(cr0));

    /* Not CR4.PKE: protection keys make every signal frame larger and nobody here uses them. */
    cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    cr4 |= cpu_has(CPU_PGE) ? CR4_PGE : 0;
    cr4 |= cpu_has(CPU_XSAVE) ? CR4_OSXSAVE : 0;
    cr4 |= cpu_has(CPU_FSGSBASE) ? CR4_FSGSBASE : 0;
    cr4 |= cpu_has(CPU_UMIP) ? CR4_UMIP : 0;
    cr4 |= cpu_has(CPU_SMEP) ? CR4_SMEP : 0;
    cr4 |= cpu_has(CPU_SMAP) ? CR4_SMAP : 0;
    __asm__ volatile("movq %0, %%cr4" ::"r"(cr4 & ~cr4_without));
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
}

void cpu_detect(void)
{
    static const struct {
        uint32_t leaf;
        uint8_t reg, bit, feature;
    } bits[] = {
        {1, 3, 24, CPU_FXSR},
        {1, 2, 26, CPU_XSAVE},
        {1, 3, 13, CPU_PGE},
        {1, 2, 30, CPU_RDRAND},
        {1, 2, 21, CPU_X2APIC},
        {1, 2, 24, CPU_TSC_DEADLINE},
        {1, 2, 31, CPU_HYPERVISOR},
        {7, 1, 0, CPU_FSGSBASE},
        {7, 1, 7, CPU_SMEP},
        {7, 1, 20, CPU_SMAP},
        {7, 2, 2, CPU_UMIP},
        {7, 1, 18, CPU_RDSEED},
        {7, 2, 22, CPU_RDPID},
        {0x80000001, 3, 20, CPU_NX},
        {0x80000001, 3, 26, CPU_1G_PAGES},
        {0x80000001, 3, 27, CPU_RDTSCP},
        {0x80000007, 3, 8, CPU_TSC_INVARIANT},
    };
    uint32_t max = cpuid(0, 0).eax, max_ext = cpuid(0x80000000, 0).eax;

    for (unsigned i = 0; i < ARRAY_LEN(bits); i++) {
        if (bits[i].leaf > (bits[i].leaf >> 31 ? max_ext : max))
            continue;
        struct cpuid r = cpuid(bits[i].leaf, 0);
        uint32_t regs[] = {r.eax, r.ebx, r.ecx, r.edx};
        cpu_features[bits[i].feature] = regs[bits[i].reg] >> bits[i].bit & 1;
    }
    if (cpu_has(CPU_XSAVE) && max >= 0xd)
        cpu_features[CPU_XSAVEOPT] = cpuid(0xd, 1).eax & 1;
    else
        cpu_features[CPU_XSAVE] = false;
    control_registers_init(CR4_PGE); /* paging_init is going to change global pages */
    fpu_init_cpu();
    cpu_slow_strings = platform_hypervisor() == HYPERVISOR_TCG;
    if (cpu_has(CPU_SMAP))
        patch_smap();
    descriptors_init_idt();
    descriptors_init_cpu(&cpu_boot);
    cpus[0] = &cpu_boot; /* so that the array has no place in the image */
    cpu_boot.apic_id = cpuid(1, 0).ebx >> 24;
    uint64_t seed = rdtsc(), random;
    if (arch_random(&random))
        seed ^= random;
    cpu_boot.canary = (cpu_boot.canary ^ seed) & ~0xffull; /* the zero byte stops runaway strings */
}

static bool is_traced; /* from before other CPUs start, if at all */

void arch_trace_syscalls(void)
{
    is_traced = true;
    wrmsr(MSR_LSTAR, (uint64_t)entry_syscall_traced);
}

static void syscall_init(void)
{
    wrmsr(MSR_STAR, (uint64_t)USER32_CS << 48 | (uint64_t)KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, is_traced ? (uint64_t)entry_syscall_traced : (uint64_t)entry_syscall);
    wrmsr(MSR_CSTAR, (uint64_t)entry_syscall_compat);
    wrmsr(MSR_SFMASK, SFMASK);
    wrmsr(MSR_SYSENTER_CS, 0); /* SYSENTER faults */
}

void cpu_init_this(struct cpu *cpu)
{
    control_registers_init(0);
    __asm__ volatile("movl %0, %%gs" ::"r"(0));
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    descriptors_load(cpu);
    wrmsr(MSR_FS_BASE, 0);
    if (cpu_has(CPU_RDTSCP))
        wrmsr(MSR_TSC_AUX, cpu->index);
    syscall_init();
    fpu_init_cpu();
    arch_vm_activate(&paging_kernel_vm);
}

struct cpu *cpu_new(unsigned index, uint32_t apic_id)
{
    struct cpu *cpu = up_alloc(sizeof(*cpu));
    struct arch_cpu *arch = up_alloc(sizeof(*arch));

    if (!cpu || !arch) {
        up_free(cpu);
        up_free(arch);
        return NULL;
    }
    cpu->self = cpu;
    cpu->arch = arch;
    cpu->index = index;
    cpu->apic_id = apic_id;
    cpu->canary = cpu_boot.canary;
    descriptors_init_cpu(cpu);
    cpus[index] = cpu;
    return cpu;
}

void cpu_set_running(struct cpu *cpu)
{
    __atomic_store_n(&nr_running, cpu->index + 1, __ATOMIC_RELEASE);
}

unsigned arch_cpu_count(void)
{
    return __atomic_load_n(&nr_running, __ATOMIC_ACQUIRE);
}

struct cpu *arch_cpu(unsigned index)
{
    return cpus[index];
}

void arch_cpu_idle(void)
{
    this_cpu()->is_idle = true;
    /* STI lets no interrupt in before the next instruction has begun. */
    __asm__ volatile("sti; hlt; cli" ::: "memory");
    this_cpu()->is_idle = false;
}

bool arch_random(uint64_t *value)
{
    bool ok = false;

    for (unsigned tries = 0; tries < 10 && !ok && cpu_has(CPU_RDSEED); tries++)
        __asm__ volatile("rdseed %0" : "=r"(*value), "=@ccc"(ok));
    for (unsigned tries = 0; tries < 10 && !ok && cpu_has(CPU_RDRAND); tries++)
        __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
    return ok;
}

uint64_t arch_cycles(void)
{
    return rdtsc();
}

const char *arch_platform(bool is_i386)
{
    return is_i386 ? "i686" : "x86_64";
}

uint64_t arch_hwcap(void)
{
    return cpuid(1, 0).edx;
}

uint64_t arch_hwcap2(void)
{
    return cpu_has(CPU_FSGSBASE) ? 2 : 0; /* HWCAP2_FSGSBASE */
}
