/* read(2) and write(2) of files without a position, in place: the shortest way for pipes, devices, eventfd... */
#pragma once

#include <vfs/file.h>
#include <vfs/inotify.h>

static inline bool file_is_simple(const struct file *f)
{
    return (!f->ops->has_pos || f->ops->ignores_pos) && !atomic_load(&inotify_nr_watches);
}

static inline ssize_t file_read_here(struct file *f, struct iobuf *to)
{
    int64_t ignored = 0;
    if (likely(f->can_read && f->ops->read && file_is_simple(f)))
        return f->ops->read(f, to, &ignored);
    return file_read(f, to, NULL);
}

static inline ssize_t file_write_here(struct file *f, struct iobuf *from)
{
    int64_t ignored = 0;
    if (likely(f->can_write && f->ops->write && file_is_simple(f)))
        return f->ops->write(f, from, &ignored);
    return file_write(f, from, NULL);
}
