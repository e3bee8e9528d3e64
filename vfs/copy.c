/* Copying from file to file inside the kernel: copy_file_range(2). */
#include <base/errno.h>
#include <core/heap.h>
#include <core/sched.h>
#include <vfs/file.h>

#define CHUNK (16 * 1024UL)

/* One chunk: bytes copied, 0 at the end of `in`. */
static ssize_t copy_chunk(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
                          void *buf, size_t n)
{
    struct iobuf b;
    iobuf_kernel(&b, buf, n);
    int64_t pos = *in_pos;
    ssize_t got = file_read(in, &b, &pos);
    if (got <= 0)
        return got;
    iobuf_kernel(&b, buf, got);
    ssize_t put = file_write(out, &b, out_pos);
    if (put > 0)
        *in_pos += put; /* what could not be written is read again */
    return put;
}

ssize_t file_copy_range(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos,
                        size_t n)
{
    void *buf = heap_alloc(CHUNK);
    if (!buf)
        return -ENOMEM;
    size_t done = 0;
    ssize_t ret = 0;
    while (done < n) {
        ret = copy_chunk(in, in_pos, out, out_pos, buf, MIN(n - done, CHUNK));
        if (ret <= 0)
            break;
        done += ret;
        if (sched_checkpoint())
            break;
    }
    heap_free(buf);
    return done > 0 ? (ssize_t)done : ret;
}
