/* The vDSO: an ELF image that AT_SYSINFO_EHDR points to, with the functions that libcs and Go look
 * for. */
#include <elf.h>
#include <sys/auxv.h>

#include "abi.h"

static const char *base;

static void *symbol(const char *wanted)
{
    const Elf64_Ehdr *ehdr = (const void *)base;
    const Elf64_Phdr *ph = (const void *)(base + ehdr->e_phoff);
    const Elf64_Dyn *dyn = NULL;
    const Elf64_Sym *symbols = NULL;
    const char *names = NULL, *shift = NULL;
    const uint32_t *hash = NULL, *gnu = NULL;
    uint32_t nr = 0;

    for (int i = 0; i < ehdr->e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && !shift)
            shift = base + ph[i].p_offset - ph[i].p_vaddr;
        if (ph[i].p_type == PT_DYNAMIC)
            dyn = (const void *)(base + ph[i].p_offset);
    }
    NEED(dyn && shift);
    for (; dyn->d_tag; dyn++) {
        const void *p = shift + dyn->d_un.d_ptr;
        if (dyn->d_tag == DT_SYMTAB)
            symbols = p;
        else if (dyn->d_tag == DT_STRTAB)
            names = p;
        else if (dyn->d_tag == DT_HASH)
            hash = p;
        else if (dyn->d_tag == DT_GNU_HASH)
            gnu = p;
    }
    NEED(symbols && names && (hash || gnu));
    if (hash) {
        nr = hash[1];
    } else { /* the last chain's end */
        const uint32_t *buckets = gnu + 4 + gnu[2] * 2, *chains = buckets + gnu[0];
        for (uint32_t i = 0; i < gnu[0]; i++)
            if (buckets[i] > nr)
                nr = buckets[i];
        while (nr && !(chains[nr++ - gnu[1]] & 1))
            ;
    }
    for (uint32_t i = 0; i < nr; i++)
        if (!strcmp(names + symbols[i].st_name, wanted) && symbols[i].st_shndx)
            return (void *)(shift + symbols[i].st_value);
    return NULL;
}

int main(void)
{
    static const char *const names[] = {"__vdso_clock_gettime", "__vdso_gettimeofday",
                                        "__vdso_time", "__vdso_getcpu", "__vdso_clock_getres"};
    struct timespec t, u;
    struct timeval tv;
    unsigned cpu = 9999;

    base = (const char *)getauxval(AT_SYSINFO_EHDR);
    NEED(base != NULL);
    say("an ELF image: %d, at the start of a page: %d", !memcmp(base, ELFMAG, 4),
        ((uintptr_t)base & 4095) == 0);
    for (size_t i = 0; i < NR(names); i++)
        say("%s: %d", names[i], symbol(names[i]) != NULL);
    int (*gettime)(clockid_t, struct timespec *) =
        (int (*)(clockid_t, struct timespec *))symbol(names[0]);
    int (*of_day)(struct timeval *, void *) = (int (*)(struct timeval *, void *))symbol(names[1]);
    time_t (*seconds)(time_t *) = (time_t(*)(time_t *))symbol(names[2]);
    int (*getcpu)(unsigned *, unsigned *, void *) =
        (int (*)(unsigned *, unsigned *, void *))symbol(names[3]);
    NEED(gettime && of_day && seconds && getcpu);
    SHOW(gettime(CLOCK_MONOTONIC, &t));
    SHOW(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &u));
    CHECK(t.tv_sec < u.tv_sec || (t.tv_sec == u.tv_sec && t.tv_nsec <= u.tv_nsec));
    SHOW(gettime(CLOCK_THREAD_CPUTIME_ID, &t)); /* by a system call inside */
    SHOW(gettime(99, &t));
    SHOW(of_day(&tv, NULL));
    CHECK(seconds(NULL) - tv.tv_sec <= 1);
    SHOW(getcpu(&cpu, NULL, NULL));
    CHECK(cpu < 1024);
    say("writes to it fault: %d", WRITES(base));
    return done();
}
