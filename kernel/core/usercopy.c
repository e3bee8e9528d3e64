/* Reaching user memory: the range checks and the sleeping rules of core/usercopy.h around arch's copy routines.
 *
 * A fault on the way goes to up_page_fault, which brings the page in and lets the copy continue, or ends it.  With
 * thread->nofault raised it ends it at once: that is what the _nofault functions are. */
#include <arch/arch.h>
#include <base/errno.h>
#include <core/lock.h>
#include <core/thread.h>
#include <core/usercopy.h>

/* [va, va + n) lies in the user half. */
static bool in_user_half(uintptr_t va, size_t n)
{
    return n <= USER_TOP && va <= USER_TOP - n;
}

size_t user_read_some(void *dst, struct uptr src, size_t n)
{
    lock_assert_may_sleep();
    return in_user_half(src.va, n) ? n - arch_copy_from_user(dst, src.va, n) : 0;
}

size_t user_write_some(struct uptr dst, const void *src, size_t n)
{
    lock_assert_may_sleep();
    return in_user_half(dst.va, n) ? n - arch_copy_to_user(dst.va, src, n) : 0;
}

size_t user_zero_some(struct uptr dst, size_t n)
{
    lock_assert_may_sleep();
    return in_user_half(dst.va, n) ? n - arch_zero_user(dst.va, n) : 0;
}

int user_read(void *dst, struct uptr src, size_t n)
{
    return user_read_some(dst, src, n) == n ? 0 : -EFAULT;
}

int user_write(struct uptr dst, const void *src, size_t n)
{
    return user_write_some(dst, src, n) == n ? 0 : -EFAULT;
}

int user_zero(struct uptr dst, size_t n)
{
    return user_zero_some(dst, n) == n ? 0 : -EFAULT;
}

long user_read_string(char *dst, struct uptr src, size_t size)
{
    lock_assert_may_sleep();
    if (src.va >= USER_TOP)
        return -EFAULT;
    size_t max = MIN(size, USER_TOP - src.va);
    long len = arch_copy_string_from_user(dst, src.va, max);
    if (len < 0 || (size_t)len < max)
        return len;
    return max < size ? -EFAULT : -ENAMETOOLONG;
}

int user_load64(struct uptr p, uint64_t *value)
{
    lock_assert_may_sleep();
    return in_user_half(p.va, sizeof(*value)) ? arch_user_load64(p.va, value) : -EFAULT;
}

int user_store64(struct uptr p, uint64_t value)
{
    lock_assert_may_sleep();
    return in_user_half(p.va, sizeof(value)) ? arch_user_store64(p.va, value) : -EFAULT;
}

int user_store64_pair(struct uptr p, uint64_t value, size_t offset, uint64_t second)
{
    lock_assert_may_sleep();
    return in_user_half(p.va, offset + sizeof(second))
               ? arch_user_store64_pair(p.va, value, offset, second)
               : -EFAULT;
}

/* --- words ------------------------------------------------------------------------------------------- */

static int check_word(struct uptr p)
{
    if (p.va % sizeof(uint32_t) != 0)
        return -EINVAL;
    return in_user_half(p.va, sizeof(uint32_t)) ? 0 : -EFAULT;
}

int user_load32(struct uptr p, uint32_t *value)
{
    lock_assert_may_sleep();
    int err = check_word(p);
    return err ? err : arch_user_load32(p.va, value);
}

int user_load32_nofault(struct uptr p, uint32_t *value)
{
    int err = check_word(p);
    if (err)
        return err;
    struct thread *t = current_thread();
    t->nofault++;
    err = arch_user_load32(p.va, value);
    t->nofault--;
    return err;
}

int user_cmpxchg32(struct uptr p, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    lock_assert_may_sleep();
    int err = check_word(p);
    return err ? err : arch_user_cmpxchg32(p.va, expected, desired, seen);
}

int user_cmpxchg32_nofault(struct uptr p, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    int err = check_word(p);
    if (err)
        return err;
    struct thread *t = current_thread();
    t->nofault++;
    err = arch_user_cmpxchg32(p.va, expected, desired, seen);
    t->nofault--;
    return err;
}

int user_fault_in(struct uptr p, bool write)
{
    uint32_t value;
    struct uptr word = {ALIGN_DOWN(p.va, sizeof(value))};
    int err = user_load32(word, &value);
    if (err || !write)
        return err;
    /* Exchanging a value for itself needs the right to write and changes nothing, whoever else writes. */
    return user_cmpxchg32(word, value, value, &value);
}
