/* A program carried inside the kernel's own image: what `yolk pack -f elf` fills in.
 *
 * The kernel defines `boot_embedded` in a loaded, initialised section, with the magic and zeros.  The host command
 * finds it in the image by the magic, adds a PT_LOAD segment at the first 2 MiB boundary behind the kernel that holds
 * the module followed by the command line, and writes both places here.  At boot a module_size other than 0 means: the
 * module is boot_module 0, when the loader gave none; the command line stands for an empty one of the loader's; and
 * the range [module, cmdline + cmdline_size) is not free memory. */
#pragma once

#include <stdint.h>

#define BOOT_EMBEDDED_MAGIC "YOLK-EMBEDDED-1" /* 16 bytes with its NUL */

struct boot_embedded {
    char magic[16];
    uint64_t module, module_size;   /* physical address, bytes */
    uint64_t cmdline, cmdline_size; /* the same; the size counts the final NUL */
};
extern const volatile struct boot_embedded boot_embedded;
