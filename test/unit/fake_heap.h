/* fake_kernel.h with the kernel's own allocators over 64 MiB, for what is tested and allocates: include it first.  The
 * test's source names kernel/base/tree.c. */
#pragma once

#include "fake_kernel.h"

#include "../../kernel/core/heap.c"
#include "../../kernel/core/page.c"
#include "../../kernel/core/page_grow.c"
#include "../../kernel/core/slab.c"

static const struct bootinfo machine = {.nr_ranges = 1,
                                        .ranges = {{{1 << 20}, 63 << 20, BOOT_RAM}}};

static int set_up(void **state)
{
    fake_ram(64 << 20);
    page_init(&machine);
    heap_init();
    return 0;
}
