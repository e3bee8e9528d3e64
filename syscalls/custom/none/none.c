/* A kernel without custom calls. */
#include <syscalls/custom.h>

const struct custom_table *custom_table(void)
{
    static const struct custom_table none = {0};

    return &none;
}
