/* Everything the portable kernel asks of the CPU and the platform.  Nothing above this layer touches a
 * port, an MSR, a control register or a vector.  What the CPU asks of the kernel is in upcalls.h. */
#pragma once

#include <arch/cpu.h>
#include <arch/layout.h>
#include <arch/regs.h>
#include <base/types.h>

/* --- interrupts of this CPU ------------------------------------------------------------------- */

/* Interrupts off; answers whether they were on, for arch_irq_restore. */
static inline bool arch_irq_save(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return flags & RFLAGS_IF;
}

static inline void arch_irq_on(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline void arch_irq_off(void)
{
    __asm__ volatile("cli" ::: "memory");
}

static inline void arch_irq_restore(bool were_on)
{
    if (were_on)
        arch_irq_on();
}

static inline bool arch_irqs_are_on(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    return flags & RFLAGS_IF;
}

/* Inside a spin loop. */
static inline void arch_relax(void)
{
    __asm__ volatile("pause");
}

/* With interrupts off: turn them on and sleep until one comes, with no gap between the two in which a
 * wake-up could be lost; they are off again on return. */
void arch_cpu_idle(void);

/* Make CPU `index` run up_resched_irq.  Any context. */
void arch_send_resched(unsigned index);

/* Stop every other CPU for good, for panic: each notes where it was through up_halt_irq first. */
void arch_halt_others(void);
/* Interrupt every CPU, this one too, wherever it is, to run up_dump_nmi.  Any context; does not wait for them. */
void arch_dump_cpus(void);

/* Start the other CPUs (those of the ACPI or MP tables, up to `max` CPUs in all with this one) and wait until
 * they run; each ends up in up_cpu_main.  Boot CPU, once. */
void arch_start_cpus(unsigned max);
/* Say to the log what was found. */
void arch_log_machine(void);
/* From now on system calls arrive at up_syscall_traced.  On the boot CPU, before the others start. */
void arch_trace_syscalls(void);

/* --- device interrupts -------------------------------------------------------------------------- */

typedef void irq_handler(void *arg);

/* Call `handler` in interrupt context for every interrupt of the given line (ISA or ACPI global system
 * interrupt); lines may be shared.  0, -EBUSY or -ENODEV. */
must_check int arch_irq_line(unsigned gsi, bool is_level, irq_handler *handler, void *arg);

/* A message-signalled interrupt of one CPU: the address and data that a device must write.  0 or -ENOSPC. */
must_check int arch_irq_msi(unsigned cpu, irq_handler *handler, void *arg, uint64_t *address,
                            uint32_t *data);

/* --- threads -------------------------------------------------------------------------------------- */

struct arch_selectors {
    union {
        struct {
            uint16_t ds, es, fs, gs;
        };
        uint64_t all; /* 0: none has anything loaded, as in most 64-bit programs */
    };
};

/* What a CPU keeps for a thread; the first member of core's struct thread. */
struct arch_thread {
    uint64_t rsp;                    /* kernel stack pointer while switched out */
    uint64_t stack_top;              /* the user's struct regs lies just below */
    uint64_t fs_base, gs_base;       /* the user's, true while switched out */
    void *fpu;                       /* XSAVE area; NULL for a thread that never leaves ring 0 */
    uint64_t tls[3];                 /* descriptors of set_thread_area(2): see arch_tls_set */
    struct arch_selectors selectors; /* the user's, true while switched out */
    unsigned fpu_cpu;                /* the CPU whose registers may still hold `fpu` */
};

/* Prepare a new thread so that the first arch_switch to it calls entry(arg) on its own stack with interrupts
 * off; `entry` never returns.  With `is_user`, allocates a clean FPU state; -ENOMEM. */
must_check int arch_thread_init(struct arch_thread *t, void *stack_top, void (*entry)(void *),
                                void *arg, bool is_user);
void arch_thread_destroy(struct arch_thread *t);

/* Leave `prev`, continue `next`: switches stacks, FPU state, FS/GS bases, this_cpu()->current, ->kernel_rsp
 * and TSS.rsp0.  Interrupts off.  Returns when someone switches back to `prev`, and answers the thread
 * that was left for it (the scheduler finishes that one: it may be free to run elsewhere). */
struct thread *arch_switch(struct thread *prev, struct thread *next);

/* The user's registers of a thread, on its kernel stack: true while the thread is in the kernel. */
static inline struct regs *arch_user_regs(struct arch_thread *t)
{
    return (struct regs *)t->stack_top - 1;
}

/* Start running ring 3 with arch_user_regs of the current thread. */
noreturn void arch_enter_user(void);

/* The current thread's FS or GS base as arch_prctl(2) sees it.  -EPERM outside user space, as Linux. */
must_check int arch_set_fs_base(uint64_t base);
must_check int arch_set_gs_base(uint64_t base);
uint64_t arch_get_fs_base(void);
uint64_t arch_get_gs_base(void);

/* The current thread's selectors.  Setting one to what it is keeps its base; a bad one becomes 0. */
void arch_get_selectors(struct arch_selectors *s);
void arch_set_selectors(const struct arch_selectors *s);

/* Segments, bases, TLS descriptors and FPU of the current thread as a fresh program finds them (execve). */
void arch_user_reset(bool is_i386);

/* Descriptors for set_thread_area(2), numbered as in the GDT; struct user_desc is <asm/ldt.h>'s.  arch_tls_set: of the
 * current thread, or of one that has not run yet; 0 or -EINVAL (the entry or the description).  arch_tls_find_free:
 * an unused entry of the current thread, or -ESRCH. */
struct user_desc;
#define ARCH_TLS_FIRST   12
#define ARCH_TLS_ENTRIES 3
must_check int arch_tls_set(struct arch_thread *t, unsigned entry, const struct user_desc *d);
must_check int arch_tls_get(unsigned entry, struct user_desc *d);
must_check int arch_tls_find_free(void);
/* Load the current thread's changed tls[]. */
void arch_tls_load(void);

/* Copy the current thread's FPU state (live registers) and TLS into a new thread's (clone). */
void arch_thread_copy_user_state(struct arch_thread *to);

/* --- the FPU in signal frames ------------------------------------------------------------------- */

/* Bytes of the user-visible state (Linux's fpstate with the FP_XSTATE_MAGIC2 trailer); 64-byte aligned. */
size_t arch_fpu_frame_size(void);
/* Write it at `frame`, exactly as Linux's sw_reserved and header say.  0 or -EFAULT. */
must_check int arch_fpu_to_user(struct uptr frame);
/* Load it back; a NULL frame resets the FPU to its initial state.  0, -EFAULT, or -EINVAL when hostile. */
must_check int arch_fpu_from_user(struct uptr frame);
/* The same for i386 frames: the x87 state as FSAVE writes it lies in the ARCH_FSAVE_SIZE bytes before. */
#define ARCH_FSAVE_SIZE 112
must_check int arch_fpu_to_user_32(struct uptr frame);
must_check int arch_fpu_from_user_32(struct uptr frame);
/* Which unmasked exceptions the current thread's x87 (vector 16) or SSE unit (19) has raised: IE DE ZE OE UE PE
 * from bit 0 on.  For the si_code of a SIGFPE. */
static inline unsigned arch_fpu_exceptions(unsigned vector)
{
    uint16_t control, status;
    uint32_t mxcsr;
    if (vector == 19) {
        __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
        return mxcsr & ~(mxcsr >> 7) & 0x3f;
    }
    __asm__ volatile("fnstcw %0; fnstsw %1" : "=m"(control), "=m"(status));
    return status & ~control & 0x3f;
}
/* Back to the state of a fresh program (execve). */
void arch_fpu_reset(void);

/* --- address spaces ------------------------------------------------------------------------------- */

/* The page tables of one program; upper half shared by all. */
struct arch_vm {
    struct paddr root;
    uint64_t cpus;    /* bit n: CPU n may hold translations; atomic */
    uint64_t retired; /* physical: page tables that are free behind the next flush; atomic */
};

enum {
    MAP_R = 1,
    MAP_W = 2,
    MAP_X = 4,
    MAP_USER = 8,
    MAP_BIG = 16,
    MAP_UNCACHED = 32,
    MAP_DIRTY = 64
};

must_check int arch_vm_init(struct arch_vm *vm); /* 0 or -ENOMEM */
/* Frees page tables, not the pages; CPUs that are still on it (idle, in a kernel thread) leave it first.  Interrupts
 * on, no spinlock held. */
void arch_vm_destroy(struct arch_vm *vm);
/* Make it this CPU's.  Interrupts off. */
void arch_vm_activate(struct arch_vm *vm);

/* Map one page (with MAP_BIG one 2 MiB page) at `va`, over nothing or over an older mapping of it; an older
 * table of small pages under a MAP_BIG va must be empty.  No TLB flush.  0 or -ENOMEM.  The caller holds the
 * lock that guards the tables of this `vm` (core/vm.c's). */
must_check int arch_map(struct arch_vm *vm, uintptr_t va, struct paddr pa, unsigned flags);

/* Visit every present entry in [start, end): the callback gets its address, size (4 KiB or 2 MiB) and what it
 * maps, and answers what becomes of it; VISIT_STOP leaves it and all that follow alone.  0, or 1 when stopped.  A big
 * page that straddles the range is split first (-ENOMEM if there is no page for its table).  No TLB flush.  Same lock.
 * The callback may call arch_map, over the entry it was called for or outside the range. */
enum visit { VISIT_KEEP, VISIT_CLEAR, VISIT_STOP };
typedef enum visit arch_visit_fn(void *arg, uintptr_t va, size_t size, struct paddr pa,
                                 unsigned flags);
must_check int arch_visit(struct arch_vm *vm, uintptr_t start, uintptr_t end, arch_visit_fn *visit,
                          void *arg);

/* Change the rights of every present entry in the range (same splitting, no flush, same lock). */
must_check int arch_protect(struct arch_vm *vm, uintptr_t start, uintptr_t end, unsigned flags);

/* What maps `va`: false when nothing does.  `size` is 4 KiB or 2 MiB. */
bool arch_lookup(struct arch_vm *vm, uintptr_t va, struct paddr *pa, size_t *size, unsigned *flags);

/* Take out page-table pages wholly inside [start, end) whose entries are all clear (same lock).  The next arch_flush
 * of this vm frees them. */
void arch_prune(struct arch_vm *vm, uintptr_t start, uintptr_t end);

/* Forget [start, end) on every CPU that may hold it, and wait for that.  Interrupts on, no spinlock held. */
void arch_flush(struct arch_vm *vm, uintptr_t start, uintptr_t end);

/* Page-granular kernel mappings in [KMAP_BASE, +KMAP_SIZE) and VMEMMAP: same flags.  Takes no lock: an address
 * belongs to its caller.  Any context.  After arch_kunmap the pages behind are still in use until an arch_kflush that
 * covers the addresses: it interrupts every CPU and waits, so one for many is much cheaper (interrupts on, no spinlock
 * held). */
must_check int arch_kmap(uintptr_t va, struct paddr pa, unsigned flags);
void arch_kunmap(uintptr_t va, size_t size);
void arch_kflush(uintptr_t start, uintptr_t end);

/* The direct map: extends it over [start, start + size) of RAM or device memory (cheap when done already). */
void arch_direct_map(struct paddr start, uint64_t size);

static inline void *direct_ptr(struct paddr p)
{
    return (void *)(DIRECT_BASE + p.pa);
}

static inline struct paddr direct_paddr(const void *p)
{
    return (struct paddr){(uint64_t)p - DIRECT_BASE};
}

void arch_zero_page(void *page); /* 4 KiB; never byte by byte (TARGETS.md: erms under TCG) */
void arch_copy_page(void *dst, const void *src);
void arch_copy(void *dst, const void *src, size_t n); /* memcpy, for hundreds of bytes; n < 2^32 */
/* The Internet's sum (RFC 1071) of bytes as they lie in memory, as 64 bits that are yet to be folded; n < 2^32. */
uint64_t arch_sum(const void *bytes, size_t n);

/* --- user memory ------------------------------------------------------------------------------------ */

/* Copy between kernel and user memory: answers the number of bytes NOT copied.  A fault on the user side goes
 * to up_page_fault and, if that cannot help, ends the copy.  `core/usercopy.h` is what others call. */
size_t arch_copy_from_user(void *dst, uintptr_t src, size_t n);
size_t arch_copy_to_user(uintptr_t dst, const void *src, size_t n);
size_t arch_zero_user(uintptr_t dst, size_t n);
/* Length of the string at `src` up to `max` while copying it with its NUL; max if no NUL was met, -EFAULT. */
long arch_copy_string_from_user(char *dst, uintptr_t src, size_t max);
/* One word of 8 or 4 bytes, aligned or not; 0 or -EFAULT (then a part of it may have been stored). */
must_check int arch_user_load64(uintptr_t va, uint64_t *value);
must_check int arch_user_store64(uintptr_t va, uint64_t value);
must_check int arch_user_store64_pair(uintptr_t va, uint64_t value, size_t offset, uint64_t second);
must_check int arch_user_store32(uintptr_t va, uint32_t value);
/* 32-bit atomics on user memory; 0 or -EFAULT. */
must_check int arch_user_load32(uintptr_t va, uint32_t *value);
must_check int arch_user_cmpxchg32(uintptr_t va, uint32_t expected, uint32_t desired,
                                   uint32_t *seen);

/* --- time ------------------------------------------------------------------------------------------- */

uint64_t arch_clock_ns(void);           /* monotonic, from boot */
uint64_t arch_wall_offset_ns(void);     /* CLOCK_REALTIME minus arch_clock_ns */
void arch_set_wall_offset_ns(uint64_t); /* clock_settime; updates the vDSO's data too */
/* One interrupt on this CPU at or soon after arch_clock_ns() == deadline; UINT64_MAX: none. */
void arch_timer_arm(uint64_t deadline_ns);

/* --- vDSO --------------------------------------------------------------------------------------------- */

/* The pages a program gets: `vvar` (read-only data, one page) directly below `text` (the ELF image). */
struct arch_vdso {
    struct paddr vvar;
    const void *text; /* page aligned, in the kernel image */
    size_t text_size; /* bytes, a multiple of PAGE_SIZE */
    /* i386: where its entry (AT_SYSINFO) and the ends of signal handlers are, from the start of `text` */
    uint32_t vsyscall, sigreturn, rt_sigreturn;
};
const struct arch_vdso *arch_vdso_64(void);
const struct arch_vdso *arch_vdso_32(void);

/* --- the rest --------------------------------------------------------------------------------------- */

bool arch_random(uint64_t *value); /* RDSEED or RDRAND; false: the CPU has none or it failed */
uint64_t arch_cycles(void);        /* TSC, for entropy and statistics only */
const char *arch_platform(bool is_i386);                       /* AT_PLATFORM: "x86_64", "i686" */
uint64_t arch_hwcap(void);                                     /* AT_HWCAP: CPUID.1:EDX */
uint64_t arch_hwcap2(void);                                    /* AT_HWCAP2 */
size_t arch_minsigstksz(void);                                 /* AT_MINSIGSTKSZ */
unsigned arch_cpuinfo(unsigned index, char *buf, size_t size); /* a /proc/cpuinfo stanza; bytes */

/* End the machine: `status` reaches isa-debug-exit where one exists, then ACPI S5 and the fallbacks. */
noreturn void arch_poweroff(unsigned status);
noreturn void arch_reboot(void);

/* The first serial port, polled: for the log and panics.  Any context. */
void arch_serial_write(const char *s, size_t n);
bool arch_serial_is_present(void);
/* A byte that has arrived; false when there is none.  Any context. */
bool arch_serial_read(uint8_t *byte);
/* Call `handler` in interrupt context when bytes arrive; once, at boot.  0 or what arch_irq_line answers. */
must_check int arch_serial_listen(irq_handler *handler, void *arg);

/* Return addresses of the call chain that starts at `frame` (0: the caller's own), at most `max`, reading only mapped
 * kernel stack; builds without frame pointers may list returned calls between the true ones.  Any context. */
unsigned arch_backtrace(uint64_t frame, uint64_t *out, unsigned max);
/* Where arch_backtrace starts for a thread that is switched out, or was interrupted in the kernel. */
uint64_t arch_thread_frame(const struct arch_thread *t);
uint64_t arch_regs_frame(const struct regs *regs);
