/* The devices that need no hardware: null, zero, full, random, urandom, kmsg. */
#include <base/errno.h>
#include <core/random.h>
#include <core/sched.h>
#include <linux/mman.h>
#include <linux/random.h>
#include <vfs/devfs.h>

#define ZERO_CHUNK (1UL << 20) /* between looks at whether others want the CPU */
#define KMSG_MAX   992         /* a line longer than this is -EINVAL, as on Linux */

static ssize_t null_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    return 0;
}

static ssize_t null_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    return from->left; /* nobody looks at the rest of the buffer */
}

static ssize_t zero_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    ssize_t done = 0;
    while (to->left > 0) {
        size_t n = MIN(to->left, ZERO_CHUNK);
        ssize_t ret = iobuf_put_zeros(to, n);
        if (ret < 0)
            return done > 0 ? done : ret;
        done += ret;
        if ((size_t)ret < n || (to->left > 0 && sched_checkpoint()))
            break;
    }
    return done;
}

/* Private: ordinary anonymous memory.  Shared: an object of its own for each mmap call. */
static seldom_called int zero_mmap(struct file *f, int prot, int flags, uint64_t offset, size_t len,
                                   struct vm_object **object)
{
    *object = NULL;
    if ((flags & MAP_TYPE) == MAP_PRIVATE)
        return 0;
    *object = vm_object_new_anon(offset + len);
    return *object ? 0 : -ENOMEM;
}

static ssize_t full_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    return -ENOSPC;
}

static seldom_called ssize_t random_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    char chunk[256];
    ssize_t done = 0;
    if (random_wait_seeded(true) < 0)
        return -ERESTARTSYS;
    while (to->left > 0) {
        size_t n = MIN(to->left, sizeof(chunk));
        random_bytes(chunk, n);
        ssize_t ret = iobuf_put(to, chunk, n);
        if (ret < 0)
            return done > 0 ? done : ret;
        done += ret;
        if ((size_t)ret < n ||
            (done % PAGE_SIZE == 0 && (thread_interrupted() || sched_checkpoint())))
            break;
    }
    return done;
}

/* What a program writes is stirred in, and trusted for nothing. */
static seldom_called ssize_t random_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    char chunk[256];
    ssize_t done = 0;
    while (from->left > 0) {
        ssize_t ret = iobuf_get(from, chunk, MIN(from->left, sizeof(chunk)));
        if (ret <= 0)
            return done > 0 ? done : ret;
        random_add(chunk, ret, 0);
        done += ret;
        if (done % PAGE_SIZE == 0 && sched_checkpoint())
            break;
    }
    return done;
}

static uint32_t random_poll(struct file *f, struct poll_table *t)
{
    return POLLIN | POLLRDNORM;
}

static seldom_called long random_ioctl(struct file *f, unsigned cmd, struct uptr arg)
{
    int bits = random_is_seeded() ? 256 : 0;
    if (cmd == RNDGETENTCNT)
        return user_put(arg, &bits);
    return -ENOTTY;
}

/* A line of a program's own into the kernel log; a "<N>" priority in front is taken off. */
static seldom_called ssize_t kmsg_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    char line[256];
    size_t n = from->left;
    if (n > KMSG_MAX)
        return -EINVAL;
    ssize_t ret = iobuf_get(from, line, MIN(n, sizeof(line) - 1));
    if (ret < 0)
        return ret;
    line[ret] = '\0';
    iobuf_skip(from, from->left);
    const char *text = line;
    if (text[0] == '<') {
        while (*text && *text != '>')
            text++;
        text += *text == '>';
    }
    while (ret > 0 && line[ret - 1] == '\n')
        line[--ret] = '\0';
    log_line(LOG_INFO, "%s", text);
    return n;
}

static const struct file_ops null_ops = {.read = null_read,
                                         .write = null_write,
                                         .seek = file_seek_nowhere,
                                         .has_pos = true,
                                         .can_nowait = true,
                                         .ignores_pos = true};
static const struct file_ops zero_ops = {.read = zero_read,
                                         .write = null_write,
                                         .seek = file_seek_nowhere,
                                         .mmap = zero_mmap,
                                         .has_pos = true,
                                         .can_nowait = true,
                                         .ignores_pos = true};
static const struct file_ops full_ops = {.read = zero_read,
                                         .write = full_write,
                                         .seek = file_seek_nowhere,
                                         .has_pos = true,
                                         .ignores_pos = true};
static const struct file_ops random_ops = {.read = random_read,
                                           .write = random_write,
                                           .seek = file_seek_nowhere,
                                           .ioctl = random_ioctl,
                                           .has_pos = true,
                                           .can_nowait = true,
                                           .ignores_pos = true};
/* Linux makes only /dev/random pollable. */
static const struct file_ops random_poll_ops = {.read = random_read,
                                                .write = random_write,
                                                .seek = file_seek_nowhere,
                                                .poll = random_poll,
                                                .ioctl = random_ioctl,
                                                .has_pos = true,
                                                .can_nowait = true,
                                                .ignores_pos = true};
static const struct file_ops kmsg_ops = {.write = kmsg_write};

static struct chardev devices[] = {
    {.name = "kmsg", .major = 1, .minor = 11, .mode = 0644, .ops = &kmsg_ops},
    {.name = "full", .major = 1, .minor = 7, .mode = 0666, .ops = &full_ops},
    {.name = "random", .major = 1, .minor = 8, .mode = 0666, .ops = &random_poll_ops},
    {.name = "urandom", .major = 1, .minor = 9, .mode = 0666, .ops = &random_ops},
    {.name = "zero", .major = 1, .minor = 5, .mode = 0666, .ops = &zero_ops},
    {.name = "null", .major = 1, .minor = 3, .mode = 0666, .ops = &null_ops},
};

void memdev_init(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
        chardev_register(&devices[i]);
}
