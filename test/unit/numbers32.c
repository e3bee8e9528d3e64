/* The table's i386 numbers against Linux's header: a wrong number does not compile. */
#include <asm/unistd_32.h>
#include "numbers_new.h"
#define NR32(nr, name, id) _Static_assert((nr) == __NR_##name, "i386 number of " #name);
#include "../../syscalls/include/syscalls/table.h"
