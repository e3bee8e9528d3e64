/* One program's address space: areas in a balanced tree, pages on demand.
 *
 * An area maps zero pages (no object) or pages of a struct vm_object (a file's page cache, shared anonymous
 * memory, the vDSO).  A private area copies an object's page on its first write.
 * Locking is inside (struct vm's own); every function is for thread context and may sleep.
 * Rights and flags are Linux's PROT_* and MAP_* (<linux/mman.h>). */
#pragma once

#include <arch/arch.h>
#include <core/atomic.h>
#include <core/lock.h>
#include <core/page.h>

struct vm_object;

struct vm_object_ops {
    /* The page at `index` with a reference for the caller.  `write`: it will be modified through a shared
     * mapping (allocate it in a hole, mark it dirty).  0; -EFAULT beyond the end (the fault becomes SIGBUS);
     * -ENOMEM; -ENOSPC.  Called with the vm's lock held; may sleep. */
    int (*get_page)(struct vm_object *o, uint64_t index, bool write, struct page **page);
    void (*free)(struct vm_object *o); /* the last reference is gone */
    /* For /proc/PID/maps: writes the name into buf (NUL-terminated).  NULL: none. */
    void (*name)(struct vm_object *o, char *buf, size_t size);
    /* device, inode for /proc/PID/maps; NULL: zeros. */
    void (*identity)(struct vm_object *o, uint64_t *dev, uint64_t *ino);
    /* The page at `index` with a reference if it is in memory now, else NULL; never allocates or waits for a
     * device (mincore, mapping around a fault).  NULL: no page is known to be. */
    struct page *(*peek)(struct vm_object *o, uint64_t index);
    /* Make pages [first, last] a hole (madvise(2) MADV_REMOVE): 0 or -errno.  Called without the vm's lock.
     * NULL: -EOPNOTSUPP. */
    int (*punch)(struct vm_object *o, uint64_t first, uint64_t last);
    /* Bring pages [first, last] to stable storage (msync(2) MS_SYNC): 0 or -errno.  Called without the vm's
     * lock.  NULL: there is none. */
    int (*sync)(struct vm_object *o, uint64_t first, uint64_t last);
};

/* Something whose pages can be mapped.  Embedded by its owner. */
struct vm_object {
    struct ref ref;
    const struct vm_object_ops *ops;
    struct spinlock lock; /* RANK_PAGETABLE - guards: */
    struct list mappings; /* areas that map it, for vm_object_unmap */
    bool is_sealed;       /* vm_object_seal */
    /* Queued when the last area that maps it has gone; NULL: nobody wants to know.  Set before it is first mapped. */
    struct work *when_unmapped;
};
void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops);
void vm_object_get(struct vm_object *o);
void vm_object_put(struct vm_object *o);
/* Take pages [first, last] out of every mapping (truncate, hole punch): the next access faults again.
 * Private copies stay unless `even_copies` (truncate).  The object's get_page already knows of the change; the
 * caller holds no mutex of rank RANK_VM or higher. */
void vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool even_copies);
/* From now on nobody may map it shared with the right to write (F_SEAL_WRITE): 0; -EBUSY when somebody does. */
must_check int vm_object_seal(struct vm_object *o);
/* A shared anonymous object of `size` bytes (MAP_SHARED|MAP_ANONYMOUS); NULL: no memory. */
struct vm_object *vm_object_new_anon(size_t size);

struct vm;
/* Process limits that the address space enforces, in bytes (RLIM_INFINITY: ~0).  For a program with CAP_IPC_LOCK
 * `memlock` is infinite. */
struct vm_limits {
    uint64_t as, data, stack, memlock;
};

struct vm *vm_new(void) must_check; /* one reference; NULL: no memory */
void vm_get(struct vm *vm);
void vm_put(struct vm *vm); /* the last one frees everything */
struct arch_vm *vm_arch(struct vm *vm);
struct vm_limits *vm_limits(struct vm *vm);

/* Nothing is placed at or above `top` from now on: USER32_TOP for an i386 program. */
void vm_set_top(struct vm *vm, uintptr_t top);

struct vm_map_args {
    uintptr_t addr; /* hint, or the place with MAP_FIXED / MAP_FIXED_NOREPLACE */
    size_t len;     /* > 0; rounded up to pages */
    int prot;       /* PROT_* */
    int flags;      /* MAP_* */
    /* NULL: anonymous.  A reference is taken, the caller keeps its own. */
    struct vm_object *object;
    uint64_t offset;  /* bytes, page aligned */
    int max_prot;     /* PROT_* that mprotect may ever give (a read-only file mapped shared) */
    const char *name; /* static: "[stack]", "[vdso]", "[vvar]"; NULL: none */
    int file_error; /* what is wrong with the file: answered if the place is good, as mmap(2) orders it */
};
/* 0 and *addr; -EINVAL, -ENOMEM, -EEXIST (NOREPLACE), -EPERM (below USER_MIN), -EOVERFLOW, -EAGAIN (memlock) as
 * mmap(2). */
must_check int vm_map(struct vm *vm, const struct vm_map_args *args, uintptr_t *addr);
must_check int vm_unmap(struct vm *vm, uintptr_t addr, size_t len);              /* munmap(2) */
must_check int vm_protect(struct vm *vm, uintptr_t addr, size_t len, int prot);  /* mprotect(2) */
must_check int vm_advise(struct vm *vm, uintptr_t addr, size_t len, int advice); /* madvise(2) */
must_check int vm_remap(struct vm *vm, uintptr_t addr, size_t old_len, size_t new_len, int flags,
                        uintptr_t new_addr, uintptr_t *result);               /* mremap(2) */
must_check int vm_sync(struct vm *vm, uintptr_t addr, size_t len, int flags); /* msync(2) */
enum vm_lock_how { VM_UNLOCK, VM_LOCK, VM_LOCK_ON_FAULT };
must_check int vm_lock(struct vm *vm, uintptr_t addr, size_t len,
                       enum vm_lock_how how);         /* mlock2(2), munlock(2) */
must_check int vm_lock_all(struct vm *vm, int flags); /* mlockall(2) MCL_*; 0: munlockall(2) */
must_check int vm_incore(struct vm *vm, uintptr_t addr, size_t len,
                         struct uptr vec); /* mincore(2) */

/* The heap that brk(2) moves: set once by exec. */
void vm_set_brk(struct vm *vm, uintptr_t start);
uintptr_t vm_brk(struct vm *vm,
                 uintptr_t want); /* the break after the call, as the raw system call */

/* A page fault; see enum FAULT_* in arch/upcalls.h.  0: try again.  Otherwise how the program is to be told:
 * -EFAULT with *si_code SEGV_MAPERR or SEGV_ACCERR (SIGSEGV), -EIO with BUS_ADRERR (SIGBUS), -ENOMEM (out of
 * memory: SIGKILL after a report).  Stack areas (MAP_GROWSDOWN) grow here, within limits->stack. */
must_check int vm_fault(struct vm *vm, uintptr_t addr, unsigned flags, int *si_code);

/* What identifies the word at `addr` to futex(2): for a shared mapping the object and offset, else the vm and
 * address.  The object is referenced (drop it with vm_object_put); NULL for private memory.  0 or -EFAULT. */
must_check int vm_futex_key(struct vm *vm, uintptr_t addr, struct vm_object **object,
                            uint64_t *offset);

/* Each area in address order, for /proc/PID/maps and core reports: `end` exclusive. */
struct vm_area_info {
    struct vm *vm;
    uintptr_t start, end;
    int prot, flags;
    uint64_t offset;
    struct vm_object *object; /* borrowed: valid during the callback */
    const char *name;
};
typedef void vm_visit_fn(void *arg, const struct vm_area_info *info);
void vm_visit(struct vm *vm, vm_visit_fn *visit, void *arg);
/* During the callback: the area's pages that are in memory.  Looks at all of them. */
uint64_t vm_visit_rss_pages(const struct vm_area_info *info);

/* Pages resident, bytes mapped, and their high-water marks; for /proc and getrusage. */
struct vm_stats {
    uint64_t rss_pages, rss_peak_pages, total_bytes, total_peak_bytes, data_bytes, stack_bytes,
        text_bytes, minor_faults, major_faults, locked_bytes;
};
void vm_get_stats(struct vm *vm, struct vm_stats *stats);
