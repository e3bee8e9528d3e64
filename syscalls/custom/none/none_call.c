/* What the kernel asks about custom calls when there are none. */
#include <arch/upcalls.h>
#include <syscalls/thunk.h>

bool custom_call(enum abi abi, uint64_t nr, const uint64_t arg[SYSCALL_MAX_ARGS], long *ret)
{
    return false;
}

void up_wild_access(struct regs *regs, uintptr_t addr)
{
}
