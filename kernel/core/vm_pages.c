/* Pages in the page tables of an address space: mapping, taking out, moving, protecting.
 *
 * A page that was mapped may be in use by another CPU until the flush, so pages taken out are gathered first and
 * given back behind it.  Private pages with one reference are nobody else's: they are gathered by their own
 * links, any number of them; the rest in a small array, after which the walk stops for a flush.
 *
 * A big page lies inside one area always (vm_area_split cuts it first), and so visiting an area or several whole
 * ones never splits one and cannot fail.
 *
 * Called with vm->lock held, but for vm_pages_map and vm_pages_lookup. */
#include "vm_private.h"

#define GATHER_MAX 64

unsigned vm_pages_flags(const struct vm_area *a, bool writable)
{
    unsigned flags = MAP_USER;
    if (a->prot & ALL_PROT)
        flags |= MAP_R;
    if (writable && a->prot & PROT_WRITE)
        flags |=
            MAP_W | MAP_DIRTY; /* a clean entry would cost the CPU an update on the first write */
    if (a->prot & PROT_EXEC)
        flags |= MAP_X;
    return flags;
}

static bool note_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    *(bool *)arg = true;
    return false;
}

static bool is_mapped_locked(struct vm *vm, uintptr_t va, unsigned map_flags)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    bool found = false;
    if (!(map_flags & MAP_BIG))
        return arch_lookup(&vm->arch, va, &pa, &size, &flags);
    int err = arch_visit(&vm->arch, va, va + BIG_PAGE_SIZE, note_entry, &found);
    return found || err;
}

static int map_over_nothing(struct vm *vm, uintptr_t va, struct page *p, unsigned flags,
                            uint64_t changes)
{
    if (atomic_load(&vm->changes) != changes)
        return -EAGAIN;
    if (is_mapped_locked(vm, va, flags))
        return -EEXIST;
    int err = arch_map(&vm->arch, va, page_paddr(p), flags);
    if (!err && p != page_zero()) {
        vm->rss_pages += flags & MAP_BIG ? BIG_PAGE_SIZE >> PAGE_SHIFT : 1;
        vm->rss_peak_pages = MAX(vm->rss_peak_pages, vm->rss_pages);
    }
    return err;
}

int vm_pages_map(struct vm *vm, uintptr_t va, struct page *p, unsigned flags, uint64_t changes)
{
    spin_lock(&vm->table_lock);
    int err = map_over_nothing(vm, va, p, flags, changes);
    spin_unlock(&vm->table_lock);
    return err;
}

struct page *vm_pages_lookup(struct vm *vm, uintptr_t va, unsigned *flags)
{
    struct paddr pa;
    size_t size;
    spin_lock(&vm->table_lock);
    bool found = arch_lookup(&vm->arch, va, &pa, &size, flags);
    spin_unlock(&vm->table_lock);
    return found ? page_of(pa) : NULL;
}

static bool count_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    if (pa.pa != page_paddr(page_zero()).pa)
        *(uint64_t *)arg += size >> PAGE_SHIFT;
    return false;
}

uint64_t vm_pages_count(struct vm *vm, uintptr_t start, uintptr_t end)
{
    uint64_t n = 0;
    spin_lock(&vm->table_lock);
    int err = arch_visit(&vm->arch, start, end, count_entry, &n);
    spin_unlock(&vm->table_lock);
    assert(err == 0);
    (void)err;
    return n;
}

/* --- big pages at the edges ------------------------------------------------------------------------------ */

static bool keep_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    return false;
}

int vm_pages_cut_at(struct vm *vm, uintptr_t at)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    int err = 0;
    if (at % BIG_PAGE_SIZE == 0)
        return 0;
    spin_lock(&vm->table_lock);
    if (arch_lookup(&vm->arch, at, &pa, &size, &flags) && size == BIG_PAGE_SIZE) {
        err = arch_visit(&vm->arch, at, at + PAGE_SIZE, keep_entry, NULL);
        if (!err)
            page_split(page_of(pa));
    }
    spin_unlock(&vm->table_lock);
    return err;
}

/* --- taking out --------------------------------------------------------------------------------------------- */

struct gather {
    struct list own; /* private pages, by page.link */
    struct page *others[GATHER_MAX];
    unsigned nr_others;
    bool keep_copies;
    bool is_full;
    uintptr_t stopped_at; /* when full: the first entry left alone */
    uintptr_t low, high;  /* what was cleared */
    uint64_t rss;
};

/* Not by an initialiser, which would clear the array too. */
static void gather_init(struct gather *g, bool keep_copies)
{
    list_init(&g->own);
    g->nr_others = 0;
    g->keep_copies = keep_copies;
    g->is_full = false;
    g->low = UINTPTR_MAX;
    g->high = 0;
    g->rss = 0;
}

static bool gather_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    struct gather *g = arg;
    struct page *p = page_of(pa);
    if (g->is_full || (g->keep_copies && p->flags & PAGE_ANON))
        return false;
    if (p == page_zero()) {
        /* nothing to give back */
    } else if (vm_pages_is_own(p)) {
        list_push_back(&g->own, &p->link);
        g->rss += size >> PAGE_SHIFT;
    } else if (g->nr_others < GATHER_MAX) {
        g->others[g->nr_others++] = p;
        g->rss += size >> PAGE_SHIFT;
    } else {
        g->is_full = true;
        g->stopped_at = va;
        return false;
    }
    g->low = MIN(g->low, va);
    g->high = va + size;
    return true;
}

static void gather_release(struct gather *g)
{
    for (struct list *l = list_pop_front(&g->own); l; l = list_pop_front(&g->own))
        page_put(list_entry(l, struct page, link));
    for (unsigned i = 0; i < g->nr_others; i++)
        page_put(g->others[i]);
}

void vm_pages_drop(struct vm *vm, uintptr_t start, uintptr_t end, bool keep_copies)
{
    /* Steps end where a big page may end.  They grow while nothing fills the array, so that an empty range of any
     * size takes few steps, and a full one looks at few entries twice. */
    size_t step = BIG_PAGE_SIZE;
    for (uintptr_t at = start; at < end;) {
        uintptr_t stop = ALIGN_DOWN(at, BIG_PAGE_SIZE) + step;
        struct gather g;
        gather_init(&g, keep_copies);
        if (stop > end || stop < at)
            stop = end;
        spin_lock(&vm->table_lock);
        int err = arch_visit(&vm->arch, at, stop, gather_entry, &g);
        vm->rss_pages -= g.rss;
        spin_unlock(&vm->table_lock);
        assert(err == 0);
        (void)err;
        if (g.high > 0)
            arch_flush(&vm->arch, g.low, g.high);
        gather_release(&g);
        step = g.is_full ? BIG_PAGE_SIZE : MIN(step * 2, 1UL << 47);
        at = g.is_full ? g.stopped_at : stop;
    }
}

void vm_pages_prune(struct vm *vm, uintptr_t start, uintptr_t end)
{
    spin_lock(&vm->table_lock);
    arch_prune(&vm->arch, start, end);
    spin_unlock(&vm->table_lock);
}

/* --- rights --------------------------------------------------------------------------------------------------- */

bool vm_pages_is_own(const struct page *p)
{
    return p->flags & PAGE_ANON && page_refs(p) == 1;
}

/* Over an entry that is there: needs no table, so it cannot fail. */
static void set_rights(struct vm *vm, const struct vm_area *a, uintptr_t va, struct paddr pa,
                       unsigned flags, bool writable)
{
    unsigned rights = MAP_R | MAP_W | MAP_X;
    unsigned wanted = vm_pages_flags(a, writable) | (flags & (MAP_BIG | MAP_UNCACHED));
    if ((flags & rights) == (wanted & rights))
        return;
    int err = arch_map(&vm->arch, va, pa, wanted);
    assert(err == 0);
    (void)err;
}

void vm_pages_refresh(struct vm *vm, const struct vm_area *a, uintptr_t va, bool writable)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    spin_lock(&vm->table_lock);
    if (arch_lookup(&vm->arch, va, &pa, &size, &flags))
        set_rights(vm, a, ALIGN_DOWN(va, size), pa, flags, writable || flags & MAP_W);
    spin_unlock(&vm->table_lock);
}

/* A page shared with the object stays writable if it was, as the object knows of it then. */
static bool protect_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    struct vm_area *a = arg;
    bool writable = a->flags & AREA_SHARED ? flags & MAP_W : vm_pages_is_own(page_of(pa));
    set_rights(a->vm, a, va, pa, flags, writable);
    return false;
}

void vm_pages_protect(struct vm *vm, struct vm_area *a, uintptr_t start, uintptr_t end, bool lowers)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    spin_lock(&vm->table_lock);
    if (end - start > PAGE_SIZE) {
        int err = arch_visit(&vm->arch, start, end, protect_entry, a);
        assert(err == 0);
        (void)err;
    } else if (arch_lookup(&vm->arch, start, &pa, &size, &flags)) {
        protect_entry(a, start, size, pa, flags);
    }
    spin_unlock(&vm->table_lock);
    if (lowers)
        arch_flush(&vm->arch, start, end);
}

/* --- moving ---------------------------------------------------------------------------------------------------- */

struct move {
    struct vm *vm;
    uintptr_t delta; /* destination minus source, modulo 2^64 */
    int err;
    uintptr_t big; /* not 0: a big page that cannot stay one at the destination */
};

static bool move_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    struct move *m = arg;
    if (m->err || m->big)
        return false;
    if (size == BIG_PAGE_SIZE && m->delta % BIG_PAGE_SIZE != 0) {
        m->big = va;
        return false;
    }
    m->err = arch_map(&m->vm->arch, va + m->delta, pa, flags);
    return m->err == 0;
}

static int move_range(struct vm *vm, uintptr_t from, uintptr_t to, size_t len)
{
    struct move m = {.vm = vm, .delta = to - from};
    do {
        m.big = 0;
        spin_lock(&vm->table_lock);
        int err = arch_visit(&vm->arch, from, from + len, move_entry, &m);
        spin_unlock(&vm->table_lock);
        if (!m.err)
            m.err = err;
        if (!m.err && m.big)
            m.err = vm_pages_cut_at(vm, m.big + PAGE_SIZE);
    } while (!m.err && m.big);
    return m.err;
}

int vm_pages_move(struct vm *vm, uintptr_t from, uintptr_t to, size_t len)
{
    if (len == 0)
        return 0;
    int err = move_range(vm, from, to, len);
    if (err) {
        /* The tables of the source are all still there, so the way back needs no memory. */
        int back = move_range(vm, to, from, len);
        assert(back == 0);
        (void)back;
    }
    arch_flush(&vm->arch, from, from + len);
    if (err)
        arch_flush(&vm->arch, to, to + len);
    return err;
}
