/* The vDSO in a program's address space: one read-only page of clock data, and behind it the ELF
 * image whose functions read that page.  Every program maps the same pages, which are the kernel
 * image's own. */
#include "private.h"

#include <linux/mman.h>

enum { VDSO_MAX_PAGES = 8 };

/* Page 0 is vvar, the others are the text.  Written once, at boot. */
static struct page *vdso_pages[VDSO_MAX_PAGES];
static unsigned nr_vdso_pages;

static int vdso_get_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    if (index >= nr_vdso_pages || write)
        return -EFAULT;
    page_get(vdso_pages[index]);
    *page = vdso_pages[index];
    return 0;
}

static void vdso_free(struct vm_object *o)
{
    panic("the vDSO lost its last reference");
}

static const struct vm_object_ops vdso_ops = {.get_page = vdso_get_page, .free = vdso_free};
static struct vm_object vdso_object;

void vdso_map_init(void)
{
    const struct arch_vdso *vdso = arch_vdso_64();
    unsigned nr_text = (unsigned)(vdso->text_size / PAGE_SIZE);
    struct page *vvar = page_adopt(vdso->vvar, 1);
    struct page *text = page_adopt((struct paddr){(uintptr_t)vdso->text - IMAGE_BASE}, nr_text);
    if (!vvar || !text || nr_text + 1 > VDSO_MAX_PAGES)
        panic("the vDSO cannot be mapped");

    vm_object_init(&vdso_object, &vdso_ops);
    vdso_pages[0] = vvar;
    for (unsigned i = 0; i < nr_text; i++)
        vdso_pages[1 + i] = text + i;
    nr_vdso_pages = 1 + nr_text;
}

int vdso_map(struct vm *vm, uintptr_t *base)
{
    /* One mapping finds the place for both, the second replaces its upper part. */
    struct vm_map_args args = {
        .len = nr_vdso_pages * PAGE_SIZE,
        .prot = PROT_READ,
        .flags = MAP_PRIVATE,
        .object = &vdso_object,
        .max_prot = PROT_READ,
        .name = "[vvar]",
    };
    uintptr_t vvar;
    int err = vm_map(vm, &args, &vvar);
    if (err)
        return err;
    args = (struct vm_map_args){
        .addr = vvar + PAGE_SIZE,
        .len = (nr_vdso_pages - 1) * PAGE_SIZE,
        .prot = PROT_READ | PROT_EXEC,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .object = &vdso_object,
        .offset = PAGE_SIZE,
        .max_prot =
            PROT_READ | PROT_WRITE | PROT_EXEC, /* a debugger's breakpoint makes a private copy */
        .name = "[vdso]",
    };
    return vm_map(vm, &args, base);
}
