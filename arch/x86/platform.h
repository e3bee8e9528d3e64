/* What the platform's files (apic, ioapic, clock, power, serial, smp) know of each other. */
#pragma once

#include "internal.h"
#include "machine.h"

/* machine.c's result for this machine; set by platform_init, read-only afterwards. */
extern struct machine platform;

/* A lock for the few instructions in which this layer changes a shared table; the ranked locks live
 * above. */
struct platform_lock {
    bool is_taken;
};

/* Interrupts off and the lock taken; answers what platform_unlock wants back. */
static inline bool platform_lock(struct platform_lock *l)
{
    bool irqs_were_on = arch_irq_save();
    while (__atomic_test_and_set(&l->is_taken, __ATOMIC_ACQUIRE))
        arch_relax();
    return irqs_were_on;
}

static inline void platform_unlock(struct platform_lock *l, bool irqs_were_on)
{
    __atomic_clear(&l->is_taken, __ATOMIC_RELEASE);
    arch_irq_restore(irqs_were_on);
}

/* a * b / c without overflow in between; UINT64_MAX when the result does not fit.  (The compiler's
 * own 128-bit division would be a call into its library.) */
static inline uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t hi = product >> 64, lo = product, rest;
    if (hi >= c)
        return UINT64_MAX;
    __asm__("divq %4" : "=a"(lo), "=d"(rest) : "a"(lo), "d"(hi), "rm"(c) : "cc");
    return lo;
}

/* --- serial.c */
void serial_init(void);

/* --- apic.c: the local APIC */
void apic_init_boot(void); /* find and map it; before anything else here */
void apic_init_this(void); /* on each CPU: enable it, mask everything but what we use */
uint32_t apic_id_of_this(void);
/* INIT or STARTUP to a CPU that does not run yet. */
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
/* The timer counts down from `count` once and interrupts; 0 stops it. */
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);
void apic_timer_set_mode(bool is_tsc_deadline);
/* Where a device's message goes: the MSI address for the CPU with this id. */
uint64_t apic_msi_address(uint32_t apic_id);

/* --- ioapic.c */
void ioapic_init(void); /* masks every pin, and the legacy PIC */
/* Deliver global interrupt `gsi` as `vector` to the boot CPU.  -ENODEV: no such pin. */
must_check int ioapic_route(uint32_t gsi, unsigned vector, bool is_level, bool is_low);

/* --- clock.c */
void clock_init_boot(void); /* calibrates; at most a millisecond */
void clock_log(void);
void clock_init_this(void); /* the timer of each CPU */
/* The page of struct vvar, for programs to read. */
struct paddr clock_vvar_paddr(void);
/* Spin for at least this long; works after clock_init_boot. */
void clock_delay_ns(uint64_t ns);

/* The hypervisor's signature leaf; which of those we know something about. */
enum hypervisor { HYPERVISOR_NONE, HYPERVISOR_OTHER, HYPERVISOR_TCG, HYPERVISOR_KVM };
enum hypervisor platform_hypervisor(void);

/* --- wallclock.c: nanoseconds since 1970 as the machine's own clock has it; 0: there is none. */
uint64_t wallclock_read_ns(void);

/* --- kvmclock.c: what KVM tells its guests about time. */
uint64_t kvmclock_tsc_hz(void);          /* 0: no kvmclock */
uint64_t kvmclock_wall_ns(uint64_t tsc); /* wall time at `tsc`; 0: no kvmclock */

/* --- power.c */
void power_init(void); /* maps the registers that power-off will need */

/* --- vdso/vdso.c */
void vdso_init(void);
