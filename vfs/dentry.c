/* Directory entries: names in memory, found by hash, listed by position.
 *
 * Each directory's dentry has its own table and lock, so look-ups in different directories never
 * meet, and a look-up holds one spinlock for a few instructions.  Changes happen under the
 * directory inode's mutex; the spinlock only keeps look-ups out while pointers move.
 *
 * A rename takes a dentry out of one table and puts it into another, and a look-up between the two
 * finds neither.  `renames` tells: a miss is believed only when no rename was under way, else the
 * look-up is done again under the directory's mutex, which the rename holds. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/stat.h>
#include <vfs/inode.h>
#include <vfs/inotify.h>

#include "name_hash.h"

/* Low bits: renames under way; above them: how many have ended. */
#define RENAME_ENDED (1UL << 16)
static uint64_t renames; /* atomic */

static struct spinlock alias_lock = SPINLOCK_INIT(RANK_DENTRY); /* guards every inode's alias */

/* --- life ------------------------------------------------------------------------------------- */

static char *name_copy(char short_name[], size_t short_size, const char *name, size_t len)
{
    char *copy = len < short_size ? short_name : heap_alloc(len + 1);
    if (copy) {
        memcpy(copy, name, len);
        copy[len] = 0;
    }
    return copy;
}

static struct dentry *dentry_alloc(const char *name, size_t len)
{
    struct dentry *d = heap_zalloc(sizeof(*d));
    if (!d)
        return NULL;
    d->name = name_copy(d->short_name, sizeof(d->short_name), name, len);
    if (!d->name) {
        heap_free(d);
        return NULL;
    }
    ref_init(&d->ref);
    spin_init(&d->lock, RANK_DENTRY);
    list_init(&d->children);
    list_init(&d->sibling);
    d->name_len = len;
    d->hash = name_hash(name, len);
    d->parent = d;
    d->next_pos = 2; /* 0 is ".", 1 is ".." */
    return d;
}

struct dentry *dentry_new(struct dentry *parent, const char *name, size_t len)
{
    struct dentry *d = dentry_alloc(name, len);
    if (!d)
        return NULL;
    dentry_get(parent);
    d->parent = parent;
    d->sb = parent->sb;
    return d;
}

struct dentry *dentry_new_anon(struct inode *inode, const char *name)
{
    struct dentry *d = dentry_alloc(name, strlen(name));
    if (!d) {
        inode_put(inode);
        return NULL;
    }
    d->sb = inode->sb;
    dentry_fill(d, inode);
    return d;
}

struct dentry *dentry_new_root(struct inode *inode)
{
    return dentry_new_anon(inode, "/");
}

void dentry_get(struct dentry *d)
{
    ref_get(&d->ref);
}

static void dentry_free(struct dentry *d)
{
    struct inode *i = d->inode;
    if (i) {
        spin_lock(&alias_lock);
        if (i->alias == d)
            i->alias = NULL;
        spin_unlock(&alias_lock);
        if (atomic_load(&i->nlink) == 0)
            inotify_file(i, NULL, IN_DELETE_SELF); /* not before the last open file is closed */
        inode_put(i);
    }
    if (d->name != d->short_name)
        heap_free(d->name);
    heap_free(d->buckets);
    heap_free(d);
}

void dentry_put(struct dentry *d)
{
    while (ref_put(&d->ref)) {
        assert(!d->is_linked);
        struct dentry *parent = d->parent;
        bool is_root = parent == d;
        dentry_free(d);
        if (is_root)
            return;
        d = parent;
    }
}

void dentry_fill(struct dentry *d, struct inode *inode)
{
    assert(!d->inode);
    spin_lock(&alias_lock);
    inode->alias = d;
    spin_unlock(&alias_lock);
    atomic_store(&d->inode, inode);
}

struct dentry *dentry_of_inode(struct inode *i)
{
    spin_lock(&alias_lock);
    struct dentry *d = i->alias;
    if (d && !ref_get_unless_zero(&d->ref))
        d = NULL;
    spin_unlock(&alias_lock);
    return d;
}

struct dentry *dentry_parent(struct dentry *d)
{
    spin_lock(&d->lock);
    struct dentry *parent = d->parent;
    dentry_get(parent);
    spin_unlock(&d->lock);
    return parent;
}

struct dentry *dentry_place(struct dentry *d, char *name, size_t *len)
{
    struct dentry *dir = NULL;
    spin_lock(&d->lock);
    if (d->parent != d) {
        dir = d->parent;
        dentry_get(dir);
        *len = d->name_len;
        memcpy(name, d->name, d->name_len);
    }
    spin_unlock(&d->lock);
    return dir;
}

/* --- a directory's table ---------------------------------------------------------------------- */

static struct dentry **bucket_of(struct dentry *dir, uint32_t hash)
{
    return &dir->buckets[hash & (dir->nr_buckets - 1)];
}

/* Room for one more child.  A table that cannot grow stays as it is, only slower. */
static int reserve(struct dentry *dir)
{
    assert(spin_is_held(&dir->lock));
    if (dir->is_dead)
        return -ENOENT;
    if (!dir->buckets || dir->nr_children >= 2 * dir->nr_buckets) {
        unsigned nr = dir->buckets ? dir->nr_buckets * 4 : 4;
        struct dentry **old = dir->buckets, **table = heap_zalloc(nr * sizeof(*table));
        if (!table && !old)
            return -ENOMEM;
        if (table) {
            dir->buckets = table;
            dir->nr_buckets = nr;
            struct dentry *d;
            list_for_each(d, &dir->children, sibling) {
                struct dentry **head = bucket_of(dir, d->hash);
                d->hash_next = *head;
                *head = d;
            }
            heap_free(old);
        }
    }
    dir->nr_children++;
    return 0;
}

/* Into table and list; the place was reserved. */
static inline void insert(struct dentry *dir, struct dentry *d)
{
    assert(spin_is_held(&dir->lock) && !d->is_linked);
    struct dentry **head = bucket_of(dir, d->hash);
    d->hash_next = *head;
    *head = d;
    d->pos = dir->next_pos++;
    list_push_back(&dir->children, &d->sibling);
    d->is_linked = true;
}

/* Out of table and list; the place stays reserved. */
static void extract(struct dentry *dir, struct dentry *d)
{
    assert(spin_is_held(&dir->lock) && d->is_linked);
    struct dentry **p = bucket_of(dir, d->hash);
    while (*p != d)
        p = &(*p)->hash_next;
    *p = d->hash_next;
    if (dir->cursor == d)
        dir->cursor = d->sibling.prev == &dir->children
                          ? NULL
                          : list_entry(d->sibling.prev, struct dentry, sibling);
    list_remove(&d->sibling);
    d->is_linked = false;
}

int dentry_link(struct dentry *d, struct inode *inode)
{
    struct dentry *dir = d->parent;
    assert(mutex_is_held(&dir->inode->lock));
    spin_lock(&dir->lock);
    int ret = reserve(dir);
    spin_unlock(&dir->lock);
    if (ret < 0) {
        inode_put(inode);
        return ret;
    }
    dentry_fill(d, inode);
    dentry_get(d); /* the tree's */
    spin_lock(&dir->lock);
    insert(dir, d);
    spin_unlock(&dir->lock);
    return 0;
}

void dentry_unlink(struct dentry *d)
{
    struct dentry *dir = d->parent;
    assert(mutex_is_held(&dir->inode->lock));
    spin_lock(&dir->lock);
    extract(dir, d);
    dir->nr_children--;
    spin_unlock(&dir->lock);
    dentry_put(d);
}

seldom_called bool dentry_unlink_unused(struct dentry *d)
{
    struct dentry *dir = d->parent;
    assert(mutex_is_held(&dir->inode->lock));
    spin_lock(&dir->lock); /* a look-up takes its reference under it */
    bool is_unused =
        d->is_linked && atomic_load(&d->ref.count) == 2 && d->nr_children == 0 && !d->mounts;
    if (is_unused) {
        extract(dir, d);
        dir->nr_children--;
    }
    spin_unlock(&dir->lock);
    if (is_unused)
        dentry_put(d); /* the tree's */
    return is_unused;
}

int dentry_kill_empty(struct dentry *dir)
{
    spin_lock(&dir->lock);
    int ret = dir->mounts ? -EBUSY : dir->nr_children > 0 ? -ENOTEMPTY : 0;
    if (ret == 0)
        dir->is_dead = true;
    spin_unlock(&dir->lock);
    return ret;
}

/* --- looking up ------------------------------------------------------------------------------- */

static bool has_name(const struct dentry *d, const char *name, size_t len, uint32_t hash)
{
    if (d->hash != hash || d->name_len != len)
        return false;
    /* Names are short: a loop is cheaper than a call. */
    for (size_t n = 0; n < len; n++)
        if (d->name[n] != name[n])
            return false;
    return true;
}

static struct dentry *find(struct dentry *dir, const char *name, size_t len, uint32_t hash)
{
    struct dentry *d = NULL;
    spin_lock(&dir->lock);
    if (likely(dir->buckets))
        d = *bucket_of(dir, hash);
    while (d && unlikely(!has_name(d, name, len, hash)))
        d = d->hash_next;
    if (d)
        dentry_get(d);
    spin_unlock(&dir->lock);
    return d;
}

inline struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len)
{
    return find(dir, name, len, name_hash(name, len));
}

/* Is the file system to be asked whether the name still means this?  What something is mounted on stays. */
static inline bool is_stale(struct dentry *d)
{
    uint64_t until = atomic_load(&d->valid_until);
    return unlikely(until) && arch_clock_ns() >= until && !atomic_load(&d->mounts);
}

int dentry_lookup_locked(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
    struct inode *i = dir->inode;
    assert(mutex_is_held(&i->lock));
    *out = dentry_find(dir, name, len);
    if (*out && is_stale(*out)) {
        int good = i->ops->revalidate(i, *out);
        if (good <= 0) {
            dentry_put(*out);
            *out = NULL;
        }
        if (good < 0)
            return good;
    }
    if (*out)
        return 0;
    *out = dentry_new(dir, name, len);
    if (!*out)
        return -ENOMEM;
    int ret = i->ops->lookup ? i->ops->lookup(i, *out) : 0;
    if (ret < 0)
        dentry_put(*out);
    return ret;
}

/* What a look-up in memory could not find, decided under the directory's lock. */
static int lookup_slow(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
    mutex_lock(&dir->inode->lock);
    int ret = dentry_lookup_locked(dir, name, len, out);
    mutex_unlock(&dir->inode->lock);
    if (ret == 0 && !(*out)->inode) {
        dentry_put(*out);
        ret = -ENOENT;
    }
    return ret;
}

int dentry_lookup_hashed(struct dentry *dir, const char *name, size_t len, uint32_t hash,
                         struct dentry **out)
{
    uint64_t before = atomic_load(&renames);
    *out = find(dir, name, len, hash);
    if (likely(*out)) {
        if (likely(!is_stale(*out)))
            return 0;
        dentry_put(*out);
    }
    bool is_sure = before % RENAME_ENDED == 0 && atomic_load(&renames) == before;
    if (is_sure && !dir->inode->ops->lookup)
        return -ENOENT;
    return lookup_slow(dir, name, len, out);
}

int dentry_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **out)
{
    return dentry_lookup_hashed(dir, name, len, name_hash(name, len), out);
}

struct dentry *dentry_next(struct dentry *dir, uint64_t pos)
{
    spin_lock(&dir->lock);
    /* From where the last search ended: reading in order costs one step an entry. */
    struct list *head = &dir->children;
    struct list *node = dir->cursor ? &dir->cursor->sibling : head->next;
    while (node != head && node->prev != head &&
           list_entry(node->prev, struct dentry, sibling)->pos >= pos)
        node = node->prev;
    while (node != head && list_entry(node, struct dentry, sibling)->pos < pos)
        node = node->next;
    struct dentry *d = node == head ? NULL : list_entry(node, struct dentry, sibling);
    if (d) {
        dentry_get(d);
        dir->cursor = d;
    }
    spin_unlock(&dir->lock);
    return d;
}

/* --- moving ----------------------------------------------------------------------------------- */

struct place {
    struct dentry *dir;
    uint16_t len;
    uint32_t hash;
    char *name; /* NULL: in short_name */
    char short_name[sizeof(((struct dentry *)0)->short_name)];
};

/* The name and directory of `d`, copied; the directory referenced. */
static seldom_called int place_copy(struct place *p, struct dentry *d)
{
    char *name = name_copy(p->short_name, sizeof(p->short_name), d->name, d->name_len);
    if (!name)
        return -ENOMEM;
    p->name = name == p->short_name ? NULL : name;
    p->len = d->name_len;
    p->hash = d->hash;
    p->dir = d->parent;
    dentry_get(p->dir);
    return 0;
}

static void place_drop(struct place *p)
{
    heap_free(p->name);
    dentry_put(p->dir);
}

/* Give `d`, which is in no table, the place *p; *p becomes the old one. */
static seldom_called void place_swap(struct place *p, struct dentry *d)
{
    struct place old = {.dir = d->parent, .len = d->name_len, .hash = d->hash};
    spin_lock(&d->lock);
    if (d->name == d->short_name)
        memcpy(old.short_name, d->short_name, sizeof(old.short_name));
    else
        old.name = d->name;
    if (!p->name)
        memcpy(d->short_name, p->short_name, sizeof(d->short_name));
    d->name = p->name ? p->name : d->short_name;
    d->name_len = p->len;
    d->hash = p->hash;
    d->parent = p->dir;
    spin_unlock(&d->lock);
    *p = old;
}

static void extract_child(struct dentry *d)
{
    spin_lock(&d->parent->lock);
    extract(d->parent, d);
    spin_unlock(&d->parent->lock);
}

static void insert_child(struct dentry *d)
{
    spin_lock(&d->parent->lock);
    insert(d->parent, d);
    spin_unlock(&d->parent->lock);
}

static void unreserve(struct dentry *dir)
{
    spin_lock(&dir->lock);
    dir->nr_children--;
    spin_unlock(&dir->lock);
}

/* The part of dentry_move that cannot fail. */
static void move_to(struct dentry *d, struct dentry *target, struct place *to, struct place *from,
                    bool exchange)
{
    bool was_linked = target->is_linked;
    atomic_add(&renames, 1);
    extract_child(d);
    if (was_linked)
        extract_child(target);
    place_swap(to, d);
    insert_child(d);
    if (exchange) {
        place_swap(from, target);
        insert_child(target);
    }
    atomic_add(&renames, RENAME_ENDED - 1);
    if (exchange)
        return;
    /* d took the place reserved for it, or the target's; its old one is free. */
    unreserve(to->dir);
    if (was_linked)
        dentry_put(target); /* the tree's reference */
}

seldom_called int dentry_move(struct dentry *d, struct dentry *target, bool exchange)
{
    struct dentry *dir = target->parent;
    struct place to, from;
    int ret = place_copy(&to, target);
    if (ret < 0)
        return ret;
    ret = place_copy(&from, d);
    if (ret < 0)
        goto drop_to;
    if (!target->is_linked) {
        spin_lock(&dir->lock);
        ret = reserve(dir);
        spin_unlock(&dir->lock);
    } else if (!exchange && S_ISDIR(target->inode->mode)) {
        ret = dentry_kill_empty(target);
    }
    if (ret == 0)
        move_to(d, target, &to, &from, exchange);
    place_drop(&from);
drop_to:
    place_drop(&to);
    return ret;
}
