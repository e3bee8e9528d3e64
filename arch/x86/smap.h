/* Opening user memory to ring 0 for an instruction or two, where the CPU has SMAP: cpu.c writes STAC and CLAC over
 * these no-operations.  For inline assembly; usercopy.asm and entry.asm have their own. */
#pragma once

#define SMAP_SITE(code)                   \
    "771: .byte 0x0f, 0x1f, 0x00\n\t"     \
    ".pushsection .smap_sites, \"a\"\n\t" \
    ".long 771b - ., " code "\n\t"        \
    ".popsection\n\t"
#define STAC SMAP_SITE("0xcb010f")
#define CLAC SMAP_SITE("0xca010f")
