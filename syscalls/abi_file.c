/* Layouts of the user structures that the file calls take: both ABIs', from Linux's own headers. */
#include <abi_io.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <base/errno.h>
#include <base/string.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/utime.h>
#include <vfs/devfs.h>

#include "abi.h"
#include "abi_file.h"

#define NS_PER_S 1000000000L

/* Seconds rounded down, so that the nanoseconds are never negative. */
static int64_t seconds(int64_t ns)
{
    return ns / NS_PER_S - (ns % NS_PER_S < 0);
}

static unsigned nanoseconds(int64_t ns)
{
    return ns - seconds(ns) * NS_PER_S;
}

int user_put_stat(struct uptr p, const struct inode_stat *st)
{
    struct stat s = {
        .st_dev = st->dev,
        .st_ino = st->ino,
        .st_nlink = st->nlink,
        .st_mode = st->mode,
        .st_uid = st->uid,
        .st_gid = st->gid,
        .st_rdev = st->rdev,
        .st_size = st->size,
        .st_blksize = st->blksize,
        .st_blocks = st->blocks,
        .st_atime = seconds(st->atime_ns),
        .st_atime_nsec = nanoseconds(st->atime_ns),
        .st_mtime = seconds(st->mtime_ns),
        .st_mtime_nsec = nanoseconds(st->mtime_ns),
        .st_ctime = seconds(st->ctime_ns),
        .st_ctime_nsec = nanoseconds(st->ctime_ns),
    };
    return user_put(p, &s);
}

/* --- i386's three stats ------------------------------------------------------------------------- */

/* An id of 16 bits: what does not fit is the overflow id. */
uint16_t id_to_16(uint32_t id)
{
    return id > UINT16_MAX ? 65534 : (uint16_t)id;
}

#define FILL_STAT(s, st)                        \
    do {                                        \
        (s).st_dev = (st)->dev;                 \
        (s).st_ino = (st)->ino;                 \
        (s).st_mode = (st)->mode;               \
        (s).st_nlink = (st)->nlink;             \
        (s).st_rdev = (st)->rdev;               \
        (s).st_size = (st)->size;               \
        (s).st_atime = seconds((st)->atime_ns); \
        (s).st_mtime = seconds((st)->mtime_ns); \
        (s).st_ctime = seconds((st)->ctime_ns); \
    } while (0)
#define FILL_STAT_MORE(s, st)                            \
    do {                                                 \
        (s).st_blksize = (st)->blksize;                  \
        (s).st_blocks = (st)->blocks;                    \
        (s).st_atime_nsec = nanoseconds((st)->atime_ns); \
        (s).st_mtime_nsec = nanoseconds((st)->mtime_ns); \
        (s).st_ctime_nsec = nanoseconds((st)->ctime_ns); \
    } while (0)

int user_put_old_stat_32(struct uptr p, const struct inode_stat *st)
{
    union i386_old_stat s = {.bytes = {0}};
    FILL_STAT(s, st);
    s.st_uid = id_to_16(st->uid);
    s.st_gid = id_to_16(st->gid);
    bool fits = s.st_dev == st->dev && s.st_rdev == st->rdev && s.st_ino == st->ino &&
                s.st_nlink == st->nlink && st->size <= INT32_MAX;
    return fits ? user_put(p, &s) : -EOVERFLOW;
}

int user_put_stat_32(struct uptr p, const struct inode_stat *st)
{
    union i386_stat s = {.bytes = {0}};
    FILL_STAT(s, st);
    FILL_STAT_MORE(s, st);
    s.st_uid = id_to_16(st->uid);
    s.st_gid = id_to_16(st->gid);
    bool fits = s.st_dev == st->dev && s.st_rdev == st->rdev && s.st_ino == st->ino &&
                s.st_nlink == st->nlink && st->size <= INT32_MAX;
    return fits ? user_put(p, &s) : -EOVERFLOW;
}

int user_put_stat64_32(struct uptr p, const struct inode_stat *st)
{
    union i386_stat64 s = {.bytes = {0}};
    FILL_STAT(s, st);
    FILL_STAT_MORE(s, st);
    s.__st_ino = (uint32_t)st->ino;
    s.st_uid = st->uid;
    s.st_gid = st->gid;
    return user_put(p, &s);
}

/* --- statx and statfs ----------------------------------------------------------------------------- */

static struct statx_timestamp timestamp(int64_t ns)
{
    return (struct statx_timestamp){.tv_sec = seconds(ns), .tv_nsec = nanoseconds(ns)};
}

int user_put_statx(struct uptr p, const struct inode_stat *st, unsigned wanted, int mount_id,
                   bool is_mount_root)
{
    struct statx s = {
        .stx_mask = STATX_BASIC_STATS | (wanted & STATX_BTIME) | STATX_MNT_ID,
        .stx_blksize = st->blksize,
        .stx_attributes = is_mount_root ? STATX_ATTR_MOUNT_ROOT : 0,
        .stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
        .stx_nlink = st->nlink,
        .stx_uid = st->uid,
        .stx_gid = st->gid,
        .stx_mode = st->mode,
        .stx_ino = st->ino,
        .stx_size = st->size,
        .stx_blocks = st->blocks,
        .stx_atime = timestamp(st->atime_ns),
        .stx_btime = timestamp(wanted & STATX_BTIME ? st->btime_ns : 0),
        .stx_ctime = timestamp(st->ctime_ns),
        .stx_mtime = timestamp(st->mtime_ns),
        .stx_rdev_major = dev_major(st->rdev),
        .stx_rdev_minor = dev_minor(st->rdev),
        .stx_dev_major = dev_major(st->dev),
        .stx_dev_minor = dev_minor(st->dev),
        .stx_mnt_id = mount_id,
    };
    return user_put(p, &s);
}

/* Mount flags as statvfs(3) shows them: the low ones are the same bits. */
static unsigned statfs_flags(unsigned mount_flags)
{
    const unsigned valid = 0x20, st_noatime = 0x400, st_nodiratime = 0x800, st_relatime = 0x1000;
    unsigned flags = valid | (mount_flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC));
    if (mount_flags & MS_NODIRATIME)
        flags |= st_nodiratime;
    return flags | (mount_flags & MS_NOATIME ? st_noatime : st_relatime);
}

#define FILL_STATFS(s, st, mount_flags)                          \
    do {                                                         \
        (s).f_type = (st)->type;                                 \
        (s).f_bsize = (st)->block_size;                          \
        (s).f_blocks = (st)->blocks;                             \
        (s).f_bfree = (st)->blocks_free + (st)->blocks_reserved; \
        (s).f_bavail = (st)->blocks_free;                        \
        (s).f_files = (st)->files;                               \
        (s).f_ffree = (st)->files_free;                          \
        (s).f_fsid0 = (int32_t)(st)->fsid;                       \
        (s).f_fsid1 = (int32_t)((st)->fsid >> 32);               \
        (s).f_namelen = (st)->name_max;                          \
        (s).f_frsize = (st)->block_size;                         \
        (s).f_flags = statfs_flags(mount_flags);                 \
    } while (0)

/* A number of files that nobody knows is -1, which fits. */
static bool fits_32(uint64_t n)
{
    return n <= UINT32_MAX || n == UINT64_MAX;
}

static int put_statfs_32(struct uptr p, const struct fs_stat *st, unsigned mount_flags)
{
    union i386_statfs s = {.bytes = {0}};
    if (st->blocks > UINT32_MAX || st->blocks_free > UINT32_MAX || !fits_32(st->files) ||
        !fits_32(st->files_free))
        return -EOVERFLOW;
    FILL_STATFS(s, st, mount_flags);
    return user_put(p, &s);
}

int user_put_statfs64_32(struct uptr p, const struct fs_stat *st, unsigned mount_flags)
{
    union i386_statfs64 s = {.bytes = {0}};
    FILL_STATFS(s, st, mount_flags);
    return user_put(p, &s);
}

int user_put_statfs(struct uptr p, const struct fs_stat *st, unsigned mount_flags)
{
    if (caller_is_i386())
        return put_statfs_32(p, st, mount_flags);
    struct statfs s = {
        .f_type = st->type,
        .f_bsize = st->block_size,
        .f_blocks = st->blocks,
        .f_bfree = st->blocks_free + st->blocks_reserved,
        .f_bavail = st->blocks_free,
        .f_files = st->files,
        .f_ffree = st->files_free,
        .f_fsid = {{st->fsid, st->fsid >> 32}},
        .f_namelen = st->name_max,
        .f_frsize = st->block_size,
        .f_flags = statfs_flags(mount_flags),
    };
    return user_put(p, &s);
}

/* --- times ------------------------------------------------------------------------------------ */

/* The times that 64 bits of nanoseconds can say: years 1678 to 2262. */
static int64_t to_ns(int64_t s, int64_t ns)
{
    const int64_t limit = INT64_MAX / NS_PER_S - 1;
    return MAX(MIN(s, limit), -limit) * NS_PER_S + ns;
}

int user_get_two_timespecs(struct uptr p, int64_t ns[2])
{
    struct __kernel_timespec t[2];
    size_t size = caller_has_time32() ? sizeof(union i386_timespec) : sizeof(t[0]);
    if (user_get_timespec(p, &t[0]) < 0 || user_get_timespec(uptr_add(p, size), &t[1]) < 0)
        return -EFAULT;
    for (unsigned n = 0; n < 2; n++) {
        if (t[n].tv_nsec == ((1L << 30) - 1)) /* UTIME_NOW */
            ns[n] = TIME_NOW;
        else if (t[n].tv_nsec == ((1L << 30) - 2)) /* UTIME_OMIT */
            ns[n] = TIME_OMIT;
        else if (t[n].tv_nsec < 0 || t[n].tv_nsec >= NS_PER_S)
            ns[n] = TIME_BAD;
        else
            ns[n] = to_ns(t[n].tv_sec, t[n].tv_nsec);
    }
    return 0;
}

int user_get_two_timevals(struct uptr p, int64_t ns[2])
{
    struct __kernel_old_timeval t[2];
    size_t size = caller_is_i386() ? sizeof(union i386_timeval) : sizeof(t[0]);
    if (user_get_timeval(p, &t[0]) < 0 || user_get_timeval(uptr_add(p, size), &t[1]) < 0)
        return -EFAULT;
    for (unsigned n = 0; n < 2; n++) {
        if (t[n].tv_usec < 0 || t[n].tv_usec >= NS_PER_S / 1000)
            return -EINVAL;
        ns[n] = to_ns(t[n].tv_sec, t[n].tv_usec * 1000);
    }
    return 0;
}

int user_get_utimbuf(struct uptr p, int64_t ns[2])
{
    struct utimbuf t;
    union i386_utimbuf small;
    bool is_small = caller_is_i386();
    if (is_small ? user_get(p, &small) < 0 : user_get(p, &t) < 0)
        return -EFAULT;
    if (is_small)
        t = (struct utimbuf){small.actime, small.modtime};
    ns[0] = to_ns(t.actime, 0);
    ns[1] = to_ns(t.modtime, 0);
    return 0;
}

/* --- directory entries ------------------------------------------------------------------------ */

/* Linux exports neither of these two. */
struct dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
} __attribute__((packed));

struct dirent_old { /* d_type is the last byte of the record */
    unsigned long d_ino, d_off;
    uint16_t d_reclen;
    char d_name[];
} __attribute__((packed));

static int put_new(struct uptr p, size_t size, const char *name, size_t len, uint64_t ino,
                   unsigned type, int64_t off)
{
    struct dirent64 d = {.d_ino = ino, .d_off = off, .d_reclen = size, .d_type = type};
    size_t head = offsetof(struct dirent64, d_name);
    return user_write(p, &d, head) || user_write(uptr_add(p, head), name, len) ||
                   user_zero(uptr_add(p, head + len), size - head - len)
               ? -EFAULT
               : 0;
}

static int put_old(struct uptr p, size_t size, const char *name, size_t len, uint64_t ino,
                   unsigned type, int64_t off)
{
    struct dirent_old d = {.d_ino = ino, .d_off = off, .d_reclen = size};
    size_t head = offsetof(struct dirent_old, d_name);
    uint8_t last = type;
    return user_write(p, &d, head) || user_write(uptr_add(p, head), name, len) ||
                   user_zero(uptr_add(p, head + len), size - head - len - 1) ||
                   user_put(uptr_add(p, size - 1), &last)
               ? -EFAULT
               : 0;
}

static int put_old_32(struct uptr p, size_t size, const char *name, size_t len, uint64_t ino,
                      unsigned type, int64_t off)
{
    union i386_dirent d = {.bytes = {0}};
    size_t head = offsetof(union i386_dirent, d_name);
    uint8_t last = type;
    d.d_ino = (uint32_t)ino;
    d.d_off = (uint32_t)off;
    d.d_reclen = size;
    if (d.d_ino != ino)
        return -EOVERFLOW;
    return user_write(p, &d, head) || user_write(uptr_add(p, head), name, len) ||
                   user_zero(uptr_add(p, head + len), size - head - len - 1) ||
                   user_put(uptr_add(p, size - 1), &last)
               ? -EFAULT
               : 0;
}

/* The three layouts of a directory entry. */
struct dirent_layout {
    size_t head; /* bytes beside the name and its NUL */
    size_t align;
    int (*put)(struct uptr p, size_t size, const char *name, size_t len, uint64_t ino,
               unsigned type, int64_t off);
};
static const struct dirent_layout layout_new = {offsetof(struct dirent64, d_name), 8, put_new};
static const struct dirent_layout layout_old = {offsetof(struct dirent_old, d_name) + 1, 8,
                                                put_old};
static const struct dirent_layout layout_32 = {offsetof(union i386_dirent, d_name) + 1, 4,
                                               put_old_32};

/* readdir(2) of i386: one entry, without a type; d_reclen is the length of the name. */
bool dirent_emit_one_32(void *arg, const char *name, size_t len, uint64_t ino, unsigned type,
                        int64_t next_pos)
{
    struct dirent_buf *b = arg;
    union i386_dirent d = {.bytes = {0}};
    size_t head = offsetof(union i386_dirent, d_name);
    if (b->left == 0)
        return false;
    d.d_ino = (uint32_t)ino;
    d.d_off = (uint32_t)next_pos;
    d.d_reclen = (uint16_t)len;
    b->left = 0;
    if (d.d_ino != ino)
        b->error = -EOVERFLOW;
    else if (user_write(b->at, &d, head) || user_write(uptr_add(b->at, head), name, len) ||
             user_zero(uptr_add(b->at, head + len), 1))
        b->error = -EFAULT;
    return true;
}

bool dirent_emit(void *arg, const char *name, size_t len, uint64_t ino, unsigned type,
                 int64_t next_pos)
{
    struct dirent_buf *b = arg;
    const struct dirent_layout *l = !b->is_old         ? &layout_new
                                    : caller_is_i386() ? &layout_32
                                                       : &layout_old;
    size_t size = ALIGN_UP(l->head + len + 1, l->align);
    if (size > b->left) {
        b->error = -EINVAL;
        return false;
    }
    b->error = l->put(b->at, size, name, len, ino, type, next_pos);
    if (b->error < 0)
        return false;
    b->at = uptr_add(b->at, size);
    b->left -= size;
    return true;
}
