/* Single words of user memory, for futexes; see usercopy.asm for how faults are handled. */
#include "internal.h"

#include <base/errno.h>

#include "exception.h"
#include "smap.h"

/* The instruction at label 1 may fault, and then sets `err` to -EFAULT and goes on at label 2. */
#define FAULT_MEANS_EFAULT               \
    ".pushsection .text.fixup, \"ax\"\n" \
    "3: movl $-14, %k[err]\n\t"          \
    "jmp 2b\n\t"                         \
    ".popsection\n\t" EXCEPTION_ENTRY("1b", "3b")

_Static_assert(EFAULT == 14, "FAULT_MEANS_EFAULT");

inline int arch_user_load32(uintptr_t va, uint32_t *value)
{
    int err = 0;
    uint32_t v = 0;

    __asm__ volatile(STAC "1: movl (%[va]), %[v]\n2: " CLAC FAULT_MEANS_EFAULT
                     : [err] "+r"(err), [v] "+r"(v)
                     : [va] "r"(va)
                     : "memory");
    *value = v;
    return err;
}

inline int arch_user_load64(uintptr_t va, uint64_t *value)
{
    int err = 0;
    uint64_t v = 0;

    __asm__ volatile(STAC "1: movq (%[va]), %[v]\n2: " CLAC FAULT_MEANS_EFAULT
                     : [err] "+r"(err), [v] "+r"(v)
                     : [va] "r"(va)
                     : "memory");
    *value = v;
    return err;
}

int arch_user_store32(uintptr_t va, uint32_t value)
{
    int err = 0;

    __asm__ volatile(STAC "1: movl %[value], (%[va])\n2: " CLAC FAULT_MEANS_EFAULT
                     : [err] "+r"(err)
                     : [va] "r"(va), [value] "r"(value)
                     : "memory");
    return err;
}

inline int arch_user_store64(uintptr_t va, uint64_t value)
{
    int err = 0;

    __asm__ volatile(STAC "1: movq %[value], (%[va])\n2: " CLAC FAULT_MEANS_EFAULT
                     : [err] "+r"(err)
                     : [va] "r"(va), [value] "r"(value)
                     : "memory");
    return err;
}

inline int arch_user_store64_pair(uintptr_t va, uint64_t value, size_t offset, uint64_t second)
{
    int err = 0;

    __asm__ volatile(STAC
                     "1: movq %[value], (%[va])\n4: movq %[second], (%[va],%[offset])\n2: " CLAC
                         FAULT_MEANS_EFAULT EXCEPTION_ENTRY("4b", "3b")
                     : [err] "+r"(err)
                     : [va] "r"(va), [value] "r"(value), [offset] "r"(offset), [second] "r"(second)
                     : "memory");
    return err;
}

int arch_user_cmpxchg32(uintptr_t va, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    int err = 0;

    __asm__ volatile(STAC "1: lock cmpxchgl %[desired], (%[va])\n2: " CLAC FAULT_MEANS_EFAULT
                     : [err] "+r"(err), "+a"(expected)
                     : [va] "r"(va), [desired] "r"(desired)
                     : "memory", "cc");
    *seen = expected;
    return err;
}
