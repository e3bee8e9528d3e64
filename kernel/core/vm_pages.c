/* Pages in the page tables of an address space: mapping, taking out, moving, protecting.
 *
 * A page that was mapped may be in use by another CPU until the flush, so pages taken out are gathered first and
 * given back behind it.  Private pages with one reference are nobody else's: they are gathered by their own
 * links; the rest in an array.
 *
 * A range may hold any number of pages: after STEP_ENTRIES the lock is let go and others may run.
 *
 * A big page lies inside one area always (vm_area_split cuts it first), and so visiting an area or several whole
 * ones never splits one and cannot fail.
 *
 * Called with vm->lock held, but for vm_pages_map and vm_pages_lookup. */
#include "vm_private.h"

#include <core/sched.h>

#define GATHER_MAX   64
#define STEP_ORDER   3
#define STEP_ENTRIES ((PAGE_SIZE << STEP_ORDER) / sizeof(struct page *))

inline unsigned vm_pages_flags(const struct vm_area *a, bool writable)
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

static enum visit note_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    return VISIT_STOP;
}

static bool is_mapped_locked(struct vm *vm, uintptr_t va, unsigned map_flags)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    if (!(map_flags & MAP_BIG))
        return arch_lookup(&vm->arch, va, &pa, &size, &flags);
    return arch_visit(&vm->arch, va, va + BIG_PAGE_SIZE, note_entry, NULL) != 0;
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

/* --- visiting in steps ---------------------------------------------------------------------------------- */

struct steps {
    arch_visit_fn *visit;
    void *arg;
    unsigned left;
    uintptr_t at; /* where the next one begins */
};

static enum visit step_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    struct steps *s = arg;
    s->at = va;
    if (s->left == 0)
        return VISIT_STOP;
    s->left--;
    return s->visit(s->arg, va, size, pa, flags);
}

/* As arch_visit, with the table lock taken and let go; the callback stops nothing before the last step. */
static void visit_in_steps(struct vm *vm, uintptr_t start, uintptr_t end, arch_visit_fn *visit,
                           void *arg)
{
    struct steps s = {visit, arg, 0, start};
    int ret;
    do {
        s.left = STEP_ENTRIES;
        spin_lock(&vm->table_lock);
        ret = arch_visit(&vm->arch, s.at, end, step_entry, &s);
        spin_unlock(&vm->table_lock);
        if (ret > 0)
            (void)sched_checkpoint();
    } while (ret > 0);
    assert(ret == 0);
}

static enum visit count_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    if (pa.pa != page_paddr(page_zero()).pa)
        *(uint64_t *)arg += size >> PAGE_SHIFT;
    return VISIT_KEEP;
}

uint64_t vm_pages_count(struct vm *vm, uintptr_t start, uintptr_t end)
{
    uint64_t n = 0;
    visit_in_steps(vm, start, end, count_entry, &n);
    return n;
}

/* --- big pages at the edges ------------------------------------------------------------------------------ */

static enum visit keep_entry(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    return VISIT_KEEP;
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
    unsigned nr_own;
    struct page **others;
    unsigned nr_others, max_others;
    bool keep_copies;
    uintptr_t stopped_at; /* the first entry left alone */
    uintptr_t low, high;  /* what was cleared */
    uint64_t rss;
};

static void gather_begin(struct gather *g)
{
    list_init(&g->own);
    g->nr_own = g->nr_others = 0;
    g->low = UINTPTR_MAX;
    g->high = 0;
    g->rss = 0;
}

static enum visit gather_entry(void *arg, uintptr_t va, size_t size, struct paddr pa,
                               unsigned flags)
{
    struct gather *g = arg;
    struct page *p = page_of(pa);
    if (g->keep_copies && p->flags & PAGE_ANON)
        return VISIT_KEEP;
    if (g->nr_own == STEP_ENTRIES || g->nr_others == g->max_others) {
        g->stopped_at = va;
        return VISIT_STOP;
    }
    if (p != page_zero()) {
        if (vm_pages_is_own(p)) {
            list_push_back(&g->own, &p->link);
            g->nr_own++;
        } else {
            g->others[g->nr_others++] = p;
        }
        g->rss += size >> PAGE_SHIFT;
    }
    g->low = MIN(g->low, va);
    g->high = va + size;
    return VISIT_CLEAR;
}

static void gather_release(struct gather *g)
{
    for (struct list *l = list_pop_front(&g->own); l; l = list_pop_front(&g->own))
        page_put(list_entry(l, struct page, link));
    for (unsigned i = 0; i < g->nr_others; i++)
        page_put(g->others[i]);
}

/* Clear entries from `at` on, as many as fit; true when there are more. */
static bool drop_some(struct vm *vm, uintptr_t at, uintptr_t end, struct gather *g)
{
    gather_begin(g);
    spin_lock(&vm->table_lock);
    int ret = arch_visit(&vm->arch, at, end, gather_entry, g);
    vm->rss_pages -= g->rss;
    spin_unlock(&vm->table_lock);
    assert(ret >= 0);
    if (g->high > 0)
        arch_flush(&vm->arch, g->low, g->high);
    gather_release(g);
    return ret > 0;
}

void vm_pages_drop(struct vm *vm, uintptr_t start, uintptr_t end, bool keep_copies)
{
    struct page *few[GATHER_MAX], *more = NULL;
    struct gather g; /* without an initialiser, which would clear what follows from gather_begin */
    g.others = few;
    g.max_others = GATHER_MAX;
    g.keep_copies = keep_copies;
    g.stopped_at = start;
    while (drop_some(vm, g.stopped_at, end, &g)) {
        (void)sched_checkpoint();
        /* A flush interrupts the other CPUs: for a large object fewer of them, if there is memory. */
        if (!more && (more = page_alloc(STEP_ORDER, PG_MAY_FAIL))) {
            g.others = page_ptr(more);
            g.max_others = STEP_ENTRIES;
        }
    }
    if (more)
        page_put(more);
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
static inline void set_rights(struct vm *vm, const struct vm_area *a, uintptr_t va, struct paddr pa,
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
static enum visit protect_entry(void *arg, uintptr_t va, size_t size, struct paddr pa,
                                unsigned flags)
{
    struct vm_area *a = arg;
    bool writable = a->flags & AREA_SHARED ? flags & MAP_W : vm_pages_is_own(page_of(pa));
    set_rights(a->vm, a, va, pa, flags, writable);
    return VISIT_KEEP;
}

void vm_pages_protect(struct vm *vm, struct vm_area *a, uintptr_t start, uintptr_t end, bool lowers)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    if (end - start > PAGE_SIZE) {
        visit_in_steps(vm, start, end, protect_entry, a);
    } else {
        spin_lock(&vm->table_lock);
        if (arch_lookup(&vm->arch, start, &pa, &size, &flags))
            protect_entry(a, start, size, pa, flags);
        spin_unlock(&vm->table_lock);
    }
    if (lowers)
        arch_flush(&vm->arch, start, end);
}

/* --- moving ---------------------------------------------------------------------------------------------------- */

struct move {
    struct vm *vm;
    uintptr_t delta; /* destination minus source, modulo 2^64 */
    unsigned left;
    uintptr_t at; /* where it stopped */
    bool is_big;  /* ... at a big page that cannot stay one at the destination */
    int err;
};

static seldom_called enum visit move_entry(void *arg, uintptr_t va, size_t size, struct paddr pa,
                                           unsigned flags)
{
    struct move *m = arg;
    m->at = va;
    m->is_big = size == BIG_PAGE_SIZE && m->delta % BIG_PAGE_SIZE != 0;
    if (m->is_big || m->left-- == 0)
        return VISIT_STOP;
    m->err = arch_map(&m->vm->arch, va + m->delta, pa, flags);
    return m->err ? VISIT_STOP : VISIT_CLEAR;
}

static seldom_called int move_range(struct vm *vm, uintptr_t from, uintptr_t to, size_t len)
{
    struct move m = {.vm = vm, .delta = to - from, .at = from};
    int ret;
    do {
        m.left = STEP_ENTRIES;
        spin_lock(&vm->table_lock);
        ret = arch_visit(&vm->arch, m.at, from + len, move_entry, &m);
        spin_unlock(&vm->table_lock);
        if (ret > 0 && m.is_big)
            m.err = vm_pages_cut_at(vm, m.at + PAGE_SIZE);
        else if (ret > 0)
            (void)sched_checkpoint();
    } while (ret > 0 && !m.err);
    return ret < 0 ? ret : m.err;
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
