/* Hands the built-in vDSO image and the page it reads to whoever maps them into a program. */
#include "platform.h"

/* image.asm */
extern const uint8_t vdso_image_64[];
extern const uint64_t vdso_image_64_size;

static struct arch_vdso vdso_64;

void vdso_init(void)
{
    vdso_64 = (struct arch_vdso){
        .vvar = clock_vvar_paddr(),
        .text = vdso_image_64,
        .text_size = vdso_image_64_size,
    };
}

const struct arch_vdso *arch_vdso_64(void)
{
    return &vdso_64;
}
