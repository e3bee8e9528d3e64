/* What a program is started with: arguments, environment, the auxiliary vector, the stack. */
#include <elf.h>
#include <sys/auxv.h>

#include "abi.h"

extern char **environ;
extern int main(int, char **);
static int initialised = 1;

int main(int argc, char **argv)
{
    unsigned variables = 0;

    say("arguments: %d", argc - 1);
    for (int i = 1; i < argc; i++)
        say("  \"%s\" (%zu)", argv[i], strlen(argv[i]));
    CHECK(argv[argc] == NULL && argv[0][0]);
    for (char **e = environ; *e; e++, variables++)
        CHECK(strchr(*e, '=') != NULL);
    say("ABI_TEST=%s", getenv("ABI_TEST") ? getenv("ABI_TEST") : "(none)");
    CHECK(variables >= 1);
    CHECK((char *)(environ + variables) < argv[0]); /* strings above the pointers */

    say("page size %lu, clock ticks %lu, secure %lu, header size %lu", getauxval(AT_PAGESZ),
        getauxval(AT_CLKTCK), getauxval(AT_SECURE), getauxval(AT_PHENT));
    say("uid %d, euid %d, gid %d", getauxval(AT_UID) == getuid(), getauxval(AT_EUID) == geteuid(),
        getauxval(AT_GID) == getgid());
    const unsigned char *random = (void *)getauxval(AT_RANDOM);
    unsigned nonzero = 0;
    NEED(random != NULL);
    for (int i = 0; i < 16; i++)
        nonzero += random[i] != 0;
    CHECK(nonzero > 8);
    CHECK(getauxval(AT_EXECFN) && ((char *)getauxval(AT_EXECFN))[0]);
    CHECK(!strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
    CHECK(getauxval(AT_HWCAP) & 1); /* the FPU */
    const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
    unsigned loads = 0, stacks = 0;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
        loads += ph[i].p_type == PT_LOAD;
        stacks += ph[i].p_type == PT_GNU_STACK;
    }
    CHECK(loads >= 2 && stacks == 1);
    CHECK(getauxval(AT_ENTRY) != 0 && getauxval(AT_BASE) == 0);
    initialised++;
    say("data is writable: %d, text is not: %d", initialised, WRITES((void *)main));
    return done();
}
