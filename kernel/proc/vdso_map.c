/* The vDSOs in a program's address space: one read-only page of clock data, and behind it the ELF
 * image whose functions read that page.  Every program maps the same pages, which are the kernel
 * image's own. */
#include "private.h"

#include <linux/mman.h>

enum { VDSO_MAX_PAGES = 8 };

/* Page 0 is vvar, the others are the text.  Written once, at boot. */
static struct vdso {
    struct vm_object object;
    struct page *page[VDSO_MAX_PAGES];
    unsigned nr_pages;
} vdso_64, vdso_32;

static int vdso_get_page(struct vm_object *o, uint64_t index, bool write, struct page **page)
{
    struct vdso *v = container_of(o, struct vdso, object);
    if (index >= v->nr_pages || write)
        return -EFAULT;
    page_get(v->page[index]);
    *page = v->page[index];
    return 0;
}

static void vdso_free(struct vm_object *o)
{
    panic("the vDSO lost its last reference");
}

static const struct vm_object_ops vdso_ops = {.get_page = vdso_get_page, .free = vdso_free};

static void init_one(struct vdso *v, const struct arch_vdso *arch, struct page *vvar)
{
    unsigned nr_text = (unsigned)(arch->text_size / PAGE_SIZE);
    struct page *text = page_adopt((struct paddr){(uintptr_t)arch->text - IMAGE_BASE}, nr_text);
    if (!vvar || !text || nr_text + 1 > VDSO_MAX_PAGES)
        panic("the vDSO cannot be mapped");

    vm_object_init(&v->object, &vdso_ops);
    v->page[0] = vvar;
    for (unsigned i = 0; i < nr_text; i++)
        v->page[1 + i] = text + i;
    v->nr_pages = 1 + nr_text;
}

void vdso_map_init(void)
{
    struct page *vvar = page_adopt(arch_vdso_64()->vvar, 1);
    init_one(&vdso_64, arch_vdso_64(), vvar);
    init_one(&vdso_32, arch_vdso_32(), vvar);
}

int vdso_map(struct vm *vm, bool is_i386, uintptr_t *base)
{
    struct vdso *v = is_i386 ? &vdso_32 : &vdso_64;
    /* One mapping finds the place for both, the second replaces its upper part. */
    struct vm_map_args args = {
        .len = v->nr_pages * PAGE_SIZE,
        .prot = PROT_READ,
        .flags = MAP_PRIVATE,
        .object = &v->object,
        .max_prot = PROT_READ,
        .name = "[vvar]",
    };
    uintptr_t vvar;
    int err = vm_map(vm, &args, &vvar);
    if (err)
        return err;
    args = (struct vm_map_args){
        .addr = vvar + PAGE_SIZE,
        .len = (v->nr_pages - 1) * PAGE_SIZE,
        .prot = PROT_READ | PROT_EXEC,
        .flags = MAP_PRIVATE | MAP_FIXED,
        .object = &v->object,
        .offset = PAGE_SIZE,
        .max_prot =
            PROT_READ | PROT_WRITE | PROT_EXEC, /* a debugger's breakpoint makes a private copy */
        .name = "[vdso]",
    };
    return vm_map(vm, &args, base);
}
