/* Calls greet, which only the kernel of docs/CUSTOM_SYSCALLS.md has, and the uname(2) that it wraps. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "greet.h"

int main(int argc, char **argv)
{
    char text[64];
    struct utsname machine;
    long len = greet(argc > 1 ? argv[1] : "world", text, sizeof(text));

    if (len < 0) {
        fprintf(stderr, "greet: %s%s\n", strerror(errno),
                errno == ENOSYS ? " (this kernel has no such call: see docs/CUSTOM_SYSCALLS.md)"
                                : "");
        return 1;
    }
    uname(&machine);
    printf("%.*s, says %s\n", (int)len, text, machine.nodename);
    return 0;
}
