/* The FPU: x87, SSE, AVX, AVX-512 state of programs.
 *
 * The kernel is compiled without these registers, so they hold the program's state from one switch to the next.
 * XSAVE (standard format) where the CPU has it, else FXSAVE.  The frame that a signal handler sees is the one that
 * Linux documents in <asm/sigcontext.h>:
 *
 *   0    fxsave image, 512 bytes, its last 48 the struct _fpx_sw_bytes
 *   512  XSAVE header, 64 bytes       } only with
 *   576  AVX and further state        } XSAVE
 *   ...  FP_XSTATE_MAGIC2             }
 */
#include "fpu.h"

#include <asm/sigcontext.h>
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>

#include "exception.h"
#include "smap.h"

#define FX_MXCSR      24
#define XSTATE_BV     FXSAVE_SIZE /* first word of the header: what the state holds */
#define MXCSR_DEFAULT 0x1f80u
#define FCW_DEFAULT   0x037fu

#define XFEATURE_X87    0x01ull
#define XFEATURE_FPSSE  0x03ull
#define XFEATURE_AVX    0x04ull
#define XFEATURE_AVX512 0xe0ull

struct xsave_header {
    uint64_t xstate_bv, xcomp_bv, reserved[6];
};

static struct {
    uint64_t features; /* XCR0; 0: no XSAVE */
    size_t size;       /* of the state */
} fpu;

/* What Linux writes into a signal frame where the CPU does not, in one piece: the end of the fxsave image, and with XSAVE
 * the header, of which the CPU writes only the first word. */
static struct {
    struct _fpx_sw_bytes sw;
    struct xsave_header header;
} frame_middle;

/* A program's initial state: no component in its header, so XRSTOR reads nothing beyond. */
static alignas(64) uint8_t initial[FXSAVE_SIZE + sizeof(struct xsave_header)];

/* Once: what this machine's CPUs have, and what a fresh program starts with. */
static seldom_called void fpu_detect(void)
{
    const uint16_t control = FCW_DEFAULT;
    const uint32_t mxcsr = MXCSR_DEFAULT;

    fpu.size = FXSAVE_SIZE;
    if (cpu_has(CPU_XSAVE)) {
        uint64_t supported = cpuid(0xd, 0).eax;
        fpu.features = XFEATURE_FPSSE | (supported & XFEATURE_AVX);
        if (supported & XFEATURE_AVX && (supported & XFEATURE_AVX512) == XFEATURE_AVX512)
            fpu.features |= XFEATURE_AVX512;
    }
    memcpy(initial, &control, sizeof(control));
    memcpy(initial + FX_MXCSR, &mxcsr, sizeof(mxcsr));
}

/* And how large it is with what XCR0 now enables. */
static seldom_called void fpu_measure(void)
{
    uint32_t trailer = 0;

    if (fpu.features != 0) {
        fpu.size = cpuid(0xd, 0).ebx;
        trailer = FP_XSTATE_MAGIC2_SIZE;
    }
    frame_middle.sw.magic1 = FP_XSTATE_MAGIC1;
    frame_middle.sw.extended_size = (uint32_t)fpu.size + trailer;
    frame_middle.sw.xfeatures = fpu.features;
    frame_middle.sw.xstate_size = (uint32_t)fpu.size;
}

void fpu_init_cpu(void)
{
    bool is_first = fpu.size == 0;

    if (is_first)
        fpu_detect();
    if (fpu.features != 0)
        __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)fpu.features), "d"(0));
    if (is_first)
        fpu_measure();
    fpu_load(initial);
}

void *fpu_new(void)
{
    void *area = up_alloc(fpu.size);

    if (area)
        memcpy(area, initial, MIN(fpu.size, sizeof(initial)));
    return area;
}

void fpu_save_full(void *area)
{
    if (fpu.features != 0)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((uint32_t)fpu.features), "d"(0)
                         : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void fpu_save(void *area)
{
    if (cpu_has(CPU_XSAVEOPT))
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"((uint32_t)fpu.features), "d"(0)
                         : "memory");
    else
        fpu_save_full(area);
}

void fpu_load(const void *area)
{
    if (fpu.features != 0)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"((uint32_t)fpu.features), "d"(0)
                         : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void fpu_set_x87(void *area)
{
    if (fpu.features != 0)
        *(uint64_t *)((char *)area + XSTATE_BV) |= XFEATURE_X87;
}

/* In a program's memory: the instruction at label 1 may fault, and then sets its first operand. */
#define FRAME_MOVE(instruction)                          \
    STAC "1: " instruction "\n"                          \
         "2: " CLAC ".pushsection .text.fixup, \"ax\"\n" \
         "3: movb $1, %0\n\t"                            \
         "jmp 2b\n\t"                                    \
         ".popsection\n\t" EXCEPTION_ENTRY("1b", "3b")

/* False: the memory is not there. */
static bool frame_store(uintptr_t va)
{
    bool failed = false;

    if (fpu.features != 0)
        __asm__ volatile(FRAME_MOVE("xsave64 (%1)")
                         : "+r"(failed)
                         : "r"(va), "a"((uint32_t)fpu.features), "d"(0)
                         : "memory");
    else
        __asm__ volatile(FRAME_MOVE("fxsave64 (%1)") : "+r"(failed) : "r"(va) : "memory");
    return !failed;
}

/* The given features, or with 0 an fxsave image.  False: the memory is not there, or the CPU refuses the state. */
static bool frame_load(uintptr_t va, uint64_t features)
{
    bool failed = false;

    if (features != 0)
        __asm__ volatile(FRAME_MOVE("xrstor64 (%1)")
                         : "+r"(failed)
                         : "r"(va), "a"((uint32_t)features), "d"(0)
                         : "memory");
    else
        __asm__ volatile(FRAME_MOVE("fxrstor64 (%1)") : "+r"(failed) : "r"(va) : "memory");
    return !failed;
}

/* --- signal frames ---------------------------------------------------------------------------------------------- */

size_t arch_fpu_frame_size(void)
{
    return frame_middle.sw.extended_size;
}

size_t arch_minsigstksz(void)
{
    /* Linux's sum: the frame with siginfo and ucontext, the FPU state, and what aligning both may cost. */
    const size_t frame = 440, frame_align = 15, state_align = 63;

    return ALIGN_UP(frame + frame_align + arch_fpu_frame_size() + state_align, (size_t)16);
}

/* What the CPU does not write, before it writes. */
static bool frame_prepare(uintptr_t va)
{
    size_t size = fpu.features != 0 ? sizeof(frame_middle) : sizeof(frame_middle.sw);

    return arch_copy_to_user(va + FXSAVE_SIZE - sizeof(frame_middle.sw), &frame_middle, size) == 0;
}

/* And behind it. */
static int frame_complete(uintptr_t va)
{
    uint64_t in_frame;

    if (fpu.features == 0)
        return 0;
    /* As Linux: a handler may edit x87 and SSE registers without a look at the header. */
    if (arch_user_load64(va + XSTATE_BV, &in_frame) != 0 ||
        arch_user_store64(va + XSTATE_BV, in_frame | XFEATURE_FPSSE) != 0)
        return -EFAULT;
    return arch_user_store32(va + fpu.size, FP_XSTATE_MAGIC2);
}

int arch_fpu_to_user(struct uptr frame)
{
    size_t size = arch_fpu_frame_size();

    if (frame.va > USER_TOP - size || !frame_prepare(frame.va) || !frame_store(frame.va))
        return -EFAULT;
    return frame_complete(frame.va);
}

/* Is there further state behind the fxsave image?  Then the features that are in the frame; else 0. */
static int frame_features(uintptr_t va, uint64_t *features)
{
    const size_t used = ALIGN_UP(offsetof(struct _fpx_sw_bytes, padding), sizeof(uint64_t));
    struct _fpx_sw_bytes sw;
    uint32_t magic2;

    *features = 0;
    if (arch_copy_from_user(&sw, va + FXSAVE_SIZE - sizeof(sw), used) != 0)
        return -EFAULT;
    if (fpu.features == 0 || sw.magic1 != FP_XSTATE_MAGIC1 || sw.xstate_size > fpu.size ||
        sw.xstate_size < FXSAVE_SIZE + sizeof(struct xsave_header) ||
        sw.xstate_size > sw.extended_size)
        return 0;
    if (arch_user_load32(va + sw.xstate_size, &magic2) != 0)
        return -EFAULT;
    if (magic2 == FP_XSTATE_MAGIC2)
        *features = sw.xfeatures & fpu.features;
    return 0;
}

/* The CPU itself checks what it loads, so it does not matter that other threads may write there meanwhile. */
int arch_fpu_from_user(struct uptr frame)
{
    uint64_t features;

    arch_fpu_reset(); /* what the frame does not have is as in a fresh program; after an error, all of it */
    if (uptr_is_null(frame))
        return 0;
    if (frame.va > USER_TOP - arch_fpu_frame_size())
        return -EFAULT;
    int err = frame_features(frame.va, &features);
    if (err == 0 && !frame_load(frame.va, features)) {
        arch_fpu_reset();
        err = -EINVAL;
    }
    return err;
}

void arch_fpu_reset(void)
{
    fpu_load(initial);
}
