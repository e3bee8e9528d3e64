/* What i386's calls on ids share with the others. */
#pragma once

#include <base/types.h>

/* Whether the caller may set `size` groups: 0 and room for them (heap; NULL for none), -EPERM, -EINVAL, -ENOMEM. */
long groups_alloc(size_t size, uint32_t **groups);

/* setgroups(2) with the list in kernel memory: takes `groups` (heap; NULL when n is 0) over.  0, -EINVAL (-1 in it), -ENOMEM. */
long groups_set(uint32_t *groups, unsigned n);
