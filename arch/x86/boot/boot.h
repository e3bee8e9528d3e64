/* The early C part of the boot: what boot.asm, the loader's information and the page tables agree on. */
#pragma once

#include "internal.h"

/* boot.asm's call into C, with what the loader left in EAX (PVH: the start_info's magic number) and EBX. */
noreturn void boot_main(uint32_t magic, uint32_t info_pa);

/* Decode the loader's information; panics when there is no memory map. */
const struct bootinfo *bootinfo_read(uint32_t magic, uint32_t info_pa);

/* Take page-aligned RAM below 4 GiB out of the map for good; contents undefined.  pa 0: none is that large. */
struct paddr bootinfo_reserve(uint64_t size);
