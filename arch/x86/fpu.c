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

#define FXSAVE_SIZE   512
#define FX_MXCSR      24
#define MXCSR_DEFAULT 0x1f80u
#define FCW_DEFAULT   0x037fu

#define XFEATURE_FPSSE   0x03ull
#define XFEATURE_AVX     0x04ull
#define XFEATURE_AVX512  0xe0ull

struct xsave_header {
    uint64_t xstate_bv, xcomp_bv, reserved[6];
};

static struct {
    uint64_t features; /* XCR0; 0: no XSAVE */
    size_t size;       /* of the state */
} fpu;

/* A program's initial state: no component in its header, so XRSTOR reads nothing beyond. */
static alignas(64) uint8_t initial[FXSAVE_SIZE + sizeof(struct xsave_header)];

/* Once: what this machine's CPUs have, and what a fresh program starts with. */
static void fpu_detect(void)
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

void fpu_init_cpu(void)
{
    if (fpu.size == 0)
        fpu_detect();
    if (fpu.features != 0) {
        __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)fpu.features), "d"(0));
        fpu.size = cpuid(0xd, 0).ebx; /* of what XCR0 now enables: the same on every CPU */
    }
    fpu_load(initial);
}

void *fpu_new(void)
{
    void *area = up_alloc(2 * ALIGN_UP(fpu.size, (size_t)64)); /* see fpu_scratch */

    if (area)
        memcpy(area, initial, MIN(fpu.size, sizeof(initial)));
    return area;
}

void fpu_save_full(void *area)
{
    if (fpu.features != 0)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"((uint32_t)fpu.features), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

void fpu_save(void *area)
{
    if (cpu_has(CPU_XSAVEOPT))
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"((uint32_t)fpu.features), "d"(0) : "memory");
    else
        fpu_save_full(area);
}

/* False when the CPU refuses the state. */
static bool fpu_try_load(const void *area)
{
    bool refused = false;

    if (fpu.features != 0)
        __asm__ volatile("1: xrstor64 (%1)\n"
                         "2:\n\t"
                         ".pushsection .text.fixup, \"ax\"\n"
                         "3: movb $1, %0\n\t"
                         "jmp 2b\n\t"
                         ".popsection\n\t" EXCEPTION_ENTRY("1b", "3b")
                         : "+r"(refused)
                         : "r"(area), "a"((uint32_t)fpu.features), "d"(0)
                         : "memory");
    else
        __asm__ volatile("1: fxrstor64 (%1)\n"
                         "2:\n\t"
                         ".pushsection .text.fixup, \"ax\"\n"
                         "3: movb $1, %0\n\t"
                         "jmp 2b\n\t"
                         ".popsection\n\t" EXCEPTION_ENTRY("1b", "3b")
                         : "+r"(refused)
                         : "r"(area)
                         : "memory");
    return !refused;
}

void fpu_load(const void *area)
{
    if (!fpu_try_load(area))
        panic("the CPU refuses an FPU state that it saved itself");
}

/* --- signal frames ---------------------------------------------------------------------------------------------- */

size_t arch_fpu_frame_size(void)
{
    return fpu.size + (fpu.features != 0 ? FP_XSTATE_MAGIC2_SIZE : 0);
}

size_t arch_minsigstksz(void)
{
    /* Linux's sum: the frame with siginfo and ucontext, the FPU state, and what aligning both may cost. */
    const size_t frame = 440, frame_align = 15, state_align = 63;

    return ALIGN_UP(frame + frame_align + arch_fpu_frame_size() + state_align, (size_t)16);
}

/* The second half of the current thread's area: a buffer that no switch touches, so that user copies may sleep. */
static void *fpu_scratch(void)
{
    return (uint8_t *)((struct arch_thread *)current_thread())->fpu + ALIGN_UP(fpu.size, (size_t)64);
}

static struct xsave_header *header_of(void *area)
{
    return (struct xsave_header *)((uint8_t *)area + FXSAVE_SIZE);
}

static struct _fpx_sw_bytes *sw_bytes_of(void *area)
{
    return (struct _fpx_sw_bytes *)((uint8_t *)area + FXSAVE_SIZE - sizeof(struct _fpx_sw_bytes));
}

int arch_fpu_to_user(struct uptr frame)
{
    const uint32_t magic2 = FP_XSTATE_MAGIC2;
    void *area = fpu_scratch();

    fpu_save_full(area);
    *sw_bytes_of(area) = (struct _fpx_sw_bytes){
        .magic1 = FP_XSTATE_MAGIC1,
        .extended_size = arch_fpu_frame_size(),
        .xfeatures = fpu.features,
        .xstate_size = fpu.size,
    };
    if (fpu.features != 0)
        header_of(area)->xstate_bv |= XFEATURE_FPSSE; /* as Linux: a handler may edit these without the header */
    if (arch_copy_to_user(frame.va, area, fpu.size) != 0)
        return -EFAULT;
    if (fpu.features != 0 && arch_copy_to_user(frame.va + fpu.size, &magic2, sizeof(magic2)) != 0)
        return -EFAULT;
    return 0;
}

/* Is there further state behind the fxsave image?  If so *size and the features that are in it. */
static int frame_extent(struct uptr frame, const struct _fpx_sw_bytes *sw, size_t *size, uint64_t *features)
{
    uint32_t magic2;

    *size = FXSAVE_SIZE;
    *features = XFEATURE_FPSSE;
    if (fpu.features == 0 || sw->magic1 != FP_XSTATE_MAGIC1 || sw->xstate_size > fpu.size ||
        sw->xstate_size < FXSAVE_SIZE + sizeof(struct xsave_header) || sw->xstate_size > sw->extended_size)
        return 0;
    if (arch_copy_from_user(&magic2, frame.va + sw->xstate_size, sizeof(magic2)) != 0)
        return -EFAULT;
    if (magic2 == FP_XSTATE_MAGIC2) {
        *size = sw->xstate_size;
        *features = sw->xfeatures & fpu.features;
    }
    return 0;
}

/* Make the header fit for XRSTOR: no features but those that the frame has. */
static int header_check(struct xsave_header *header, uint64_t features)
{
    if (header->xstate_bv & ~fpu.features || header->xcomp_bv != 0)
        return -EINVAL;
    for (unsigned i = 0; i < ARRAY_LEN(header->reserved); i++)
        if (header->reserved[i] != 0)
            return -EINVAL;
    header->xstate_bv &= features;
    return 0;
}

static int frame_read(struct uptr frame, void *area)
{
    struct _fpx_sw_bytes sw;
    uint64_t features;
    size_t size;

    if (arch_copy_from_user(&sw, frame.va + FXSAVE_SIZE - sizeof(sw), sizeof(sw)) != 0)
        return -EFAULT;
    int err = frame_extent(frame, &sw, &size, &features);
    if (err < 0)
        return err;
    memset((uint8_t *)area + size, 0, fpu.size - size);
    if (arch_copy_from_user(area, frame.va, size) != 0)
        return -EFAULT;
    if (size > FXSAVE_SIZE)
        return header_check(header_of(area), features);
    if (fpu.features != 0)
        header_of(area)->xstate_bv = XFEATURE_FPSSE;
    return 0;
}

int arch_fpu_from_user(struct uptr frame)
{
    if (uptr_is_null(frame)) {
        arch_fpu_reset();
        return 0;
    }
    void *area = fpu_scratch();
    int err = frame_read(frame, area);
    if (err == 0 && !fpu_try_load(area))
        err = -EINVAL;
    if (err < 0)
        arch_fpu_reset(); /* as Linux: the SIGSEGV that follows starts from a clean state */
    return err;
}

void arch_fpu_reset(void)
{
    fpu_load(initial);
}
