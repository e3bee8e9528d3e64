/* Reference counts and the few atomics that are used directly. */
#pragma once

#include <base/log.h>
#include <base/types.h>

#define atomic_load(p)      __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store(p, v)  __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define atomic_add(p, n)    __atomic_add_fetch((p), (n), __ATOMIC_ACQ_REL) /* the new value */
#define atomic_or(p, bits)  __atomic_fetch_or((p), (bits), __ATOMIC_ACQ_REL)
#define atomic_and(p, bits) __atomic_fetch_and((p), (bits), __ATOMIC_ACQ_REL)
#define atomic_swap(p, v)   __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define atomic_cas(p, old, new)                                                      \
    __extension__({                                                                  \
        __typeof__(*(p)) expected_ = (old);                                          \
        __atomic_compare_exchange_n((p), &expected_, (new), false, __ATOMIC_ACQ_REL, \
                                    __ATOMIC_ACQUIRE);                               \
    })

struct ref {
    unsigned count;
};

static inline void ref_init(struct ref *r)
{
    r->count = 1;
}

static short_inline void ref_get(struct ref *r)
{
    unsigned n = __atomic_add_fetch(&r->count, 1, __ATOMIC_RELAXED);
    assert(n > 1);
    (void)n;
}

/* Takes a reference unless the last one is already gone: for look-ups in tables that hold none. */
static inline bool ref_get_unless_zero(struct ref *r)
{
    unsigned n = atomic_load(&r->count);
    while (n != 0)
        if (__atomic_compare_exchange_n(&r->count, &n, n + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return true;
    return false;
}

/* Gives a reference back unless it is the last one: false, and the caller still has it. */
must_check static inline bool ref_put_unless_last(struct ref *r)
{
    unsigned n = atomic_load(&r->count);
    while (n > 1)
        if (__atomic_compare_exchange_n(&r->count, &n, n - 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return true;
    return false;
}

/* True when this was the last reference: the caller frees the object. */
must_check static short_inline bool ref_put(struct ref *r)
{
    unsigned n = atomic_add(&r->count, -1u);
    assert(n != -1u);
    return n == 0;
}
