/* Hands the built-in vDSO images and the page they read to whoever maps them into a program. */
#include "platform.h"

/* image.asm */
extern const uint8_t vdso_image_64[];
extern const uint64_t vdso_image_64_size;
extern const uint8_t vdso_image_32[];
extern const uint64_t vdso_image_32_size;

static struct arch_vdso vdso_64, vdso_32;

/* The i386 one's ELF entry is the first of three pieces of code (user/vdso_i386.c). */
enum { ELF32_ENTRY = 24, PIECE_BYTES = 16 };

void vdso_init(void)
{
    vdso_64 = (struct arch_vdso){
        .vvar = clock_vvar_paddr(),
        .text = vdso_image_64,
        .text_size = vdso_image_64_size,
    };
    uint32_t entry = *(const uint32_t *)(vdso_image_32 + ELF32_ENTRY);
    vdso_32 = (struct arch_vdso){
        .vvar = clock_vvar_paddr(),
        .text = vdso_image_32,
        .text_size = vdso_image_32_size,
        .vsyscall = entry,
        .sigreturn = entry + PIECE_BYTES,
        .rt_sigreturn = entry + 2 * PIECE_BYTES,
    };
}

const struct arch_vdso *arch_vdso_32(void)
{
    return &vdso_32;
}

const struct arch_vdso *arch_vdso_64(void)
{
    return &vdso_64;
}
