/* The first page of a program's life: the initial stack, laid out as Linux's create_elf_tables
 * does.
 *
 * From high to low addresses: eight zero bytes, the file name, the environment strings, the
 * argument strings, the platform's name, 16 random bytes, then 16-byte aligned from the stack
 * pointer up: argc, argv, NULL, envp, NULL, and the auxiliary vector.  Programs walk all of it by
 * hand, and debuggers rely on the order. */
#include "private.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/random.h>
#include <core/usercopy.h>
#include <i386/layout.h>
#include <linux/auxvec.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <proc/cred.h>

enum {
    STRING_MAX = 32 * 4096,        /* MAX_ARG_STRLEN */
    STRINGS_MAX = 6 * 1024 * 1024, /* 3/4 of the default stack limit */
    RESERVE = 128 * 1024,          /* mapped below the strings from the start, as Linux does */
    NR_AUX = 24,
};

static int measure(const char *const *strings, unsigned *count, size_t *bytes)
{
    unsigned n = 0;
    for (; strings[n]; n++) {
        size_t len = strlen(strings[n]) + 1;
        if (len > STRING_MAX)
            return -E2BIG;
        *bytes += len + sizeof(uintptr_t);
        if (*bytes > STRINGS_MAX)
            return -E2BIG;
    }
    *count = n;
    return 0;
}

int stack_measure(struct exec_image *image, uint64_t stack_limit, size_t *size)
{
    size_t bytes = 0;
    int err = measure(image->argv, &image->argc, &bytes);
    if (!err)
        err = measure(image->envp, &image->envc, &bytes);
    if (err)
        return err;

    size_t limit = MIN(stack_limit / 4, (uint64_t)STRINGS_MAX);
    if (bytes > MAX(limit, (size_t)ARG_MAX))
        return -E2BIG;
    *size = bytes + strlen(image->name) + 1 + (NR_AUX * 2 + 8) * sizeof(uintptr_t) + 64;
    return 0;
}

int stack_map(struct exec_image *image, size_t size, bool executable)
{
    size_t len = ALIGN_UP(size + RESERVE, PAGE_SIZE);
    image->stack_top = image->is_i386 ? USER32_TOP : USER_TOP;
    struct vm_map_args args = {
        .addr = image->stack_top - len,
        .len = len,
        .prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0),
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN | MAP_STACK,
        .max_prot = PROT_READ | PROT_WRITE | PROT_EXEC,
        .name = "[stack]",
    };
    uintptr_t addr;
    return vm_map(image->vm, &args, &addr);
}

/* Write strings below *sp, the first one lowest. */
static int push_strings(const char *const *strings, unsigned count, uintptr_t *sp)
{
    for (unsigned i = count; i-- > 0;) {
        size_t len = strlen(strings[i]) + 1;
        *sp -= len;
        if (user_write((struct uptr){*sp}, strings[i], len))
            return -EFAULT;
    }
    return 0;
}

static int push_bytes(const void *bytes, size_t len, uintptr_t *sp)
{
    *sp -= len;
    return user_write((struct uptr){*sp}, bytes, len);
}

/* The addresses of strings that lie one behind the other from `at` on, and a NULL. */
static uint64_t *put_pointers(uint64_t *w, const char *const *strings, unsigned count, uintptr_t at)
{
    for (unsigned i = 0; i < count; i++) {
        *w++ = at;
        at += strlen(strings[i]) + 1;
    }
    *w++ = 0;
    return w;
}

struct aux_strings {
    uintptr_t platform, random, name;
};

/* Linux's order, AT_SYSINFO_EHDR first; before it i386's AT_SYSINFO, the entry of its vDSO. */
static uint64_t *put_auxv(uint64_t *w, const struct exec_image *image, const struct aux_strings *at)
{
    if (image->is_i386) {
        *w++ = I386_AT_SYSINFO;
        *w++ = image->vdso + arch_vdso_32()->vsyscall;
    }
    const struct cred *cred = current_cred();
    const uint64_t auxv[][2] = {
        {AT_SYSINFO_EHDR, image->vdso},
        {AT_MINSIGSTKSZ, arch_minsigstksz()},
        {AT_HWCAP, arch_hwcap()},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, 100},
        {AT_PHDR, image->phdr},
        {AT_PHENT, image->is_i386 ? 32 : 56},
        {AT_PHNUM, image->phnum},
        {AT_BASE, 0}, /* no interpreter */
        {AT_FLAGS, 0},
        {AT_ENTRY, image->entry},
        {AT_UID, cred->uid},
        {AT_EUID, cred->euid},
        {AT_GID, cred->gid},
        {AT_EGID, cred->egid},
        {AT_SECURE, cred->uid != cred->euid || cred->gid != cred->egid},
        {AT_RANDOM, at->random},
        {AT_HWCAP2, arch_hwcap2()},
        {AT_EXECFN, at->name},
        {AT_PLATFORM, at->platform},
        {AT_NULL, 0},
    };
    _Static_assert(ARRAY_LEN(auxv) + 1 <= NR_AUX, "stack_measure leaves room for that many");
    memcpy(w, auxv, sizeof(auxv));
    return w + 2 * ARRAY_LEN(auxv);
}

/* Strings first; what later parts refer to is noted in *at and in the process. */
static int fill_strings(const struct exec_image *image, struct process *p, struct aux_strings *at,
                        uintptr_t *sp)
{
    static const uint64_t zero;
    const char *platform = arch_platform(image->is_i386);
    int err = push_bytes(&zero, sizeof(zero), sp);
    if (!err)
        err = push_bytes(image->name, strlen(image->name) + 1, sp);
    at->name = p->env_end = *sp;
    if (!err)
        err = push_strings(image->envp, image->envc, sp);
    p->env_start = p->arg_end = *sp;
    if (!err)
        err = push_strings(image->argv, image->argc, sp);
    p->arg_start = *sp;

    *sp = ALIGN_DOWN(*sp, 16);
    if (!err)
        err = push_bytes(platform, strlen(platform) + 1, sp);
    at->platform = *sp;

    uint8_t random[16];
    random_bytes(random, sizeof(random));
    if (!err)
        err = push_bytes(random, sizeof(random), sp);
    at->random = *sp;
    return err;
}

/* An i386 program's words have 32 bits.  In place; bytes left. */
static size_t narrow(uint64_t *words, const uint64_t *end)
{
    char *to = (char *)words;
    for (const uint64_t *w = words; w < end; w++, to += sizeof(uint32_t)) {
        uint32_t word = (uint32_t)*w;
        memcpy(to, &word, sizeof(word));
    }
    return (size_t)(to - (char *)words);
}

int stack_fill(const struct exec_image *image, struct process *p, uintptr_t *sp)
{
    struct aux_strings at;
    uintptr_t top = image->stack_top;
    int err = fill_strings(image, p, &at, &top);
    if (err)
        return err;

    size_t max = 1 + image->argc + 1 + image->envc + 1 + 2 * NR_AUX;
    uint64_t *words = heap_alloc(max * sizeof(*words)), *w = words;
    if (!words)
        return -ENOMEM;
    *w++ = image->argc;
    w = put_pointers(w, image->argv, image->argc, p->arg_start);
    w = put_pointers(w, image->envp, image->envc, p->env_start);
    size_t before_auxv = (char *)w - (char *)words;
    w = put_auxv(w, image, &at);

    size_t bytes = (char *)w - (char *)words;
    if (image->is_i386) {
        bytes = narrow(words, w);
        before_auxv /= 2;
    }
    *sp = ALIGN_DOWN(top - bytes, 16);
    p->auxv_start = *sp + before_auxv;
    p->auxv_len = bytes - before_auxv;
    err = user_write((struct uptr){*sp}, words, bytes);
    heap_free(words);
    return err;
}
