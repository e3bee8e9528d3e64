/* A host process as the machine under kernel/core: include it first, then the .c files under test.
 *
 * "Physical memory" is an anonymous mapping at DIRECT_BASE, struct pages live at VMEMMAP_BASE, page tables are a
 * sorted array, locks count, and one CPU runs it all. */
#pragma once

#ifndef YOLK_DEBUG
#define YOLK_DEBUG 1
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_random.h"

/* --- arch: the real declarations, without what needs ring 0 ---------------------------------------- */

#include <arch/layout.h>
#undef DIRECT_BASE
#undef VMEMMAP_BASE
#define DIRECT_BASE  0x200000000000UL
#define VMEMMAP_BASE 0x300000000000UL

#define this_cpu         ring0_this_cpu
#define current_thread   ring0_current_thread
#define arch_irq_save    ring0_irq_save
#define arch_irq_on      ring0_irq_on
#define arch_irq_off     ring0_irq_off
#define arch_irq_restore ring0_irq_restore
#define arch_irqs_are_on ring0_irqs_are_on
#include <arch/arch.h>
#include <arch/upcalls.h>
#undef this_cpu
#undef current_thread
#undef arch_irq_save
#undef arch_irq_on
#undef arch_irq_off
#undef arch_irq_restore
#undef arch_irqs_are_on

#include <base/errno.h>

static struct cpu fake_cpu;
static bool fake_irqs = true;
static int fake_spins; /* spinlocks held */

static inline struct cpu *this_cpu(void)
{
    return &fake_cpu;
}

static inline bool arch_irq_save(void)
{
    bool were_on = fake_irqs;
    fake_irqs = false;
    return were_on;
}

static inline void arch_irq_restore(bool were_on)
{
    fake_irqs = were_on;
}

static inline bool arch_irqs_are_on(void)
{
    return fake_irqs;
}

#include <core/lock.h>

static unsigned fake_cpus = 1;

unsigned arch_cpu_count(void)
{
    return fake_cpus;
}

uint64_t arch_clock_ns(void)
{
    static uint64_t ns;
    return ns += 1000;
}

void arch_zero_page(void *page)
{
    memset(page, 0, PAGE_SIZE);
}

void arch_copy_page(void *dst, const void *src)
{
    memcpy(dst, src, PAGE_SIZE);
}

void arch_direct_map(struct paddr start, uint64_t size)
{
}

int arch_kmap(uintptr_t va, struct paddr pa, unsigned flags)
{
    return 0;
}

/* --- base and core --------------------------------------------------------------------------------- */

noreturn void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    abort();
}

static unsigned fake_log_lines;

void log_line(enum log_level level, const char *format, ...)
{
    fake_log_lines++;
}

void spin_init(struct spinlock *l, enum lock_rank rank)
{
    memset(l, 0, sizeof(*l));
}

void spin_lock(struct spinlock *l)
{
    if (l->cpu_plus_1)
        panic("spinlock taken twice");
    l->cpu_plus_1 = 1;
    fake_spins++;
}

void spin_unlock(struct spinlock *l)
{
    if (!l->cpu_plus_1)
        panic("spinlock not held");
    l->cpu_plus_1 = 0;
    fake_spins--;
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
    memset(m, 0, sizeof(*m));
}

void mutex_lock(struct mutex *m)
{
    if (m->owner || fake_spins || !fake_irqs)
        panic("mutex_lock: held already, or in a context that may not sleep");
    m->owner = 2;
}

void mutex_unlock(struct mutex *m)
{
    if (!m->owner)
        panic("mutex not held");
    m->owner = 0;
}

bool mutex_is_held(const struct mutex *m)
{
    return m->owner != 0;
}

/* --- physical memory --------------------------------------------------------------------------------- */

static void fake_ram(uint64_t bytes)
{
    size_t pages = bytes / PAGE_SIZE * 32;
    void *ram = mmap((void *)DIRECT_BASE, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    void *map = mmap((void *)VMEMMAP_BASE, pages, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(ram, DIRECT_BASE);
    assert_ptr_equal(map, VMEMMAP_BASE);
}

/* kernel/core/kstack.c is never under test here. */
#include <core/heap.h>
size_t kstack_free_pages(void)
{
    return 0;
}
