/* needs: vdso/vdso64.loaded */
/* The vDSO as a program sees it: found by both kinds of hash table and by version, as libcs do, and
 * called with a vvar page made here. */
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../arch/x86/vdso/vvar.h"

#define PAGE 4096ul

static const char *path = "build/vdso/vdso64.loaded";
static uint8_t *image;
static struct vvar *vvar;

static const Elf64_Sym *symbols;
static const char *strings;
static const uint32_t *hash, *gnu_hash;
static const uint16_t *versions;
static const Elf64_Verdef *verdef;

static int load(void **state)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    size_t size = (st.st_size + PAGE - 1) & ~(PAGE - 1);
    uint8_t *base =
        mmap(NULL, PAGE + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return -1;
    vvar = (struct vvar *)base;
    image = mmap(base + PAGE, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0);
    close(fd);
    return image == MAP_FAILED ? -1 : 0;
}

static void has_one_segment(void **state)
{
    const Elf64_Ehdr *e = (void *)image;
    assert_memory_equal(e->e_ident, ELFMAG, SELFMAG);
    assert_int_equal(e->e_type, ET_DYN);
    const Elf64_Phdr *p = (void *)(image + e->e_phoff);
    unsigned loads = 0;
    for (unsigned i = 0; i < e->e_phnum; i++)
        if (p[i].p_type == PT_LOAD) {
            loads++;
            assert_int_equal(p[i].p_flags, PF_R | PF_X);
            assert_int_equal(p[i].p_vaddr, 0);
            assert_int_equal(p[i].p_offset, 0);
        }
    assert_int_equal(loads, 1);
}

static void read_dynamic(void)
{
    const Elf64_Ehdr *e = (void *)image;
    const Elf64_Phdr *p = (void *)(image + e->e_phoff);
    const Elf64_Dyn *d = NULL;
    for (unsigned i = 0; i < e->e_phnum; i++)
        if (p[i].p_type == PT_DYNAMIC)
            d = (void *)(image + p[i].p_vaddr);
    assert_non_null(d);
    for (; d->d_tag != DT_NULL; d++) {
        const void *value = image + d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_SYMTAB:
            symbols = value;
            break;
        case DT_STRTAB:
            strings = value;
            break;
        case DT_HASH:
            hash = value;
            break;
        case DT_GNU_HASH:
            gnu_hash = value;
            break;
        case DT_VERSYM:
            versions = value;
            break;
        case DT_VERDEF:
            verdef = value;
            break;
        case DT_REL:
        case DT_RELA:
        case DT_JMPREL:
        case DT_TEXTREL:
            fail_msg("needs relocation");
        }
    }
    assert_true(symbols && strings && hash && gnu_hash && versions && verdef);
}

static void has_version(void **state)
{
    read_dynamic();
    const Elf64_Verdef *v = verdef;
    const Elf64_Verdaux *first = (void *)((char *)v + v->vd_aux);
    assert_string_equal(strings + first->vda_name, "linux-vdso.so.1");
    v = (void *)((char *)v + v->vd_next);
    const Elf64_Verdaux *second = (void *)((char *)v + v->vd_aux);
    assert_string_equal(strings + second->vda_name, "LINUX_2.6");
    assert_int_equal(v->vd_hash, 0x3ae75f6); /* what Go looks for */
    assert_int_equal(v->vd_ndx, 2);
}

static uint32_t sysv_hash(const char *s)
{
    uint32_t h = 0;
    for (; *s; s++) {
        h = (h << 4) + (uint8_t)*s;
        h ^= (h & 0xf0000000) >> 24;
        h &= 0x0fffffff;
    }
    return h;
}

static unsigned find_sysv(const char *name)
{
    for (unsigned i = hash[2 + sysv_hash(name) % hash[0]]; i; i = hash[2 + hash[0] + i])
        if (strcmp(strings + symbols[i].st_name, name) == 0)
            return i;
    return 0;
}

static unsigned find_gnu(const char *name)
{
    uint32_t h = 5381;
    for (const char *s = name; *s; s++)
        h = h * 33 + (uint8_t)*s;
    uint32_t nr = gnu_hash[0], first = gnu_hash[1], bloom = gnu_hash[2];
    const uint32_t *buckets = gnu_hash + 4 + bloom * 2, *chain = buckets + nr;
    for (unsigned i = buckets[h % nr]; i; i++) {
        if ((chain[i - first] | 1) == (h | 1) && strcmp(strings + symbols[i].st_name, name) == 0)
            return i;
        if (chain[i - first] & 1)
            break;
    }
    return 0;
}

static void *lookup(const char *name)
{
    read_dynamic();
    unsigned i = find_sysv(name);
    assert_int_not_equal(i, 0);
    assert_int_equal(i, find_gnu(name));
    assert_int_equal(versions[i] & 0x7fff, 2);
    assert_int_equal(symbols[i].st_info & 15, STT_FUNC);
    return image + symbols[i].st_value;
}

static void has_symbols(void **state)
{
    static const char *const names[] = {"clock_gettime", "clock_getres", "gettimeofday", "time",
                                        "getcpu"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char full[64];
        snprintf(full, sizeof(full), "__vdso_%s", names[i]);
        assert_ptr_equal(lookup(names[i]), lookup(full));
    }
    read_dynamic();
    assert_int_equal(find_sysv("memcpy"), 0);
}

typedef int clock_fn(clockid_t, struct timespec *);

static void tells_time(void **state)
{
    clock_fn *gettime = (clock_fn *)lookup("__vdso_clock_gettime");
    struct timespec t;
    *vvar = (struct vvar){.base_tsc = vvar_tsc(),
                          .base_ns = 5999999000,
                          .mult = 1ull << VVAR_SHIFT,
                          .wall_offset_ns = 1700000000000000000};
    assert_int_equal(gettime(CLOCK_MONOTONIC, &t), 0);
    assert_in_range(t.tv_sec, 5, 60);
    assert_in_range(t.tv_nsec, 0, 999999999);
    assert_int_equal(gettime(CLOCK_REALTIME, &t), 0);
    assert_in_range(t.tv_sec, 1700000005, 1700000060);

    vvar->mult = 0; /* time stands still */
    static const clockid_t mono[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
                                     CLOCK_BOOTTIME};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(gettime(mono[i], &t), 0);
        assert_int_equal(t.tv_sec, 5);
        assert_int_equal(t.tv_nsec, 999999000);
    }
    struct timeval tv;
    int (*gettimeofday_fn)(struct timeval *, void *) = lookup("__vdso_gettimeofday");
    assert_int_equal(gettimeofday_fn(&tv, NULL), 0);
    assert_int_equal(tv.tv_sec, 1700000005);
    assert_int_equal(tv.tv_usec, 999999);
    time_t (*time_fn)(time_t *) = lookup("__vdso_time");
    time_t seconds;
    assert_int_equal(time_fn(&seconds), 1700000005);
    assert_int_equal(seconds, 1700000005);

    vvar->base_tsc += 1ull << 62; /* a TSC behind the base */
    vvar->mult = 1ull << VVAR_SHIFT;
    assert_int_equal(gettime(CLOCK_MONOTONIC, &t), 0);
    assert_int_equal(t.tv_nsec, 999999000);
}

static void asks_the_kernel(void **state)
{
    clock_fn *gettime = (clock_fn *)lookup("__vdso_clock_gettime");
    struct timespec t = {-1, -1};
    assert_int_equal(gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    assert_in_range(t.tv_nsec, 0, 999999999);
    assert_true(gettime(100, &t) < 0);
    assert_true(gettime(-1, &t) < 0);

    long (*getcpu_fn)(unsigned *, unsigned *, void *) = lookup("__vdso_getcpu");
    unsigned cpu = ~0u, node = ~0u;
    vvar->getcpu = GETCPU_SYSCALL;
    assert_int_equal(getcpu_fn(&cpu, &node, NULL), 0);
    assert_in_range(cpu, 0, 4095);
    assert_int_equal(getcpu_fn(NULL, NULL, NULL), 0);

    clock_fn *getres = (clock_fn *)lookup("__vdso_clock_getres");
    assert_int_equal(getres(CLOCK_MONOTONIC, &t), 0);
    assert_int_equal(t.tv_sec, 0);
    assert_int_equal(t.tv_nsec, 1);
    assert_int_equal(getres(CLOCK_MONOTONIC, NULL), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_one_segment), cmocka_unit_test(has_version),
        cmocka_unit_test(has_symbols),     cmocka_unit_test(tells_time),
        cmocka_unit_test(asks_the_kernel),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
