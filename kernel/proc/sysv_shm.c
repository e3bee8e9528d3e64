/* System V shared memory.
 *
 * A segment is an object of shared anonymous memory.  How often it is attached is how many areas map it, so that
 * munmap, exec and exit need not tell; a segment that is to go (SHM_DEST) is swept out of the table by whoever looks
 * next and finds it unattached. */
#include "sysv_private.h"

#include <core/heap.h>
#include <linux/mman.h>

#include <linux/stat.h>
#include <proc/cred.h>

#define SHM_DEST_   01000u /* mode bits that programs see: newer headers keep them to themselves */
#define SHM_LOCKED_ 02000u
#define SHM_MOST    (UINT64_MAX - (1UL << 24)) /* Linux's SHMMAX */

struct segment {
    struct sysv_object head;
    struct vm_object *object; /* referenced */
    uint64_t size;
    int64_t atime, dtime, ctime;
    int cpid, lpid;
};

static struct sysv_table segments;

void sysv_init(void)
{
    sysv_table_init(&segments);
    sem_init();
    msg_init();
}

static struct segment *segment_of(struct sysv_object *o)
{
    return container_of(o, struct segment, head);
}

static uint64_t nr_attached(struct segment *s)
{
    uint64_t nr = 0;
    struct list *node;
    spin_lock(&s->object->lock);
    for (node = s->object->mappings.next; node != &s->object->mappings; node = node->next)
        nr++;
    spin_unlock(&s->object->lock);
    return nr;
}

static void destroy(struct segment *s)
{
    sysv_take_out(&segments, &s->head);
    vm_object_put(s->object);
    heap_free(s);
}

/* The table, without what has gone meanwhile. */
static void lock_table(void)
{
    mutex_lock(&segments.lock);
    for (unsigned i = 0; segments.nr > 0 && i < SYSV_SLOTS; i++) {
        struct sysv_object *o = segments.slot[i];
        if (o && o->perm.mode & SHM_DEST_ && nr_attached(segment_of(o)) == 0)
            destroy(segment_of(o));
    }
}

static long make(int key, size_t size, int flags)
{
    if (size == 0 || size > SHM_MOST)
        return -EINVAL;
    struct segment *s = flags & SHM_HUGETLB ? NULL : heap_zalloc(sizeof(*s));
    if (!s)
        return -ENOMEM; /* of huge pages there are none */
    s->object = vm_object_new_anon(size);
    long id = s->object ? sysv_add(&segments, &s->head, key, flags) : -ENOMEM;
    if (id < 0) {
        if (s->object)
            vm_object_put(s->object);
        heap_free(s);
        return id;
    }
    s->size = size;
    s->ctime = sysv_now();
    s->cpid = current_process()->pid;
    return id;
}

long shm_get(int key, size_t size, int flags)
{
    struct sysv_object *o;
    lock_table();
    long ret = sysv_find_key(&segments, key, flags, &o);
    if (!o)
        ret = key == IPC_PRIVATE || flags & IPC_CREAT ? make(key, size, flags) : ret;
    else if (ret >= 0 && segment_of(o)->size < size)
        ret = -EINVAL;
    else if (ret >= 0 && sysv_may(o, (unsigned)flags & 0700) < 0)
        ret = -EACCES;
    mutex_unlock(&segments.lock);
    return ret;
}

/* --- attaching -------------------------------------------------------------------------------- */

/* Where, and how: 0 or -EINVAL. */
static int plan(struct vm_map_args *args, uintptr_t addr, int flags)
{
    args->flags = MAP_SHARED;
    if (addr % PAGE_SIZE) {
        if (!(flags & SHM_RND))
            return -EINVAL;
        addr = ALIGN_DOWN(addr, PAGE_SIZE);
        if (!addr && flags & SHM_REMAP)
            return -EINVAL;
    }
    if (addr)
        args->flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    else if (flags & SHM_REMAP)
        return -EINVAL;
    args->addr = addr;
    args->prot =
        PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
    args->max_prot = PROT_READ | PROT_EXEC | (flags & SHM_RDONLY ? 0 : PROT_WRITE);
    return 0;
}

/* The segment to be attached, with a reference to its memory. */
static int begin_attach(int id, unsigned rights, struct vm_map_args *args)
{
    lock_table();
    struct sysv_object *o = sysv_find(&segments, id);
    int ret = o ? sysv_may(o, rights) : -EINVAL;
    if (ret == 0) {
        args->object = segment_of(o)->object;
        args->len = segment_of(o)->size;
        vm_object_get(args->object);
    }
    mutex_unlock(&segments.lock);
    return ret;
}

/* It was attached or detached: nothing when it has been removed for good. */
static void note(struct vm_object *object, bool attached)
{
    mutex_lock(&segments.lock);
    for (unsigned i = 0; i < SYSV_SLOTS; i++) {
        struct segment *s = segments.slot[i] ? segment_of(segments.slot[i]) : NULL;
        if (!s || s->object != object)
            continue;
        s->lpid = current_process()->pid;
        *(attached ? &s->atime : &s->dtime) = sysv_now();
    }
    mutex_unlock(&segments.lock);
}

long shm_attach(int id, uintptr_t addr, int flags)
{
    struct vm_map_args args = {0};
    unsigned rights =
        S_IRUSR | (flags & SHM_RDONLY ? 0 : S_IWUSR) | (flags & SHM_EXEC ? S_IXUSR : 0);
    if (id < 0)
        return -EINVAL;
    int ret = plan(&args, addr, flags);
    if (ret == 0)
        ret = begin_attach(id, rights, &args);
    if (ret < 0)
        return ret;
    ret = vm_map(current_process()->vm, &args, &addr);
    if (ret == 0)
        note(args.object, true);
    vm_object_put(args.object);
    return ret == -EEXIST ? -EINVAL : ret < 0 ? ret : (long)addr;
}

/* --- detaching -------------------------------------------------------------------------------- */

struct search {
    uintptr_t addr;           /* where it was attached */
    struct vm_object *object; /* NULL: not yet known */
    uintptr_t start, end;     /* the first area of it */
};

static bool is_segment(const struct vm_object *object)
{
    for (unsigned i = 0; i < SYSV_SLOTS; i++)
        if (segments.slot[i] && segment_of(segments.slot[i])->object == object)
            return true;
    return false;
}

static void look(void *arg, const struct vm_area_info *info)
{
    struct search *s = arg;
    if (s->end || !info->object || info->start < s->addr || info->offset != info->start - s->addr)
        return;
    if (s->object ? s->object == info->object : is_segment(info->object)) {
        s->object = info->object;
        s->start = info->start;
        s->end = info->end;
    }
}

/* One area of the segment attached at s->addr: found or not. */
static bool find_area(struct search *s)
{
    s->end = 0;
    mutex_lock(&segments.lock);
    vm_visit(current_process()->vm, look, s);
    if (s->end) /* the areas may go, and the segment with them */
        vm_object_get(s->object);
    mutex_unlock(&segments.lock);
    return s->end;
}

long shm_detach(uintptr_t addr)
{
    struct search s = {.addr = addr};
    if (addr % PAGE_SIZE)
        return -EINVAL;
    long ret = -EINVAL;
    while (find_area(&s)) {
        ret = vm_unmap(current_process()->vm, s.start, s.end - s.start);
        if (ret == 0)
            note(s.object, false);
        vm_object_put(s.object);
        if (ret < 0)
            break;
    }
    return ret;
}

/* --- control ---------------------------------------------------------------------------------- */

long shm_status(int id, enum sysv_stat how, struct shm_stat *st)
{
    struct sysv_object *o;
    lock_table();
    long ret = sysv_find_stat(&segments, id, how, &o);
    if (ret == 0) {
        const struct segment *s = segment_of(o);
        *st = (struct shm_stat){o->perm,  s->size,  nr_attached(segment_of(o)),
                                s->atime, s->dtime, s->ctime,
                                s->cpid,  s->lpid};
        ret = how == SYSV_BY_ID ? 0 : o->perm.id;
    }
    mutex_unlock(&segments.lock);
    return ret;
}

long shm_change(int id, const struct sysv_owner *owner)
{
    lock_table();
    struct sysv_object *o = sysv_find(&segments, id);
    long ret = o ? sysv_change(o, owner) : -EINVAL;
    if (ret == 0)
        segment_of(o)->ctime = sysv_now();
    mutex_unlock(&segments.lock);
    return ret;
}

long shm_remove(int id)
{
    lock_table();
    struct sysv_object *o = sysv_find(&segments, id);
    long ret = o ? sysv_may_control(o) : -EINVAL;
    if (ret == 0 && nr_attached(segment_of(o)) == 0) {
        destroy(segment_of(o));
    } else if (ret == 0) {
        o->perm.mode |= SHM_DEST_;
        o->perm.key = IPC_PRIVATE; /* nobody finds it by its key any more */
    }
    mutex_unlock(&segments.lock);
    return ret;
}

long shm_lock(int id, bool locks)
{
    lock_table();
    struct sysv_object *o = sysv_find(&segments, id);
    long ret = !o ? -EINVAL : cred_has_cap(current_cred(), CAP_IPC_LOCK) ? 0 : sysv_may_control(o);
    if (ret == 0)
        o->perm.mode = (o->perm.mode & ~SHM_LOCKED_) | (locks ? SHM_LOCKED_ : 0);
    mutex_unlock(&segments.lock);
    return ret;
}

long shm_info(struct sysv_info *info)
{
    lock_table();
    long ret = sysv_count(&segments, info);
    info->a = info->b = 0;
    for (unsigned i = 0; i < SYSV_SLOTS; i++)
        if (segments.slot[i])
            info->a += ALIGN_UP(segment_of(segments.slot[i])->size, PAGE_SIZE) >> PAGE_SHIFT;
    mutex_unlock(&segments.lock);
    return ret;
}
