/* Layouts of the user structures that the calls on descriptors take. */
#pragma once

#include <base/types.h>
#include <core/usercopy.h>

/* nr elements of an iovec array.  0 or -EFAULT. */
must_check int user_get_iovec(struct uptr p, size_t nr, struct iobuf_seg *seg);

/* The same structures as the caller has them, unchecked.  0 or -EFAULT. */
struct __kernel_timespec;
struct __kernel_old_timeval;
must_check int user_get_timespec(struct uptr p, struct __kernel_timespec *ts);
must_check int user_get_timeval(struct uptr p, struct __kernel_old_timeval *tv);
/* A struct timespec, timeval: nanoseconds.  0, -EFAULT, -EINVAL (out of range; negative). */
must_check int user_get_timespec_ns(struct uptr p, int64_t *ns);
must_check int user_get_timeval_ns(struct uptr p, int64_t *ns);
must_check int user_put_timespec_ns(struct uptr p, int64_t ns);
must_check int user_put_timeval_ns(struct uptr p, int64_t ns);
/* A struct itimerspec. */
must_check int user_get_itimerspec_ns(struct uptr p, uint64_t *value, uint64_t *interval);
must_check int user_put_itimerspec_ns(struct uptr p, uint64_t value, uint64_t interval);

/* A signal mask of `size` bytes: 0, -EINVAL (size), -EFAULT. */
must_check int user_get_sigset(struct uptr p, size_t size, uint64_t *mask);

/* A struct flock of fcntl(2). */
struct flock_k {
    int type, whence, pid;
    int64_t start, len;
};
/* is_large: i386's struct flock64, where the caller has two.  0, -EFAULT, -EOVERFLOW. */
must_check int user_get_flock(struct uptr p, bool is_large, struct flock_k *lock);
must_check int user_put_flock(struct uptr p, bool is_large, const struct flock_k *lock);

/* pselect6's last argument: a mask and its size. */
must_check int user_get_sigset_arg(struct uptr p, struct uptr *mask, size_t *size);
