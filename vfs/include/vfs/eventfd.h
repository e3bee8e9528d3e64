/* eventfd(2): a counter to wait for. */
#pragma once

#include <vfs/file.h>

/* EFD_* in flags (EFD_CLOEXEC is the caller's).  NULL: no memory. */
struct file *eventfd_new(unsigned count, int flags) must_check;
