/* Layouts of the user structures of process calls. */
#pragma once

#include <core/usercopy.h>
#include <proc/process.h>

/* A structure that grows with Linux's versions (clone3, openat2): `size` bytes of it are the caller's.  What he
 * leaves out reads as zero, and what he has beyond `known` must be zero.  0, -EFAULT, -E2BIG. */
must_check int user_get_extensible(struct uptr p, size_t size, void *dst, size_t known);

/* struct rusage, struct rlimit64.  0 or -EFAULT. */
must_check int user_put_rusage(struct uptr p, const struct process_usage *u);
must_check int user_get_rlimit(struct uptr p, struct rlimit_pair *r);
must_check int user_put_rlimit(struct uptr p, const struct rlimit_pair *r);
/* struct rlimit, whose numbers are the caller's longs: i386 sees none above `most`. */
must_check int user_get_rlimit_word(struct uptr p, struct rlimit_pair *r);
must_check int user_put_rlimit_word(struct uptr p, const struct rlimit_pair *r, uint32_t most);
