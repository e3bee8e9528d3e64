/* The table's x86-64 numbers against Linux's header: a wrong number does not compile. */
#include <asm/unistd_64.h>
#include "numbers_new.h"
#define NR64(nr, name, id) _Static_assert((nr) == __NR_##name, "x86-64 number of " #name);
#include "../../syscalls/include/syscalls/table.h"
