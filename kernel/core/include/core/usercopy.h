/* The one way to touch user memory.
 *
 * Every function may fault pages in and therefore sleep: no spinlock may be held (asserted), except for the
 * _nofault ones, which answer -EFAULT when the page is not there right now.  Ranges outside the user half
 * answer -EFAULT before anything is touched. */
#pragma once

#include <arch/arch.h>
#include <arch/layout.h>
#include <base/types.h>
#include <core/lock.h>

/* Does the range lie in the user half?  What read(2) and its like ask before anything else happens. */
static inline bool user_range_ok(struct uptr p, size_t n)
{
    return n <= USER_TOP && p.va <= USER_TOP - n;
}

must_check int user_read(void *dst, struct uptr src, size_t n);        /* 0 or -EFAULT */
must_check int user_write(struct uptr dst, const void *src, size_t n); /* 0 or -EFAULT */
must_check int user_zero(struct uptr dst, size_t n);                   /* 0 or -EFAULT */
/* The same, partial: bytes that could be copied, which may be fewer than n (0: none). */
size_t user_read_some(void *dst, struct uptr src, size_t n);
size_t user_write_some(struct uptr dst, const void *src, size_t n);
size_t user_zero_some(struct uptr dst, size_t n);

/* A NUL-terminated string into dst[size]: its length; -EFAULT; -ENAMETOOLONG when no NUL fits. */
must_check long user_read_string(char *dst, struct uptr src, size_t size);

/* One word of 8 bytes, aligned or not: 0 or -EFAULT. */
must_check int user_load64(struct uptr p, uint64_t *value);
must_check int user_store64(struct uptr p, uint64_t value);
/* And then another one, `offset` bytes behind the first; either may be written when the answer is -EFAULT. */
must_check int user_store64_pair(struct uptr p, uint64_t value, size_t offset, uint64_t second);
/* One 32-bit word, naturally aligned or -EINVAL. */
must_check int user_load32(struct uptr p, uint32_t *value);
must_check int user_load32_nofault(struct uptr p, uint32_t *value);
/* *seen is the old value; the exchange happened when it equals `expected`. */
must_check int user_cmpxchg32(struct uptr p, uint32_t expected, uint32_t desired, uint32_t *seen);
must_check int user_cmpxchg32_nofault(struct uptr p, uint32_t expected, uint32_t desired,
                                      uint32_t *seen);
/* Fault in the page of `p` for writing, so that a _nofault call will most likely succeed. */
must_check int user_fault_in(struct uptr p, bool write);

#define user_get(p, var) user_read((var), (p), sizeof(*(var)))
#define user_put(p, var) user_write((p), (var), sizeof(*(var)))

/* Where the bytes of a read or write come from or go to: user memory (one range or a vector) or a kernel
 * buffer.  Files know only this. */
struct iobuf_seg {
    uintptr_t base;
    size_t len;
};

/* How this transfer differs from what its file's flags say (preadv2(2), pwritev2(2)). */
enum iobuf_how {
    IOBUF_NOWAIT = 1,    /* as with O_NONBLOCK */
    IOBUF_APPEND = 2,    /* as with O_APPEND */
    IOBUF_NO_APPEND = 4, /* without it */
    IOBUF_SPLICE_NOWAIT =
        8, /* splice(2) with SPLICE_F_NONBLOCK, which is meant for the pipe but counts for AF_UNIX's streams */
};

struct iobuf {
    uintptr_t at; /* the next byte */
    size_t here;  /* user memory: bytes from there on that lie together; kernel memory: 0 */
    size_t left;  /* bytes left in all */
    const struct iobuf_seg *seg; /* the current segment of a vector; else NULL */
    unsigned nr_seg;             /* segments left, the current one included */
    bool is_kernel;
    uint8_t how; /* enum iobuf_how */
};

/* Both: the memory lies in the user half (the caller has asked user_range_ok), which is not asked again at each move. */
static inline void iobuf_user(struct iobuf *b, struct uptr p, size_t n)
{
    b->at = p.va;
    b->here = b->left = n;
    b->seg = NULL;
    b->is_kernel = false;
    b->how = 0;
}

void iobuf_vector(struct iobuf *b, const struct iobuf_seg *seg, unsigned nr, size_t total);
void iobuf_kernel(struct iobuf *b, void *p, size_t n);

/* Move up to n bytes and advance: bytes moved; short when the buffer ends; -EFAULT when nothing could be
 * moved because the first byte faulted. */
ssize_t iobuf_put_any(struct iobuf *b, const void *src, size_t n);
ssize_t iobuf_get_any(struct iobuf *b, void *dst, size_t n);

static inline ssize_t iobuf_advance(struct iobuf *b, size_t n)
{
    b->at += n;
    b->here -= n;
    b->left -= n;
    return n;
}

/* kernel -> buffer (read(2)).  The usual case is in place: user memory that lies together and takes it all. */
static inline ssize_t iobuf_put(struct iobuf *b, const void *src, size_t n)
{
    lock_assert_may_sleep();
    if (likely(n <= b->here) && likely(arch_copy_to_user(b->at, src, n) == 0))
        return iobuf_advance(b, n);
    return iobuf_put_any(b, src, n);
}

/* buffer -> kernel (write(2)) */
static inline ssize_t iobuf_get(struct iobuf *b, void *dst, size_t n)
{
    lock_assert_may_sleep();
    if (likely(n <= b->here) && likely(arch_copy_from_user(dst, b->at, n) == 0))
        return iobuf_advance(b, n);
    return iobuf_get_any(b, dst, n);
}

/* The same for one word of 8 bytes: false when it could not be moved whole. */
must_check static inline bool iobuf_put64(struct iobuf *b, uint64_t value)
{
    lock_assert_may_sleep();
    if (likely(sizeof(value) <= b->here) && likely(arch_user_store64(b->at, value) == 0))
        return iobuf_advance(b, sizeof(value));
    return iobuf_put_any(b, &value, sizeof(value)) == sizeof(value);
}

must_check static inline bool iobuf_get64(struct iobuf *b, uint64_t *value)
{
    lock_assert_may_sleep();
    if (likely(sizeof(*value) <= b->here) && likely(arch_user_load64(b->at, value) == 0))
        return iobuf_advance(b, sizeof(*value));
    return iobuf_get_any(b, value, sizeof(*value)) == sizeof(*value);
}

ssize_t iobuf_put_zeros(struct iobuf *b, size_t n);
void iobuf_skip(struct iobuf *b, size_t n);
/* Go back n bytes of what was last moved within this call chain (a write that could not be kept). */
void iobuf_rewind(struct iobuf *b, size_t n);
