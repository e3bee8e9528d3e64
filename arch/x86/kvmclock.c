/* KVM's paravirtual clock, of which only the TSC's frequency and the wall time at boot are used:
 * with a TSC that all CPUs share there is nothing else to ask the host for. */
#include "platform.h"

#include <asm/kvm_para.h>

/* What the host writes (<asm/pvclock-abi.h>, which Linux does not export). */
struct pvclock_time {
    uint32_t version, pad0;
    uint64_t tsc_timestamp, system_time;
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags, pad[2];
};
struct pvclock_wall {
    uint32_t version, sec, nsec;
};

static struct {
    struct pvclock_time time;
    struct pvclock_wall wall;
} shared __attribute__((aligned(64)));

static uint64_t shared_pa(const void *p)
{
    return (uint64_t)p - IMAGE_BASE;
}

static bool has_kvmclock(void)
{
    return platform_hypervisor() == HYPERVISOR_KVM &&
           (cpuid(KVM_CPUID_FEATURES, 0).eax & (1 << KVM_FEATURE_CLOCKSOURCE2));
}

/* ns = ((ticks << shift) * mul) >> 32, as the interface defines it. */
static uint64_t ticks_to_ns(uint64_t ticks)
{
    int8_t shift = shared.time.tsc_shift;
    ticks = shift >= 0 ? ticks << shift : ticks >> -shift;
    return (unsigned __int128)ticks * shared.time.tsc_to_system_mul >> 32;
}

uint64_t kvmclock_tsc_hz(void)
{
    if (!has_kvmclock())
        return 0;
    wrmsr(MSR_KVM_SYSTEM_TIME_NEW, shared_pa(&shared.time) | 1);
    __asm__ volatile("" ::: "memory"); /* the host has filled it in when the instruction is over */
    uint32_t mul = shared.time.tsc_to_system_mul;
    int8_t shift = shared.time.tsc_shift;
    if (!mul || shift < -31 || shift > 31)
        return 0;
    uint64_t hz = muldiv(1000000000, 1ull << 32, mul);
    return shift >= 0 ? hz >> shift : hz << -shift;
}

uint64_t kvmclock_wall_ns(uint64_t tsc)
{
    if (!has_kvmclock())
        return 0;
    wrmsr(MSR_KVM_SYSTEM_TIME_NEW, shared_pa(&shared.time) | 1);
    wrmsr(MSR_KVM_WALL_CLOCK_NEW, shared_pa(&shared.wall));
    __asm__ volatile("" ::: "memory");
    uint64_t ns = 0;
    if (shared.wall.sec)
        ns = shared.wall.sec * 1000000000ull + shared.wall.nsec + shared.time.system_time +
             ticks_to_ns(tsc > shared.time.tsc_timestamp ? tsc - shared.time.tsc_timestamp : 0);
    /* Off again: nobody reads it from now on, and the host need not write it. */
    wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
    return ns;
}
