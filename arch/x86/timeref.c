/* The HPET, the ACPI timer, the PIT and, under QEMU and KVM, the local APIC's counter as time
 * references. */
#include "timeref.h"

#include <base/log.h>

/* --- HPET --------------------------------------------------------------------------------- */

enum { HPET_PERIOD = 1, HPET_CONFIG = 4, HPET_COUNTER = 60, HPET_ENABLE = 1 }; /* 32-bit words */
static volatile uint32_t *hpet;

static uint64_t hpet_read(void)
{
    return hpet[HPET_COUNTER];
}

static struct timeref hpet_ref = {"HPET", 0, 0xffffffff, hpet_read};

static void hpet_find(void)
{
    if (!platform.hpet_pa)
        return;
    hpet = paging_map_device((struct paddr){platform.hpet_pa}, 4096);
    uint32_t period_fs = hpet ? hpet[HPET_PERIOD] : 0;
    if (period_fs < 1000 || period_fs > 100000000) /* the specification's upper limit: 100 ns */
        return;
    hpet[HPET_CONFIG] |= HPET_ENABLE;
    hpet_ref.hz = 1000000000000000 / period_fs;
}

/* --- the ACPI timer ----------------------------------------------------------------------- */

static uint64_t pm_read(void)
{
    return inl(platform.pm_timer.pa);
}

static struct timeref pm_ref = {"ACPI timer", 0, 0xffffff, pm_read};

static void pm_find(void)
{
    if (!platform.pm_timer.pa || !platform.pm_timer.is_io)
        return;
    pm_ref.hz = 3579545;
    if (platform.pm_timer_is_32_bits)
        pm_ref.mask = 0xffffffff;
}

/* --- PIT ---------------------------------------------------------------------------------- */

enum {
    PIT_0 = 0x40,
    PIT_2 = 0x42,
    PIT_CONTROL = 0x43,
    PIT_GATE = 0x61,
    PIT_2_RATE = 0xb4, /* channel 2, 16 bits, mode 2 */
    PIT_0_ONCE = 0x30, /* channel 0, 16 bits, mode 0 */
    PIT_2_LATCH = 0x80,
    PIT_2_READ_STATUS = 0xe8,
};

/* Channel 2, which raises no interrupt. */
static uint64_t pit_read(void)
{
    outb(PIT_CONTROL, PIT_2_LATCH);
    uint16_t left = inb(PIT_2);
    left |= inb(PIT_2) << 8;
    return (uint16_t)-left;
}

static struct timeref pit_ref = {"PIT", 0, 0xffff, pit_read};

static void pit_find(void)
{
    outb(PIT_GATE, (inb(PIT_GATE) & ~2) | 1); /* gate on, loudspeaker off */
    outb(PIT_CONTROL, PIT_2_RATE);
    outb(PIT_2, 0);
    outb(PIT_2, 0);
    outb(PIT_CONTROL, PIT_2_READ_STATUS);
    if ((inb(PIT_2) & 0x3f) != (PIT_2_RATE & 0x3f))
        return;
    pit_ref.hz = 1193182;
    /* The firmware left channel 0 ticking: let it run out, or an idle machine is not idle. */
    outb(PIT_CONTROL, PIT_0_ONCE);
    outb(PIT_0, 0);
    outb(PIT_0, 0);
}

/* --- the local APIC ----------------------------------------------------------------------- */

static uint64_t apic_read_up(void)
{
    return (uint32_t)-apic_timer_left();
}

static struct timeref apic_ref = {"APIC timer", 0, 0xffffffff, apic_read_up};

/* Only emulated ones have a frequency that is known: QEMU's and KVM's count nanoseconds. */
static void apic_find(void)
{
    enum hypervisor h = platform_hypervisor();
    if (h != HYPERVISOR_TCG && h != HYPERVISOR_KVM)
        return;
    apic_timer_start(0xffffffff);
    apic_ref.hz = 1000000000;
}

/* --- all ---------------------------------------------------------------------------------- */

void timeref_init(void)
{
    hpet_find();
    pm_find();
    pit_find();
    apic_find();
}

static const struct timeref *first_of(const struct timeref *const *refs, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (refs[i]->hz)
            return refs[i];
    return NULL;
}

const struct timeref *timeref_fine(void)
{
    static const struct timeref *const order[] = {&apic_ref, &hpet_ref, &pm_ref, &pit_ref};
    return first_of(order, ARRAY_LEN(order));
}

const struct timeref *timeref_steady(void)
{
    static const struct timeref *const order[] = {&hpet_ref, &pm_ref, &pit_ref};
    return first_of(order, ARRAY_LEN(order));
}

struct timeref_sample timeref_sample(const struct timeref *ref)
{
    struct timeref_sample best = {0};
    uint64_t shortest = UINT64_MAX;
    /* A read is a trap into the hypervisor, which may lose the CPU meanwhile: the quickest is the
     * truest. */
    for (unsigned i = 0; i < 5; i++) {
        uint64_t before = rdtsc();
        uint64_t count = ref->read();
        uint64_t took = rdtsc() - before;
        if (took < shortest) {
            shortest = took;
            best = (struct timeref_sample){before + took / 2, count};
        }
    }
    return best;
}

uint64_t timeref_tsc_hz(const struct timeref *ref, struct timeref_sample from,
                        struct timeref_sample to, uint64_t hz_guess)
{
    uint64_t ticks = to.tsc - from.tsc;
    uint64_t count = (to.count - from.count) & ref->mask;
    if (hz_guess) {
        /* How often it wrapped: the number that brings it nearest to what the guess expects. */
        uint64_t expected = muldiv(ticks, ref->hz, hz_guess);
        uint64_t period = ref->mask + 1;
        if (expected > count)
            count += (expected - count + period / 2) / period * period;
    }
    return count ? muldiv(ticks, ref->hz, count) : 0;
}

uint64_t timeref_apic_hz(void)
{
    return apic_ref.hz;
}
