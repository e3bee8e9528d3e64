/* epoll(7), behind the system calls. */
#pragma once

#include <linux/eventpoll.h>
#include <vfs/file.h>

void epoll_init(void);                   /* boot */
struct file *epoll_new(void) must_check; /* NULL: no memory */
extern const struct file_ops epoll_ops;
static inline bool file_is_epoll(const struct file *f)
{
    return f->ops == &epoll_ops;
}

/* epoll_ctl(2); `fd` is only half of the key that finds an entry again.  -EEXIST, -ENOENT, -EINVAL, -EPERM,
 * -ELOOP, -ENOMEM. */
must_check int epoll_ctl(struct file *epoll, int op, struct file *target, int fd, uint32_t events,
                         uint64_t data);

/* What a wait delivers, one event at a time: 0, or -EFAULT to stop before it. */
typedef int epoll_emit_fn(void *arg, uint32_t events, uint64_t data);

/* epoll_wait(2): events delivered, 0 at the deadline, -EINTR.  `timeout_ns` < 0: none; 0: do not sleep. */
must_check int epoll_wait(struct file *epoll, int max_events, int64_t timeout_ns,
                          epoll_emit_fn *emit, void *arg);

/* file_put: nobody can add `f` any more; take it out of every instance. */
void epoll_forget_file(struct file *f);
