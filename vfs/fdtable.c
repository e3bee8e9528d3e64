/* Descriptor tables.
 *
 * Looking up a descriptor takes no lock: read the slot, take a reference unless the count is
 * already zero, then look whether the slot still holds that file.  Two facts make this safe.  A
 * struct file is never given back to the heap (file.c), so the count can be touched even when the
 * file has just been closed; and an array that the table has outgrown stays allocated until the
 * table dies, so a reader may still be inside one.
 *
 * Everything else happens under the table's spinlock; files are put, flushed and allocated outside
 * it. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/sched.h>
#include <linux/fcntl.h>
#include <vfs/fdtable.h>
#include <vfs/file_locks.h>

#define FIRST_SIZE 64 /* descriptors; a multiple of 64, as every size */

/* One allocation: this head, `size` slots, then the two bitmaps. */
struct fdarray {
    unsigned size;
    struct fdarray *older; /* outgrown, freed with the table */
    uint64_t *is_used;     /* bit n: descriptor n is open or reserved */
    uint64_t *is_cloexec;
    struct file *slot[]; /* atomic; NULL: free, or reserved */
};

struct fdtable {
    struct ref ref;
    struct fdarray *array; /* atomic; replaced under `lock` */
    struct spinlock lock;  /* RANK_FDTABLE - guards the contents of `array` and: */
    unsigned first_free;   /* no free descriptor lies below this one */
};

static void bit_set(uint64_t *map, unsigned n)
{
    map[n / 64] |= 1UL << (n % 64);
}

static void bit_clear(uint64_t *map, unsigned n)
{
    map[n / 64] &= ~(1UL << (n % 64));
}

static bool bit_test(const uint64_t *map, unsigned n)
{
    return map[n / 64] >> (n % 64) & 1;
}

/* The first bit >= `from` that is `value`; `size` when there is none. */
static inline unsigned bit_find(const uint64_t *map, unsigned size, unsigned from, bool value)
{
    for (unsigned n = from; n < size; n = (n | 63) + 1) {
        uint64_t word = (value ? map[n / 64] : ~map[n / 64]) >> (n % 64);
        if (word)
            return n + __builtin_ctzl(word);
    }
    return size;
}

static struct fdarray *fdarray_new(unsigned size)
{
    struct fdarray *a = heap_zalloc(sizeof(*a) + size * sizeof(a->slot[0]) + size / 64 * 16);
    if (!a)
        return NULL;
    a->size = size;
    a->is_used = (uint64_t *)&a->slot[size];
    a->is_cloexec = a->is_used + size / 64;
    return a;
}

static struct fdtable *fdtable_new_sized(unsigned size)
{
    struct fdtable *t = heap_zalloc(sizeof(*t));
    if (!t)
        return NULL;
    t->array = fdarray_new(size);
    if (!t->array) {
        heap_free(t);
        return NULL;
    }
    ref_init(&t->ref);
    spin_init(&t->lock, RANK_FDTABLE);
    return t;
}

struct fdtable *fdtable_new(void)
{
    return fdtable_new_sized(FIRST_SIZE);
}

void fdtable_get(struct fdtable *t)
{
    ref_get(&t->ref);
}

bool fdtable_is_shared(struct fdtable *t)
{
    return atomic_load(&t->ref.count) > 1;
}

/* The slots of `from` into the empty array of `to`, which is large enough; reserved descriptors
 * stay behind. */
static void copy_slots(struct fdarray *to, const struct fdarray *from)
{
    for (unsigned n = bit_find(from->is_used, from->size, 0, true); n < from->size;
         n = bit_find(from->is_used, from->size, n + 1, true)) {
        struct file *f = from->slot[n];
        if (!f)
            continue;
        file_get(f);
        to->slot[n] = f;
        bit_set(to->is_used, n);
        if (bit_test(from->is_cloexec, n))
            bit_set(to->is_cloexec, n);
    }
}

struct fdtable *fdtable_copy(struct fdtable *t)
{
    for (;;) {
        unsigned size = atomic_load(&t->array)->size;
        struct fdtable *copy = fdtable_new_sized(size);
        if (!copy)
            return NULL;
        spin_lock(&t->lock);
        bool fits = t->array->size == size;
        if (fits)
            copy_slots(copy->array, t->array);
        spin_unlock(&t->lock);
        if (fits)
            return copy;
        fdtable_put(copy); /* the table grew in between */
    }
}

static bool is_wanted(const struct file *f, bool also_path)
{
    return also_path || !(f->flags & O_PATH);
}

/* The rare half of a look-up: somebody else was changing the table, or the file is not wanted.
 * Gives up the reference to `got`. */
static struct file *get_again(struct fdtable *t, int fd, bool also_path, struct file *got)
{
    for (;;) {
        if (got)
            file_put(got);
        struct fdarray *a = atomic_load(&t->array);
        struct file *f = (unsigned)fd < a->size ? atomic_load(&a->slot[fd]) : NULL;
        if (!f)
            return NULL;
        got = ref_get_unless_zero(&f->ref) ? f : NULL;
        if (!got || atomic_load(&a->slot[fd]) != f || atomic_load(&t->array) != a)
            continue;
        if (is_wanted(f, also_path))
            return f;
        file_put(f);
        return NULL;
    }
}

static inline struct file *get(struct fdtable *t, int fd, bool also_path)
{
    struct fdarray *a = atomic_load(&t->array);
    if ((unsigned)fd >= a->size)
        return NULL;
    struct file *f = atomic_load(&a->slot[fd]);
    if (!f)
        return NULL;
    unsigned refs = atomic_load(&f->ref.count);
    bool is_got = refs > 0 && atomic_cas(&f->ref.count, refs, refs + 1);
    /* Only the current array is kept up to date, so the slot proves nothing in an older one. */
    if (likely(is_got && atomic_load(&a->slot[fd]) == f && atomic_load(&t->array) == a &&
               is_wanted(f, also_path)))
        return f;
    return get_again(t, fd, also_path, is_got ? f : NULL);
}

struct file *fd_get(struct fdtable *t, int fd)
{
    return get(t, fd, true);
}

struct file *fd_get_io(struct fdtable *t, int fd)
{
    return get(t, fd, false);
}

inline struct file *fd_borrow(struct fdtable *t, int fd)
{
    const struct fdarray *a = t->array;
    struct file *f = (unsigned)fd < a->size ? a->slot[fd] : NULL;
    return f && is_wanted(f, false) ? f : NULL;
}

/* Make room for descriptor `fd`: 0 or -ENOMEM. */
static seldom_called int grow(struct fdtable *t, unsigned fd)
{
    unsigned size = FIRST_SIZE;
    while (size <= fd)
        size *= 2;
    struct fdarray *a = fdarray_new(size);
    if (!a)
        return -ENOMEM;
    spin_lock(&t->lock);
    struct fdarray *old = t->array;
    if (old->size < size) {
        memcpy(a->slot, old->slot, old->size * sizeof(a->slot[0]));
        memcpy(a->is_used, old->is_used, old->size / 8);
        memcpy(a->is_cloexec, old->is_cloexec, old->size / 8);
        a->older = old;
        atomic_store(&t->array, a);
        a = NULL;
    }
    spin_unlock(&t->lock);
    heap_free(a); /* somebody else was faster */
    return 0;
}

/* Mark `fd`, which is free and inside the array, as used. */
static void occupy_locked(struct fdtable *t, unsigned fd, int flags)
{
    bit_set(t->array->is_used, fd);
    if (flags & O_CLOEXEC)
        bit_set(t->array->is_cloexec, fd);
    else
        bit_clear(t->array->is_cloexec, fd);
    if (fd == t->first_free)
        t->first_free = fd + 1;
}

/* Take the file out of `fd`: NULL when there is none. */
static struct file *vacate_locked(struct fdtable *t, unsigned fd)
{
    struct fdarray *a = t->array;
    struct file *f = fd < a->size ? a->slot[fd] : NULL;
    if (!f)
        return NULL;
    atomic_store(&a->slot[fd], NULL);
    bit_clear(a->is_used, fd);
    if (fd < t->first_free)
        t->first_free = fd;
    return f;
}

/* The lowest free descriptor >= min becomes used and gets `f`; NULL: reserved. */
static int install(struct fdtable *t, struct file *f, int min, uint64_t limit, int flags)
{
    for (;;) {
        spin_lock(&t->lock);
        struct fdarray *a = t->array;
        unsigned from = MAX((unsigned)min, t->first_free);
        unsigned fd = from < a->size ? bit_find(a->is_used, a->size, from, false) : from;
        bool fits = fd < a->size && fd < limit;
        if (fits) {
            occupy_locked(t, fd, flags);
            atomic_store(&a->slot[fd], f);
        }
        spin_unlock(&t->lock);
        if (fits)
            return fd;
        if (fd >= limit)
            return -EMFILE;
        int ret = grow(t, fd);
        if (ret < 0)
            return ret;
    }
}

int fd_install(struct fdtable *t, struct file *f, int min, uint64_t limit, int flags)
{
    return install(t, f, min, limit, flags);
}

int fd_reserve(struct fdtable *t, int min, uint64_t limit, int flags)
{
    return install(t, NULL, min, limit, flags);
}

void fd_bind(struct fdtable *t, int fd, struct file *f)
{
    spin_lock(&t->lock);
    assert(bit_test(t->array->is_used, fd) && !t->array->slot[fd]);
    atomic_store(&t->array->slot[fd], f);
    spin_unlock(&t->lock);
}

seldom_called void fd_unreserve(struct fdtable *t, int fd)
{
    spin_lock(&t->lock);
    assert(bit_test(t->array->is_used, fd) && !t->array->slot[fd]);
    bit_clear(t->array->is_used, fd);
    if (fd < t->first_free)
        t->first_free = fd;
    spin_unlock(&t->lock);
}

int fd_install_pair(struct fdtable *t, struct file *f[2], uint64_t limit, int flags, int fds[2])
{
    fds[0] = fd_reserve(t, 0, limit, flags);
    if (fds[0] < 0)
        return fds[0];
    fds[1] = fd_reserve(t, 0, limit, flags);
    if (fds[1] < 0) {
        fd_unreserve(t, fds[0]);
        return fds[1];
    }
    fd_bind(t, fds[0], f[0]);
    fd_bind(t, fds[1], f[1]);
    return 0;
}

/* The end of a descriptor that has left the table. */
static int close_file(struct fdtable *t, struct file *f)
{
    int ret = f->ops->flush ? f->ops->flush(f) : 0;
    locks_close(f, t);
    file_put(f);
    return ret;
}

int fd_install_at(struct fdtable *t, struct file *f, int fd, uint64_t limit, int flags)
{
    if (fd < 0 || (unsigned)fd >= limit)
        return -EBADF;
    if ((unsigned)fd >= atomic_load(&t->array)->size) {
        int ret = grow(t, fd);
        if (ret < 0)
            return ret;
    }
    spin_lock(&t->lock);
    struct file *old = t->array->slot[fd];
    if (!old &&
        bit_test(t->array->is_used, fd)) { /* another thread's open(2) is about to fill it */
        spin_unlock(&t->lock);
        return -EBUSY;
    }
    occupy_locked(t, fd, flags);
    atomic_store(&t->array->slot[fd], f);
    spin_unlock(&t->lock);
    if (old)
        close_file(t, old); /* dup2(2) hides what closing answers */
    return fd;
}

int fd_close(struct fdtable *t, int fd)
{
    if (fd < 0)
        return -EBADF;
    spin_lock(&t->lock);
    struct file *f = vacate_locked(t, fd);
    spin_unlock(&t->lock);
    return f ? close_file(t, f) : -EBADF;
}

static seldom_called void close_range(struct fdtable *t, unsigned first, unsigned last,
                                      bool only_cloexec_flag)
{
    for (unsigned n = first;; n++) {
        spin_lock(&t->lock);
        struct fdarray *a = t->array;
        n = n < a->size ? bit_find(a->is_used, a->size, n, true) : a->size;
        bool is_end = n >= a->size || n > last;
        struct file *f = NULL;
        if (!is_end && only_cloexec_flag)
            bit_set(a->is_cloexec, n);
        else if (!is_end)
            f = vacate_locked(t, n);
        spin_unlock(&t->lock);
        if (f)
            close_file(t, f);
        if (is_end || n == last)
            return;
        (void)sched_checkpoint();
    }
}

int fd_close_range(struct fdtable *t, unsigned first, unsigned last, bool only_cloexec_flag)
{
    if (first > last)
        return -EINVAL;
    close_range(t, first, last, only_cloexec_flag);
    return 0;
}

void fdtable_put(struct fdtable *t)
{
    if (!ref_put(&t->ref))
        return;
    close_range(t, 0, ~0u, false);
    for (struct fdarray *a = t->array, *older; a; a = older) {
        older = a->older;
        heap_free(a);
    }
    heap_free(t);
}

int fd_get_flags(struct fdtable *t, int fd)
{
    spin_lock(&t->lock);
    struct fdarray *a = t->array;
    int ret = -EBADF;
    if ((unsigned)fd < a->size && a->slot[fd])
        ret = bit_test(a->is_cloexec, fd) ? FD_CLOEXEC : 0;
    spin_unlock(&t->lock);
    return ret;
}

int fd_peek(struct fdtable *t, int fd)
{
    spin_lock(&t->lock);
    struct fdarray *a = t->array;
    struct file *f = (unsigned)fd < a->size ? a->slot[fd] : NULL;
    int ret = f ? f->flags : -EBADF;
    spin_unlock(&t->lock);
    return ret;
}

int fd_set_flags(struct fdtable *t, int fd, int flags)
{
    spin_lock(&t->lock);
    struct fdarray *a = t->array;
    bool is_open = (unsigned)fd < a->size && a->slot[fd];
    if (is_open && (flags & FD_CLOEXEC))
        bit_set(a->is_cloexec, fd);
    else if (is_open)
        bit_clear(a->is_cloexec, fd);
    spin_unlock(&t->lock);
    return is_open ? 0 : -EBADF;
}

seldom_called void fdtable_close_on_exec(struct fdtable *t)
{
    for (unsigned n = 0;; n++) {
        spin_lock(&t->lock);
        struct fdarray *a = t->array;
        n = n < a->size ? bit_find(a->is_cloexec, a->size, n, true) : a->size;
        bool is_end = n >= a->size;
        /* The bit of a closed descriptor is stale: vacate_locked then answers NULL. */
        struct file *f = is_end ? NULL : vacate_locked(t, n);
        spin_unlock(&t->lock);
        if (f)
            close_file(t, f);
        if (is_end)
            return;
    }
}

unsigned fdtable_size(struct fdtable *t)
{
    return atomic_load(&t->array)->size;
}

int fd_next(struct fdtable *t, int fd)
{
    spin_lock(&t->lock);
    struct fdarray *a = t->array;
    unsigned n = fd < 0 ? 0 : fd;
    while (n < a->size && !a->slot[n])
        n = bit_find(a->is_used, a->size, n + 1, true);
    int ret = n < a->size ? (int)n : -1;
    spin_unlock(&t->lock);
    return ret;
}
