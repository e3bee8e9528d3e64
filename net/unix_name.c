/* Names of AF_UNIX sockets: paths, which find a socket through the inode of a node in the file system, and abstract
 * names, which are bytes behind a NUL and need no file system. */
#include <base/string.h>
#include <linux/stat.h>
#include <linux/un.h>
#include <unix.h>
#include <vfs/inode.h>
#include <vfs/text_file.h>
#include <net/net.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define NR_BUCKETS  64

static struct spinlock lock = SPINLOCK_INIT(RANK_SOCKET_NAME); /* guards: */
static struct list buckets[NR_BUCKETS];
static uint32_t next_autobind;

void unix_name_init(void)
{
    for (unsigned i = 0; i < NR_BUCKETS; i++)
        list_init(&buckets[i]);
}

int unix_check_addr(const struct socket_addr *addr)
{
    if (addr->len <= PATH_OFFSET || addr->len > sizeof(struct sockaddr_un) ||
        addr->family != AF_UNIX)
        return -EINVAL;
    return 0;
}

void unix_name_put(struct unix_name *n)
{
    if (!ref_put(&n->ref))
        return;
    if (n->place.dentry)
        path_put(&n->place);
    heap_free(n);
}

void unix_tell_name(const struct unix_name *n, struct socket_addr *addr)
{
    if (n) {
        addr->len = n->addr.len;
        memcpy(addr->bytes, n->addr.bytes, n->addr.len);
    } else {
        addr->len = PATH_OFFSET;
        addr->family = AF_UNIX;
    }
}

/* --- the table ----------------------------------------------------------------------------------------- */

static bool is_abstract(const struct socket_addr *addr)
{
    return addr->bytes[PATH_OFFSET] == '\0';
}

/* Abstract names of different types of sockets are different names. */
static struct list *bucket_of_bytes(const struct socket_addr *addr, int type)
{
    uint32_t hash = (uint32_t)type;
    for (unsigned i = PATH_OFFSET; i < addr->len; i++)
        hash = hash * 31 + (uint8_t)addr->bytes[i];
    return &buckets[(hash ^ hash >> 7) % NR_BUCKETS];
}

static struct list *bucket_of_inode(const struct inode *i)
{
    return &buckets[((uintptr_t)i >> 7) % NR_BUCKETS];
}

static struct unix_name *find_bytes(const struct socket_addr *addr, int type)
{
    struct unix_name *n;
    list_for_each(n, bucket_of_bytes(addr, type), node)
        if (!n->place.dentry && n->owner->s.type == type && n->addr.len == addr->len &&
            memcmp(n->addr.bytes, addr->bytes, addr->len) == 0)
            return n;
    return NULL;
}

static struct unix_name *find_inode(const struct inode *i)
{
    struct unix_name *n;
    list_for_each(n, bucket_of_inode(i), node)
        if (n->place.dentry && n->place.dentry->inode == i)
            return n;
    return NULL;
}

static struct unix_name *name_new(const struct socket_addr *addr)
{
    struct unix_name *n = heap_zalloc(sizeof(*n));
    if (!n)
        return NULL;
    ref_init(&n->ref);
    list_init(&n->node);
    n->addr.len = addr->len;
    memcpy(n->addr.bytes, addr->bytes, addr->len);
    return n;
}

static void take_name(struct unix_sock *u, struct unix_name *n, struct list *bucket)
{
    n->owner = u;
    list_push_back(bucket, &n->node);
    spin_lock(&u->lock);
    atomic_store(&u->name, n);
    spin_unlock(&u->lock);
}

void unix_unbind(struct unix_sock *u)
{
    struct unix_name *n = atomic_load(&u->name);
    if (!n)
        return;
    spin_lock(&lock);
    if (n->owner == u) {
        list_remove(&n->node);
        n->owner = NULL;
    }
    spin_unlock(&lock);
}

/* --- bind ---------------------------------------------------------------------------------------------- */

static int bind_abstract(struct unix_sock *u, const struct socket_addr *addr)
{
    struct unix_name *n = name_new(addr);
    if (!n)
        return -ENOMEM;
    spin_lock(&lock);
    bool is_taken = find_bytes(addr, u->s.type);
    if (!is_taken)
        take_name(u, n, bucket_of_bytes(addr, u->s.type));
    spin_unlock(&lock);
    if (is_taken)
        unix_name_put(n);
    return is_taken ? -EADDRINUSE : 0;
}

/* The path as a string, and the address as it is told afterwards: with one NUL. */
static void path_of(const struct socket_addr *addr, char path[sizeof(struct sockaddr_un) + 1],
                    struct socket_addr *clean)
{
    size_t n = addr->len - PATH_OFFSET;
    memcpy(path, addr->bytes + PATH_OFFSET, n);
    path[n] = '\0';
    if (!clean)
        return;
    n = strlen(path) + 1;
    clean->family = AF_UNIX;
    clean->len = PATH_OFFSET + n;
    memcpy(clean->bytes + PATH_OFFSET, path, n);
}

static int bind_path(struct unix_sock *u, const struct socket_addr *addr)
{
    char path[sizeof(struct sockaddr_un) + 1];
    struct socket_addr clean;
    path_of(addr, path, &clean);
    struct unix_name *n = name_new(&clean);
    if (!n)
        return -ENOMEM;
    struct net_caller c;
    net_get_caller(&c);
    struct walk w = {.fs = c.fs, .cred = c.cred};
    int ret = path_make_node(&w, path, S_IFSOCK | 0777, 0, &n->place);
    if (ret < 0) {
        unix_name_put(n);
        return ret == -EEXIST ? -EADDRINUSE : ret;
    }
    spin_lock(&lock);
    take_name(u, n, bucket_of_inode(n->place.dentry->inode));
    spin_unlock(&lock);
    return 0;
}

/* A name of five hexadecimal digits that nobody has. */
static int autobind(struct unix_sock *u)
{
    struct socket_addr addr = {.len = PATH_OFFSET + 6, .family = AF_UNIX};
    for (unsigned tries = 0; tries <= 0xfffff; tries++) {
        uint32_t number = atomic_add(&next_autobind, 1) & 0xfffff;
        addr.bytes[PATH_OFFSET] = '\0';
        snprintf(addr.bytes + PATH_OFFSET + 1, 6, "%05x", number);
        int ret = bind_abstract(u, &addr);
        if (ret != -EADDRINUSE)
            return ret;
    }
    return -ENOSPC;
}

int unix_autobind(struct unix_sock *u)
{
    mutex_lock(&u->io);
    int ret = u->name ? 0 : autobind(u);
    mutex_unlock(&u->io);
    return ret;
}

int unix_name_if_wanted(struct unix_sock *u)
{
    if (likely(!socket_has(&u->s, SOCKET_PASSCRED)) || atomic_load(&u->name))
        return 0;
    return unix_autobind(u);
}

/* Of a socket that has a name: a path is looked at before that. */
static int bind_again(const struct socket_addr *addr)
{
    char path[sizeof(struct sockaddr_un) + 1];
    struct path place;
    struct net_caller c;
    if (is_abstract(addr))
        return -EINVAL;
    path_of(addr, path, NULL);
    net_get_caller(&c);
    struct walk w = {.fs = c.fs, .cred = c.cred};
    int ret = path_walk(&w, path, 0, &place);
    if (ret < 0)
        return ret == -ENOENT ? -EINVAL : ret;
    path_put(&place);
    return -EADDRINUSE;
}

int unix_bind(struct socket *s, const struct socket_addr *addr)
{
    struct unix_sock *u = unix_of(s);
    if (addr->len == PATH_OFFSET && addr->family == AF_UNIX)
        return unix_autobind(u);
    int ret = unix_check_addr(addr);
    if (ret < 0)
        return ret;
    mutex_lock(&u->io);
    if (u->name)
        ret = bind_again(addr);
    else
        ret = is_abstract(addr) ? bind_abstract(u, addr) : bind_path(u, addr);
    mutex_unlock(&u->io);
    return ret;
}

/* --- finding ------------------------------------------------------------------------------------------- */

static int find_path(const struct socket_addr *addr, struct path *place)
{
    char path[sizeof(struct sockaddr_un) + 1];
    path_of(addr, path, NULL);
    struct net_caller c;
    net_get_caller(&c);
    struct walk w = {.fs = c.fs, .cred = c.cred};
    int ret = path_walk(&w, path, WALK_FOLLOW, place);
    if (ret < 0)
        return ret;
    ret = inode_permission(place->dentry->inode, c.cred, MAY_WRITE);
    if (ret == 0 && (place->dentry->inode->mode & S_IFMT) != S_IFSOCK)
        ret = -ECONNREFUSED;
    if (ret < 0)
        path_put(place);
    return ret;
}

int unix_find(const struct socket_addr *addr, int type, struct unix_sock **out)
{
    struct path place = {NULL, NULL};
    if (!is_abstract(addr)) {
        int ret = find_path(addr, &place);
        if (ret < 0)
            return ret;
    }
    spin_lock(&lock);
    struct unix_name *n = place.dentry ? find_inode(place.dentry->inode) : find_bytes(addr, type);
    int ret = !n ? -ECONNREFUSED : n->owner->s.type != type ? -EPROTOTYPE : 0;
    if (ret == 0) {
        *out = n->owner;
        unix_get(n->owner);
    }
    spin_unlock(&lock);
    if (place.dentry)
        path_put(&place);
    return ret;
}
