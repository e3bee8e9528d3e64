/* What the files of the address space share.
 *
 *   vm.c          the object: birth, death, limits, brk, reports
 *   vm_area.c     areas: the tree, splitting, merging, finding room
 *   vm_pages.c    pages in the page tables: taking out, moving, gathering what a flush frees
 *   vm_fault.c    bringing pages in
 *   vm_map.c      mmap and munmap        vm_remap.c    mremap
 *   vm_protect.c  mprotect               vm_advise.c   madvise, msync, mincore
 *   vm_lock.c     mlock                  object.c      struct vm_object
 *
 * Locks: vm->lock (a mutex) is held by everything but the first touch of anonymous memory, so that many threads can
 * touch theirs at once.  For the sake of that one, areas change under vm->area_lock (a spinlock) too, and whoever
 * takes pages or rights away, or has an entry empty for a moment, makes vm->changes odd meanwhile: a touch that
 * sees another number than at its start, when it is about to map its page, starts again with the mutex.
 * vm->table_lock (a spinlock) guards the page tables; it is never held across a flush.  An area's place in its
 * object's list, and the numbers that vm_object_unmap reads there, change under the object's lock too. */
#pragma once

#include <base/errno.h>
#include <base/tree.h>
#include <core/atomic.h>
#include <core/vm.h>
#include <linux/mman.h>

#define ALL_PROT (PROT_READ | PROT_WRITE | PROT_EXEC)

#define MAX_AREAS  65530 /* vm.max_map_count */
#define LAZY_AREAS 256   /* with fewer, vm_protect leaves merging for later: see there */
#define STACK_GAP  (256UL << PAGE_SHIFT) /* kept free below a stack that grows */

enum area_flags {
    AREA_SHARED = 1,
    AREA_STACK = 2, /* MAP_GROWSDOWN */
    AREA_NORESERVE = 4,
    AREA_LOCKED = 8, /* mlock */
    AREA_LOCK_ON_FAULT = 16,
    AREA_BIG = 32,   /* MADV_HUGEPAGE: big pages at the first touch */
    AREA_SMALL = 64, /* MADV_NOHUGEPAGE */
    AREA_DONTFORK = 128,
    AREA_WIPEONFORK = 256,
    AREA_DONTDUMP = 512,
};

struct vm_area {
    struct tree_node node;
    uintptr_t start, end;
    struct vm *vm;          /* NULL: not an area but vm_object_unmap's place in the list */
    unsigned flags;         /* enum area_flags */
    uint8_t prot, max_prot; /* PROT_* */
    const char *name;
    struct vm_object *object; /* referenced; NULL: anonymous */
    uint64_t offset;          /* of `start` in it; 0 when anonymous */
    struct list object_node;  /* in object->mappings; later on a vm_change's list of the dead */
    /* Where the next fault of a sequential sweep will be, and how many pages it then gets; under vm->area_lock. */
    uintptr_t sweep_next;
    unsigned sweep_pages;
    /* Of the subtree: */
    uintptr_t low, high; /* its extent, gaps kept below stacks included */
    uintptr_t max_gap;   /* the largest hole between two of its areas */
};

struct vm {
    struct ref ref;
    struct arch_vm arch;
    struct vm_limits limits; /* words that the owner writes at any time */

    struct mutex lock;          /* guards: */
    struct vm_area *last_found; /* NULL or where vm_area_at found something last */
    uintptr_t top;              /* nothing lies at or above */
    uintptr_t brk_start, brk;
    int lock_future; /* MCL_FUTURE, MCL_ONFAULT */
    uint64_t total_bytes, total_peak_bytes, data_bytes, stack_bytes, text_bytes, locked_bytes;
    uint64_t changes; /* read without the lock */

    struct spinlock area_lock; /* with `lock` to change, one of them to read: */
    struct tree areas;
    unsigned nr_areas;

    uint64_t minor_faults, major_faults; /* atomic */

    struct spinlock table_lock; /* guards the page tables, and: */
    uint64_t rss_pages, rss_peak_pages;
};

/* --- vm.c ------------------------------------------------------------------------------------------- */

/* A change of the areas: begin takes the lock; end lets it go, and only then frees the areas that died, because
 * the last reference to an object may have to wait. */
struct vm_change {
    struct vm *vm;
    struct list dead; /* vm_area.object_node */
};
void vm_change_begin(struct vm_change *c, struct vm *vm);
void vm_change_end(struct vm_change *c);
/* The same without the lock, which the caller has: make vm->changes odd, and even again. */
void vm_disturb_begin(struct vm *vm);
void vm_disturb_end(struct vm *vm);

/* May the mapped bytes grow by `more` and the private writable ones by `data`?  (RLIMIT_AS, RLIMIT_DATA) */
bool vm_may_grow(struct vm *vm, size_t more, size_t data);

/* --- vm_area.c ---------------------------------------------------------------------------------------- */

/* [start, end) with the properties of `like` (there to begin with, where offsets are concerned), in no tree yet.
 * NULL: no memory. */
struct vm_area *vm_area_copy(const struct vm_area *like, uintptr_t start, uintptr_t end) must_check;
void vm_area_free(struct vm_area *a); /* drops the object */
/* The first area that ends above `addr`; NULL: none.  Under vm->lock. */
struct vm_area *vm_area_at(struct vm *vm, uintptr_t addr);
/* The same under vm->area_lock. */
struct vm_area *vm_area_find(const struct vm *vm, uintptr_t addr);
struct vm_area *vm_area_next(struct vm_area *a);
struct vm_area *vm_area_prev(struct vm_area *a);
void vm_area_insert(struct vm *vm, struct vm_area *a);
/* Make the range of `like` an area with its properties (a reference to the object is taken), by growing a neighbour
 * when that fits.  0 or -ENOMEM. */
must_check int vm_area_add(struct vm_change *c, const struct vm_area *like);
/* Out of the tree and its object's list, onto the list of the dead; its pages are the caller's business. */
void vm_area_remove(struct vm_change *c, struct vm_area *a);
/* object.c: `a`, an area or a cursor, off the object's list; the caller holds a reference to the object. */
void vm_object_drop_mapping(struct vm_object *o, struct vm_area *a);
void vm_area_resize(struct vm_area *a, uintptr_t start, uintptr_t end);
void vm_area_set_prot(struct vm_area *a, int prot);
void vm_area_set_flags(struct vm_area *a, unsigned flags);
/* Cut in two at `at`, inside it; the given area keeps the lower part.  0 or -ENOMEM. */
must_check int vm_area_split(struct vm_area *a, uintptr_t at);
/* Cut so that no area straddles either end of the range. */
must_check int vm_area_cut(struct vm *vm, uintptr_t start, uintptr_t end);
/* Do two neighbours differ in nothing but rights and advice to the fault handler? */
bool vm_area_fits(const struct vm_area *a, const struct vm_area *b);
/* Merge whatever can be merged from the area before `start` to the one at `end`. */
void vm_area_merge(struct vm_change *c, uintptr_t start, uintptr_t end);
/* Is there no area in [start, end), nor `end` in the gap below a stack? */
bool vm_area_is_free(struct vm *vm, uintptr_t start, uintptr_t end);
/* The start of the highest (with `bottom_up` the lowest) hole of `len` bytes in [low, high); 0: there is none. */
uintptr_t vm_area_find_room(struct vm *vm, uintptr_t low, uintptr_t high, size_t len, size_t align,
                            bool bottom_up);
bool vm_area_augment(struct tree_node *n); /* the tree's */
bool vm_area_is_data(const struct vm_area *a);
uint64_t vm_area_index(const struct vm_area *a, uintptr_t addr); /* page index in the object */

/* --- vm_pages.c ---------------------------------------------------------------------------------------- */

/* Make a big page that `at` lies inside of into small ones.  0 or -ENOMEM. */
must_check int vm_pages_cut_at(struct vm *vm, uintptr_t at);
/* Take all pages out of a range that no big page straddles, flush, and drop them; with `keep_copies`, not the
 * private ones. */
void vm_pages_drop(struct vm *vm, uintptr_t start, uintptr_t end, bool keep_copies);
/* Free the page tables of a range that nothing maps any more. */
void vm_pages_prune(struct vm *vm, uintptr_t start, uintptr_t end);
/* Carry the pages of one range to another, which is empty.  0 or -ENOMEM (then nothing has moved). */
must_check int vm_pages_move(struct vm *vm, uintptr_t from, uintptr_t to, size_t len);
/* Set the rights of present pages in a part of the area (no big page straddles its ends) to what the area allows;
 * pages that are not its own to write stay read-only.  `lowers`: some right goes away, so that a flush is needed. */
void vm_pages_protect(struct vm *vm, struct vm_area *a, uintptr_t start, uintptr_t end,
                      bool lowers);
/* Map one page (with MAP_BIG a big page) over nothing, and count it: 0 or -ENOMEM; -EEXIST when something is there;
 * -EAGAIN when vm->changes is no longer `changes`. */
must_check int vm_pages_map(struct vm *vm, uintptr_t va, struct page *p, unsigned flags,
                            uint64_t changes);
/* The page mapped at `va` with its MAP_* flags; NULL: none. */
struct page *vm_pages_lookup(struct vm *vm, uintptr_t va, unsigned *flags);
/* May a mapped private page be written in place?  Not when it is an object's, or another program has it too. */
bool vm_pages_is_own(const struct page *p);
/* Give the page at `va` all rights that the area allows, to write only if `writable` or it had that.  No flush:
 * rights only grow. */
void vm_pages_refresh(struct vm *vm, const struct vm_area *a, uintptr_t va, bool writable);
/* Present pages in a range of whole areas, without the zero page. */
uint64_t vm_pages_count(struct vm *vm, uintptr_t start, uintptr_t end);
/* MAP_* for a page of this area: for writing only if `writable`. */
unsigned vm_pages_flags(const struct vm_area *a, bool writable);

/* --- vm_fault.c ---------------------------------------------------------------------------------------- */

enum vm_populate {
    POPULATE_LOCK, /* mlock: private writable pages are made, the rest is looked at */
    POPULATE_ALL,  /* likewise; what cannot be brought in is passed over */
    POPULATE_READ,
    POPULATE_WRITE,
};
/* Bring in every page of the range.  Takes and leaves the lock now and then.  0; -ENOMEM at a hole or out of memory;
 * -EFAULT beyond the end of an object; where nothing may be accessed -ENOMEM to lock, else -EINVAL; -EINTR when
 * the thread was killed. */
must_check int vm_populate(struct vm *vm, uintptr_t start, uintptr_t end, enum vm_populate how);

/* --- vm_map.c ------------------------------------------------------------------------------------------ */

/* Where a mapping of `len` bytes goes: 0 and *addr, or -errno, as Linux's get_unmapped_area. */
must_check int vm_choose_place(struct vm *vm, const struct vm_map_args *args, size_t len,
                               uintptr_t *addr);
/* munmap under the lock: 0 or -ENOMEM (nothing done). */
must_check int vm_unmap_locked(struct vm_change *c, uintptr_t start, uintptr_t end);
