/* The cursor over user or kernel memory that reads and writes of files move along; see core/usercopy.h. */
#include <base/errno.h>
#include <base/string.h>
#include <core/usercopy.h>

void iobuf_kernel(struct iobuf *b, void *p, size_t n)
{
    b->is_kernel = true;
    b->how = 0;
    b->one = (struct iobuf_seg){(uintptr_t)p, n};
    b->seg = &b->one;
    b->nr_seg = 1;
    b->offset = 0;
    b->left = n;
}

void iobuf_vector(struct iobuf *b, const struct iobuf_seg *seg, unsigned nr, size_t total)
{
    b->is_kernel = false;
    b->how = 0;
    b->seg = seg;
    b->nr_seg = nr;
    b->offset = 0;
    b->left = total;
}

/* Move up to `n` bytes of the current segment; answers how many were moved. */
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

/* Step over the end of the current segment and over empty ones. */
static void next_segment(struct iobuf *b)
{
    while (b->offset == b->seg->len && b->nr_seg > 1) {
        b->seg++;
        b->nr_seg--;
        b->offset = 0;
    }
}

static ssize_t move(struct iobuf *b, char *kernel, size_t n, move_fn *fn)
{
    n = MIN(n, b->left);
    size_t done = 0;
    while (done < n) {
        next_segment(b);
        size_t step = MIN(n - done, b->seg->len - b->offset);
        size_t moved = fn(b, b->seg->base + b->offset, kernel ? kernel + done : NULL, step);
        b->offset += moved;
        b->left -= moved;
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
    n = MIN(n, b->left);
    b->left -= n;
    while (n > 0) {
        next_segment(b);
        size_t step = MIN(n, b->seg->len - b->offset);
        b->offset += step;
        n -= step;
    }
}

void iobuf_rewind(struct iobuf *b, size_t n)
{
    b->left += n;
    while (n > b->offset) {
        n -= b->offset;
        b->seg--;
        b->nr_seg++;
        b->offset = b->seg->len;
    }
    b->offset -= n;
}
