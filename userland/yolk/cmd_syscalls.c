/* yolk syscalls: the support matrix, printed from the kernel's own table. */
#include "yolk.h"

int command_syscalls(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    die(STATUS_FAILED, "syscalls: not in this version");
}
