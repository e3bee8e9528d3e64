/* signalfd(2): signals to read and wait for. */
#pragma once

#include <vfs/file.h>

/* O_NONBLOCK in flags; SIGKILL and SIGSTOP are taken out of the mask.  NULL: no memory. */
struct file *signalfd_new(uint64_t mask, int flags) must_check;
/* Another mask for an existing one: 0, or -EINVAL when the file is none. */
must_check int signalfd_set_mask(struct file *f, uint64_t mask);
