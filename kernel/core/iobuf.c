/* The cursor over user or kernel memory that reads and writes of files move along; see core/usercopy.h. */
#include <base/errno.h>
#include <base/string.h>
#include <core/usercopy.h>

void iobuf_kernel(struct iobuf *b, void *p, size_t n)
{
    *b = (struct iobuf){.at = (uintptr_t)p, .left = n, .is_kernel = true};
}

void iobuf_vector(struct iobuf *b, const struct iobuf_seg *seg, unsigned nr, size_t total)
{
    *b = (struct iobuf){.seg = seg, .nr_seg = nr, .left = total};
    if (nr > 0) {
        b->at = seg->base;
        b->here = seg->len;
    }
}

/* Move up to `n` bytes of user or kernel memory at `at`; answers how many were moved. */
typedef size_t move_fn(struct iobuf *b, uintptr_t at, void *kernel, size_t n);

static size_t move_put(struct iobuf *b, uintptr_t at, void *src, size_t n)
{
    if (!b->is_kernel)
        return user_write_some((struct uptr){at}, src, n);
    memcpy((void *)at, src, n);
    return n;
}

static size_t move_get(struct iobuf *b, uintptr_t at, void *dst, size_t n)
{
    if (!b->is_kernel)
        return user_read_some(dst, (struct uptr){at}, n);
    memcpy(dst, (void *)at, n);
    return n;
}

static size_t move_zeros(struct iobuf *b, uintptr_t at, void *unused, size_t n)
{
    if (!b->is_kernel)
        return user_zero_some((struct uptr){at}, n);
    memset((void *)at, 0, n);
    return n;
}

/* Step over the end of the current segment and over empty ones; answers how many bytes, of `n`, come next. */
static size_t step_of(struct iobuf *b, size_t n)
{
    if (b->is_kernel)
        return n;
    while (b->here == 0 && b->nr_seg > 1) {
        b->seg++;
        b->nr_seg--;
        b->at = b->seg->base;
        b->here = b->seg->len;
    }
    return MIN(n, b->here);
}

static void advance(struct iobuf *b, size_t n)
{
    b->at += n;
    b->left -= n;
    if (!b->is_kernel)
        b->here -= n;
}

static ssize_t move(struct iobuf *b, char *kernel, size_t n, move_fn *fn)
{
    n = MIN(n, b->left);
    size_t done = 0;
    while (done < n) {
        size_t step = step_of(b, n - done);
        size_t moved = fn(b, b->at, kernel ? kernel + done : NULL, step);
        advance(b, moved);
        done += moved;
        if (moved < step)
            break;
    }
    return done > 0 || n == 0 ? (ssize_t)done : -EFAULT;
}

ssize_t iobuf_put_any(struct iobuf *b, const void *src, size_t n)
{
    return move(b, (char *)src, n, move_put);
}

ssize_t iobuf_get_any(struct iobuf *b, void *dst, size_t n)
{
    return move(b, dst, n, move_get);
}

ssize_t iobuf_put_zeros(struct iobuf *b, size_t n)
{
    return move(b, NULL, n, move_zeros);
}

void iobuf_skip(struct iobuf *b, size_t n)
{
    for (n = MIN(n, b->left); n > 0;) {
        size_t step = step_of(b, n);
        advance(b, step);
        n -= step;
    }
}

void iobuf_rewind(struct iobuf *b, size_t n)
{
    b->left += n;
    while (b->seg && n > b->at - b->seg->base) {
        n -= b->at - b->seg->base;
        b->seg--;
        b->nr_seg++;
        b->at = b->seg->base + b->seg->len;
        b->here = 0;
    }
    b->at -= n;
    if (!b->is_kernel)
        b->here += n;
}
