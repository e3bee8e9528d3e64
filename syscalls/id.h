/* What i386's calls on ids share with the others. */
#pragma once

#include <base/types.h>

/* setgroups(2) with the list in kernel memory: takes `groups` (heap; NULL when n is 0) over.  0, -EINVAL (-1 in it), -ENOMEM. */
long groups_set(uint32_t *groups, unsigned n);
