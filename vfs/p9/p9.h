/* Between the files of the 9P client: rpc.c (messages, fids), node.c (inodes, names), dir.c (changing and listing
 * directories), file.c (contents), xattr.c (extended attributes). */
#pragma once

#include <core/atomic.h>
#include <core/lock.h>
#include <core/wait.h>
#include <core/work.h>
#include <vfs/inode.h>
#include <vfs/p9.h>

#include <pagecache.h>

/* Requests; each is answered by its number + 1, or by P9_RLERROR. */
enum p9_type {
    P9_RLERROR = 7,
    P9_TSTATFS = 8,
    P9_TLOPEN = 12,
    P9_TLCREATE = 14,
    P9_TSYMLINK = 16,
    P9_TMKNOD = 18,
    P9_TREADLINK = 22,
    P9_TGETATTR = 24,
    P9_TSETATTR = 26,
    P9_TXATTRWALK = 30,
    P9_TXATTRCREATE = 32,
    P9_TREADDIR = 40,
    P9_TFSYNC = 50,
    P9_TLINK = 70,
    P9_TMKDIR = 72,
    P9_TRENAMEAT = 74,
    P9_TUNLINKAT = 76,
    P9_TVERSION = 100,
    P9_TATTACH = 104,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TWRITE = 118,
    P9_TCLUNK = 120,
};

#define P9_NR_TAGS  64
#define P9_NR_NODES 256 /* buckets */

struct p9_fs {
    struct p9_transport *transport;
    struct superblock *sb;
    struct p9_fid *root_fid; /* referenced */
    struct spinlock lock;    /* RANK_PAGETABLE - guards: */
    uint64_t busy_tags;
    uint32_t next_fid, nr_free_fids, max_free_fids;
    uint32_t *free_fids;
    struct p9_node *nodes[P9_NR_NODES]; /* by qid */
    struct list dirty; /* nodes with pages to write back, each with a reference to its object */
    struct list
        orphans; /* directories' dentries that lost their name but have children in memory: by ->sibling */
    unsigned nr_names, prune_at; /* dentries linked, and how many are too many */
    struct waitq tag_wait;
    struct work prune, write_back;
    uint64_t nr_pages;            /* atomic: cached */
    uint64_t evict_above;         /* atomic: so many */
    struct mutex write_back_lock; /* RANK_OBJECT: one round of write-back at a time */
};

/* A handle of the host's: of a path, or of an open file.  Clunked with the last reference, in thread context. */
struct p9_fid {
    struct ref ref;
    struct p9_fs *fs;
    uint32_t nr;
    bool appends; /* opened with O_APPEND: the host does not look at positions */
};

/* What the client knows of a file, behind its inode. */
struct p9_node {
    struct inode *inode;
    struct p9_node *next; /* fs->lock: in its bucket */
    /* guarded by fs->lock */
    struct p9_fid *fid;            /* its path, not open; referenced */
    const struct dentry *fid_name; /* the name that `fid` was walked to by; only to be compared */
    struct p9_fid
        *created; /* open for reading and writing since Tlcreate, for the open(2) that follows */
    struct p9_fid *reader,
        *writer;           /* open, for mapped pages and nameless files, or NULL; set once */
    uint64_t fresh_until;  /* attributes; arch_clock_ns() */
    int64_t seen_mtime_ns; /* of the contents that are cached */
    uint64_t ours_until;   /* until then another time than `seen_mtime_ns` is of our own writes */
    bool is_dirty;         /* on fs->dirty, or in the hands of write-back */
    bool has_news;         /* a page became dirty since write-back began */
    bool is_nameless;      /* its last name is gone: its path leads nowhere, or to another file */
    struct list dirty_node;
    int write_error; /* atomic: of write-back, until an fsync or msync tells it */
    uint32_t
        changes; /* atomic; odd while the size is being changed: what the host says of it then may be old */
    struct mutex fill_lock; /* RANK_OBJECT: of who reads at the host what goes into the cache */
    struct pagecache cache;
};

static inline struct p9_node *p9_node(struct inode *i)
{
    return i->data;
}
static inline struct p9_fs *p9_fs(struct inode *i)
{
    return i->sb->data;
}

/* --- rpc.c */

struct p9_qid {
    uint8_t type;
    uint32_t version;
    uint64_t path;
};

/* An answer, to be taken apart by p9_get. */
struct p9_msg {
    uint8_t *buf;
    uint32_t pos, len;
};

/* One request: the format's letters are w d q (2 to 8 bytes), i (a struct inode *, for its path's fid), t (a time in ns), s (a
 * string) and n (its length, then a string without NUL).  0 and the answer in *m, to be freed by p9_free_msg (m NULL: it has nothing in it), or -errno: the
 * host's, -EIO for nonsense, -ENOMEM. */
must_check int p9_rpc(struct p9_fs *fs, struct p9_msg *m, enum p9_type type, const char *format,
                      ...);
/* The next fields: pointers for b w d q, a struct p9_qid * for Q, a const char ** and a uint16_t * for n (without
 * NUL, good until the message is freed).  0 or -EIO. */
must_check int p9_get(struct p9_msg *m, const char *format, ...);
void p9_free_msg(struct p9_msg *m);
/* Bytes of an open file, at most P9_DATA_PAGES buffers of `size` bytes in all: bytes moved or -errno. */
ssize_t p9_read(struct p9_fid *fid, uint64_t offset, const struct p9_buf *bufs, unsigned nr,
                uint32_t size);
ssize_t p9_write(struct p9_fid *fid, uint64_t offset, const void *data, uint32_t size);
/* Agree on the protocol and get the root's fid. */
must_check int p9_attach(struct p9_fs *fs);
/* A new fid for `name` in the directory `from`, or for the same file (name NULL), in *out. */
must_check int p9_walk(struct inode *from, const char *name, size_t len, struct p9_fid **out);
void p9_fid_get(struct p9_fid *fid);
void p9_fid_put(struct p9_fid *fid); /* NULL is fine */
/* The last reference, and what the host says to that: 0 or -errno.  The fid is gone in any case. */
must_check int p9_fid_end(struct p9_fid *fid);
/* A new fid in *out for the value of an extended attribute, or with an empty name for the list of them, whose bytes *len
 * counts.  -ESTALE: the file has lost its name. */
must_check int p9_walk_xattr(struct inode *i, const char *name, struct p9_fid **out, uint64_t *len);

/* --- node.c */

/* One of a node's fids, referenced; NULL when it has none. */
struct p9_fid *p9_fid_of(struct inode *i, struct p9_fid **member);
struct p9_fid *p9_path_of(struct inode *i); /* ->fid, which every node has */
/* Ask the host for attributes, through its path.  -ESTALE: it leads to another file, or the file has no name. */
must_check int p9_refresh(struct inode *i);
/* The same before a request that changes what the path leads to: another name in memory is tried as well. */
must_check int p9_check_path(struct inode *i);
void p9_refresh_if_old(struct inode *i);
/* The attributes are not what they were. */
void p9_expire(struct inode *i);
/* Find `d` at the host and make it positive and linked; `d` stays negative when there is no such name. */
must_check int p9_instantiate(struct inode *dir, struct dentry *d);
/* `d`, whose directory is locked, has lost its name. */
void p9_forget(struct dentry *d);
int p9_revalidate(struct inode *dir, struct dentry *d);
void p9_free(struct inode *i);
/* There is a limit to what is cached.  Past it all goes that is neither in use nor to be written back. */
void p9_make_room(struct p9_fs *fs);

/* --- dir.c */
extern const struct inode_ops p9_dir_ops;
extern const struct file_ops p9_dir_file_ops;

/* --- xattr.c */
extern const struct xattr_ops p9_xattr_ops;

/* --- file.c */
extern const struct inode_ops p9_file_ops, p9_link_ops;
extern const struct file_ops p9_regular_file_ops;
extern const struct vm_object_ops p9_object_ops;
int p9_open(struct inode *i, struct file *f);
/* The file is about to lose its last name: keep it open if the program may go on to change it. */
void p9_keep_open(struct inode *i);
void p9_release(struct file *f);
int p9_sync_file(struct file *f, bool data_only);
int p9_set_attr(struct inode *i, const struct inode_attr *attr, const struct cred *cred);
/* The contents are not what they were: drop what is cached, unless a mapping has changed it. */
void p9_drop_pages(struct inode *i);
/* Let go of those that nobody uses and no mapping has changed. */
void p9_evict_pages(struct inode *i);
/* Write back what shared mappings have changed.  0 or -errno. */
must_check int p9_write_back(struct inode *i);
void p9_write_back_work(struct work *w);
void p9_free_contents(struct inode *i);
