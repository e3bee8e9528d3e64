/* The FPU state in i386 signal frames: what fpu.c writes, and in front of it the x87 part once more, as FSAVE has it.
 *
 *   0     FSAVE's image, 108 bytes; the status word again; X86_FXSR_MAGIC (there is more)
 *   112   the frame of fpu.c, 64-byte aligned
 *
 * On the way back the x87 part is taken from the first, all else from the second, as Linux does. */
#include <asm/sigcontext.h>
#include <base/errno.h>
#include <base/string.h>
#include <i386/layout.h>

#include "fpu.h"

_Static_assert(offsetof(union i386_fpstate, fxsave) == ARCH_FSAVE_SIZE, "the FXSAVE image follows");

enum { X87_REGISTERS = 8, X87_BYTES = 10, FXSAVE_SLOT = 16 };
enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

/* The start of an FXSAVE image, 64-bit form. */
struct fxsave {
    uint16_t control, status;
    uint8_t full, reserved; /* `full`: one bit for each physical register that is not empty */
    uint16_t opcode;
    uint64_t ip, data;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[X87_REGISTERS][FXSAVE_SLOT]; /* by distance from the top of the stack */
};

static struct fxsave *current_state(void)
{
    return ((struct arch_thread *)current_thread())->fpu;
}

static unsigned top_of_stack(uint16_t status)
{
    return status >> 11 & 7;
}

static unsigned tag_of(const uint8_t *st)
{
    uint64_t significand;
    uint16_t exponent;

    memcpy(&significand, st, sizeof(significand));
    memcpy(&exponent, st + sizeof(significand), sizeof(exponent));
    exponent &= 0x7fff;
    if (exponent == 0x7fff)
        return TAG_SPECIAL;
    if (exponent == 0)
        return significand == 0 ? TAG_ZERO : TAG_SPECIAL;
    return significand >> 63 ? TAG_VALID : TAG_SPECIAL;
}

/* FSAVE's tag word has two bits for each physical register. */
static uint32_t tags_of(const struct fxsave *fx)
{
    uint32_t tags = 0;

    for (unsigned i = 0; i < X87_REGISTERS; i++) {
        const uint8_t *st = fx->st[(i - top_of_stack(fx->status)) % X87_REGISTERS];
        tags |= (fx->full >> i & 1 ? tag_of(st) : TAG_EMPTY) << (2 * i);
    }
    return tags;
}

static uint8_t full_of(uint32_t tags)
{
    uint8_t full = 0;

    for (unsigned i = 0; i < X87_REGISTERS; i++)
        if ((tags >> (2 * i) & 3) != TAG_EMPTY)
            full |= 1u << i;
    return full;
}

int arch_fpu_to_user_32(struct uptr frame)
{
    const uint32_t high = 0xffff0000;
    const struct fxsave *fx = current_state();
    union i386_fpstate legacy = {.bytes = {0}};
    struct arch_selectors selectors;
    uint32_t size = (uint32_t)(arch_fpu_frame_size() + ARCH_FSAVE_SIZE);
    struct uptr at_size =
        uptr_add(frame, ARCH_FSAVE_SIZE + FXSAVE_SIZE - sizeof(struct _fpx_sw_bytes) +
                            offsetof(struct _fpx_sw_bytes, extended_size));

    fpu_save_full(current_state()); /* a switch from here on only writes the same again */
    arch_get_selectors(&selectors);
    legacy.cw = fx->control | high;
    legacy.sw = fx->status | high;
    legacy.tag = tags_of(fx) | high;
    legacy.ipoff = (uint32_t)fx->ip;
    legacy.cssel = (uint32_t)arch_user_regs((struct arch_thread *)current_thread())->cs;
    legacy.dataoff = (uint32_t)fx->data;
    legacy.datasel = selectors.ds | high;
    for (unsigned i = 0; i < X87_REGISTERS; i++)
        memcpy(legacy.st + i * X87_BYTES, fx->st[i], X87_BYTES);
    legacy.status = fx->status;
    if (frame.va > USER_TOP - size || arch_copy_to_user(frame.va, &legacy, ARCH_FSAVE_SIZE) != 0)
        return -EFAULT;
    int err = arch_fpu_to_user(uptr_add(frame, ARCH_FSAVE_SIZE));
    if (err == 0 && arch_copy_to_user(at_size.va, &size, sizeof(size)) != 0)
        err = -EFAULT;
    return err;
}

static void take_x87(struct fxsave *fx, const union i386_fpstate *legacy)
{
    fx->control = (uint16_t)legacy->cw;
    fx->status = (uint16_t)legacy->sw;
    fx->full = full_of(legacy->tag);
    fx->opcode = (uint16_t)(legacy->cssel >> 16);
    fx->ip = legacy->ipoff;
    fx->data = legacy->dataoff;
    for (unsigned i = 0; i < X87_REGISTERS; i++)
        memcpy(fx->st[i], legacy->st + i * X87_BYTES, X87_BYTES);
}

int arch_fpu_from_user_32(struct uptr frame)
{
    union i386_fpstate legacy;

    if (uptr_is_null(frame))
        return arch_fpu_from_user(frame);
    if (frame.va > USER_TOP - ARCH_FSAVE_SIZE ||
        arch_copy_from_user(&legacy, frame.va, ARCH_FSAVE_SIZE) != 0) {
        arch_fpu_reset();
        return -EFAULT;
    }
    int err = arch_fpu_from_user(uptr_add(frame, ARCH_FSAVE_SIZE));
    if (err < 0)
        return err;
    bool irqs = arch_irq_save(); /* a switch would write over the area */
    fpu_save_full(current_state());
    take_x87(current_state(), &legacy);
    fpu_set_x87(current_state());
    fpu_load(current_state());
    arch_irq_restore(irqs);
    return 0;
}
