/* The SDK's files are the kernel's; contracts in <yolk/sdk.h>. */
#include <linux/fs.h>
#include <linux/resource.h>
#include <proc/cred.h>
#include <proc/process.h>
#include <vfs/fdtable.h>
#include <vfs/path.h>
#include <yolk/sdk.h>

#include "custom.h"

static struct file *file_of(struct yolk_file *file)
{
    custom_check(file);
    return (struct file *)file;
}

int yolk_open(const char *path, int flags, unsigned mode, struct yolk_file **file)
{
    const struct walk w = {.fs = current_process()->fs, .cred = current_cred()};
    struct file *f;

    custom_check(path);
    custom_check(file);
    int err = path_open(&w, path, flags | O_LARGEFILE, mode, &f);
    if (!err)
        *file = (struct yolk_file *)f;
    return err;
}

int yolk_file_of_fd(int fd, struct yolk_file **file)
{
    custom_check(file);
    struct file *f = fd_get_io(current_process()->files, fd);
    if (!f)
        return -EBADF;
    *file = (struct yolk_file *)f;
    return 0;
}

int yolk_fd_of_file(struct yolk_file *file, int flags)
{
    struct process *p = current_process();

    return fd_install(p->files, file_of(file), 0, process_rlimit(p, RLIMIT_NOFILE),
                      flags & O_CLOEXEC);
}

ssize_t yolk_read(struct yolk_file *file, void *buf, size_t n, int64_t *pos)
{
    struct file *f = file_of(file);
    struct iobuf b;

    custom_check(buf);
    if (pos && !f->ops->has_pos)
        return -ESPIPE;
    iobuf_kernel(&b, buf, n);
    return file_read(f, &b, pos);
}

ssize_t yolk_write(struct yolk_file *file, const void *buf, size_t n, int64_t *pos)
{
    struct file *f = file_of(file);
    struct iobuf b;

    custom_check(buf);
    if (pos && !f->ops->has_pos)
        return -ESPIPE;
    iobuf_kernel(&b, (void *)(uintptr_t)buf, n); /* only read from */
    return file_write(f, &b, pos);
}

void yolk_close(struct yolk_file *file)
{
    file_put(file_of(file));
}
