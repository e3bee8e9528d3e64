/* Running a system call by its number. */
#pragma once

#include <syscalls/syscall.h>

/* The result of call `nr` with the words of its argument registers: >= 0, -errno (-ENOSYS without a body) or a
 * restart code (base/errno.h).  Thread context, interrupts on. */
long syscall_dispatch(enum abi abi, uint64_t nr, const uint64_t reg[SYSCALL_MAX_ARGS]);
