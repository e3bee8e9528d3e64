/* Messages of 9P2000.L, and the host's handles (fids).
 *
 * A message is size[4] type[1] tag[2] and its fields, little endian; strings have a length of two bytes.  The tag
 * tells requests apart that are under way at the same time. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <stdarg.h>

#include "p9.h"

#define HEADER     7u
#define NS_PER_SEC 1000000000ul
#define NO_TAG     0xffff
#define NO_FID     0xffffffffu
#define NO_USER    0xffffffffu
#define SMALL      512u  /* bytes: a name and some numbers */
#define LARGE      8192u /* a link's target, too */
#define IO_REPLY   11u   /* a header and a count: before the bytes of Rread, and all of Rwrite */
#define MSIZE      (P9_DATA_PAGES * PAGE_SIZE + LARGE)

/* --- tags ---------------------------------------------------------------------------------------------- */

static bool take_tag(struct p9_fs *fs, unsigned *tag)
{
    spin_lock(&fs->lock);
    bool has = fs->busy_tags != ~0ul;
    if (has) {
        *tag = (unsigned)__builtin_ctzl(~fs->busy_tags);
        fs->busy_tags |= 1ul << *tag;
    }
    spin_unlock(&fs->lock);
    return has;
}

static unsigned wait_for_tag(struct p9_fs *fs)
{
    unsigned tag = 0;
    (void)!WAIT_EVENT_EXCLUSIVE(&fs->tag_wait, take_tag(fs, &tag), WAIT_UNINTERRUPTIBLE,
                                TIME_NEVER);
    return tag;
}

static void give_tag(struct p9_fs *fs, unsigned tag)
{
    spin_lock(&fs->lock);
    fs->busy_tags &= ~(1ul << tag);
    spin_unlock(&fs->lock);
    waitq_wake(&fs->tag_wait, 1, 0);
}

/* --- messages ------------------------------------------------------------------------------------------ */

/* A message in the making. */
struct draft {
    uint8_t *buf;
    uint32_t len, size;
    bool is_full;
    unsigned nr_paths;
    struct p9_fid *paths[2];
};

static void put(struct draft *d, const void *p, size_t n)
{
    if (n > d->size - d->len) {
        d->is_full = true;
        return;
    }
    memcpy(d->buf + d->len, p, n);
    d->len += (uint32_t)n;
}

/* The path of an inode, kept until the answer is there. */
static uint32_t hold_path(struct draft *d, struct inode *i)
{
    struct p9_fid *fid = p9_path_of(i);
    d->paths[d->nr_paths++] = fid;
    return fid->nr;
}

static void put_fields(struct draft *d, const char *format, va_list *args)
{
    for (; *format; format++) {
        uint64_t value, seconds;
        size_t n = *format == 'w' ? 2 : 4;
        switch (*format) {
        case 'w':
        case 'd':
            value = va_arg(*args, uint32_t);
            break;
        case 'i':
            value = hold_path(d, va_arg(*args, struct inode *));
            break;
        case 'q':
        case 't':
            n = 8;
            value = va_arg(*args, uint64_t);
            if (*format == 'q')
                break;
            /* Seconds, rounded down, and the rest: of all times from 1684 on. */
            seconds = (value + 9 * NS_PER_SEC * NS_PER_SEC) / NS_PER_SEC - 9 * NS_PER_SEC;
            put(d, &seconds, n);
            value -= seconds * NS_PER_SEC;
            break;
        default: {
            size_t len = *format == 'n' ? va_arg(*args, size_t) : 0;
            const char *s = va_arg(*args, const char *);
            value = *format == 'n' ? len : strlen(s);
            put(d, &value, 2);
            put(d, s, value);
            continue;
        }
        }
        put(d, &value, n);
    }
}

int p9_get(struct p9_msg *m, const char *format, ...)
{
    va_list args;
    int ret = 0;
    va_start(args, format);
    for (; *format && ret == 0; format++) {
        static const char letters[] = "bwdqQn";
        static const uint8_t sizes[] = {1, 2, 4, 8, 13, 2};
        unsigned kind = (unsigned)(strchr(letters, *format) - letters), n = sizes[kind];
        if (n > m->len - m->pos) {
            ret = -EIO;
            break;
        }
        const uint8_t *from = m->buf + m->pos;
        m->pos += n;
        if (*format == 'Q') {
            struct p9_qid *q = va_arg(args, struct p9_qid *);
            q->type = from[0];
            memcpy(&q->version, from + 1, 4);
            memcpy(&q->path, from + 5, 8);
        } else if (*format == 'n') {
            const char **s = va_arg(args, const char **);
            uint16_t *len = va_arg(args, uint16_t *);
            memcpy(len, from, 2);
            *s = (const char *)from + 2;
            if (*len > m->len - m->pos)
                ret = -EIO;
            else
                m->pos += *len;
        } else {
            memcpy(va_arg(args, void *), from, n);
        }
    }
    va_end(args);
    return ret;
}

void p9_free_msg(struct p9_msg *m)
{
    heap_free(m->buf);
    m->buf = NULL;
}

/* Take the header of an answer off: 0, -EIO, or the error that it tells. */
static int check_answer(struct p9_msg *m, enum p9_type type, unsigned tag)
{
    uint32_t size, error;
    uint8_t got;
    uint16_t got_tag;
    int ret = p9_get(m, "dbw", &size, &got, &got_tag);
    if (ret < 0 || got_tag != (uint16_t)tag)
        return -EIO;
    if (got == P9_RLERROR) {
        ret = p9_get(m, "d", &error);
        return ret < 0 || error == 0 || error > 4095 ? -EIO : -(int)error;
    }
    return got == type + 1 ? 0 : -EIO;
}

static void start_draft(struct draft *d, uint8_t *buf, uint32_t size, enum p9_type type,
                        unsigned tag)
{
    *d = (struct draft){.buf = buf, .size = size, .len = HEADER};
    buf[4] = (uint8_t)type;
    memcpy(buf + 5, &(uint16_t){(uint16_t)tag}, 2);
}

int p9_rpc(struct p9_fs *fs, struct p9_msg *m, enum p9_type type, const char *format, ...)
{
    bool is_large = type == P9_TSYMLINK || type == P9_TREADLINK || type == P9_TREADDIR ||
                    type == P9_TRENAMEAT; /* two names */
    uint32_t size = is_large ? LARGE : SMALL;
    struct p9_msg answer = {.buf = heap_alloc(2 * size)};
    struct draft d;
    if (!answer.buf)
        return -ENOMEM;
    /* The answer is in the first half, the request in the second. */
    unsigned tag = wait_for_tag(fs), sent_tag = type == P9_TVERSION ? NO_TAG : tag;
    start_draft(&d, answer.buf + size, size, type, sent_tag);
    va_list args;
    va_start(args, format);
    put_fields(&d, format, &args);
    va_end(args);
    memcpy(d.buf, &d.len, 4);
    struct p9_buf bufs[] = {{d.buf, d.len}, {answer.buf, size}};
    ssize_t got = d.is_full ? -ENAMETOOLONG : fs->transport->exchange(fs->transport, bufs, 1, 1);
    give_tag(fs, tag);
    while (d.nr_paths > 0)
        p9_fid_put(d.paths[--d.nr_paths]);
    answer.len = (uint32_t)MAX(got, 0);
    int ret = got < 0 ? (int)got : check_answer(&answer, type, sent_tag);
    if (ret == 0 && m)
        *m = answer;
    else
        p9_free_msg(&answer);
    return ret;
}

/* Tread or Twrite; `bufs` has room for two more at its front. */
static ssize_t move(struct p9_fid *fid, enum p9_type type, uint64_t offset, struct p9_buf *bufs,
                    unsigned nr, uint32_t size)
{
    struct p9_fs *fs = fid->fs;
    uint8_t *buf = heap_alloc(64);
    struct draft d;
    if (!buf)
        return -ENOMEM;
    unsigned tag = wait_for_tag(fs);
    start_draft(&d, buf + 32, 32, type, tag);
    put(&d, &fid->nr, 4);
    put(&d, &offset, 8);
    put(&d, &size, 4);
    uint32_t total = d.len + (type == P9_TWRITE ? size : 0), count = 0;
    memcpy(d.buf, &total, 4);
    bufs[0] = (struct p9_buf){d.buf, d.len};
    struct p9_msg answer = {.buf = buf};
    unsigned nr_out = 1, nr_in = 1 + nr;
    bufs[1] = (struct p9_buf){buf, IO_REPLY};
    if (type == P9_TWRITE) { /* request, bytes, answer */
        bufs[1] = bufs[2];
        bufs[2] = (struct p9_buf){buf, IO_REPLY};
        nr_out = 2;
        nr_in = 1;
    }
    ssize_t got = fs->transport->exchange(fs->transport, bufs, nr_out, nr_in);
    give_tag(fs, tag);
    answer.len = MIN((uint32_t)MAX(got, 0), IO_REPLY);
    int ret = got < 0 ? (int)got : check_answer(&answer, type, tag);
    if (ret == 0)
        ret = p9_get(&answer, "d", &count);
    heap_free(buf);
    if (ret == 0 && count > size)
        ret = -EIO;
    return ret < 0 ? ret : (ssize_t)count;
}

ssize_t p9_read(struct p9_fid *fid, uint64_t offset, const struct p9_buf *bufs, unsigned nr,
                uint32_t size)
{
    struct p9_buf all[2 + P9_DATA_PAGES];
    memcpy(all + 2, bufs, nr * sizeof(*bufs));
    return move(fid, P9_TREAD, offset, all, nr, size);
}

ssize_t p9_write(struct p9_fid *fid, uint64_t offset, const void *data, uint32_t size)
{
    struct p9_buf all[3];
    all[2] = (struct p9_buf){(void *)(uintptr_t)data, size};
    return move(fid, P9_TWRITE, offset, all, 1, size);
}

/* --- fids ---------------------------------------------------------------------------------------------- */

static struct p9_fid *new_fid(struct p9_fs *fs)
{
    struct p9_fid *fid = heap_zalloc(sizeof(*fid));
    if (!fid)
        return NULL;
    ref_init(&fid->ref);
    fid->fs = fs;
    spin_lock(&fs->lock);
    fid->nr = fs->nr_free_fids > 0 ? fs->free_fids[--fs->nr_free_fids] : fs->next_fid++;
    spin_unlock(&fs->lock);
    return fid;
}

/* Its number may be used again.  Where there is no memory to remember that, it is not: there are four billion. */
static void free_fid(struct p9_fid *fid)
{
    struct p9_fs *fs = fid->fs;
    spin_lock(&fs->lock);
    if (fs->nr_free_fids == fs->max_free_fids) {
        uint32_t max = fs->max_free_fids ? 2 * fs->max_free_fids : 64;
        uint32_t *more = heap_realloc(fs->free_fids, max * sizeof(*more));
        if (more) {
            fs->free_fids = more;
            fs->max_free_fids = max;
        }
    }
    if (fs->nr_free_fids < fs->max_free_fids)
        fs->free_fids[fs->nr_free_fids++] = fid->nr;
    spin_unlock(&fs->lock);
    heap_free(fid);
}

void p9_fid_get(struct p9_fid *fid)
{
    ref_get(&fid->ref);
}

int p9_fid_end(struct p9_fid *fid)
{
    int ret = p9_rpc(fid->fs, NULL, P9_TCLUNK, "d", fid->nr);
    if (ret == 0)
        free_fid(fid);
    else
        heap_free(fid); /* the host may still know the number */
    return ret;
}

void p9_fid_put(struct p9_fid *fid)
{
    if (fid && ref_put(&fid->ref))
        (void)!p9_fid_end(fid);
}

int p9_walk(struct inode *from, const char *name, size_t len, struct p9_fid **out)
{
    struct p9_fs *fs = p9_fs(from);
    struct p9_fid *fid = new_fid(fs);
    if (!fid)
        return -ENOMEM;
    int ret =
        p9_rpc(fs, NULL, P9_TWALK, name ? "idwn" : "idw", from, fid->nr, name ? 1 : 0, len, name);
    if (ret < 0)
        free_fid(fid);
    else
        *out = fid;
    return ret;
}

int p9_walk_xattr(struct inode *i, const char *name, struct p9_fid **out, uint64_t *len)
{
    struct p9_node *n = p9_node(i);
    struct p9_fs *fs = p9_fs(i);
    struct p9_msg m;
    if (atomic_load(&n->is_nameless))
        return -ESTALE;
    struct p9_fid *fid = new_fid(fs);
    int ret = fid ? p9_rpc(fs, &m, P9_TXATTRWALK, "ids", i, fid->nr, name) : -ENOMEM;
    if (ret == 0) {
        ret = p9_get(&m, "q", len);
        p9_free_msg(&m);
        if (ret < 0)
            p9_fid_put(fid);
    } else if (fid) {
        free_fid(fid);
    }
    *out = fid;
    return ret;
}

int p9_attach(struct p9_fs *fs)
{
    static const char version[] = "9P2000.L";
    struct p9_msg m;
    uint32_t msize = 0;
    const char *got;
    uint16_t len;
    int ret = p9_rpc(fs, &m, P9_TVERSION, "ds", (uint32_t)MSIZE, version);
    if (ret < 0)
        return ret;
    ret = p9_get(&m, "dn", &msize, &got, &len);
    if (ret == 0 && (msize < MSIZE || len != sizeof(version) - 1 || memcmp(got, version, len) != 0))
        ret = -EPROTONOSUPPORT;
    p9_free_msg(&m);
    if (ret < 0)
        return ret;
    struct p9_fid *fid = new_fid(fs);
    if (!fid)
        return -ENOMEM;
    ret = p9_rpc(fs, NULL, P9_TATTACH, "ddssd", fid->nr, NO_FID, "root", "", NO_USER);
    if (ret < 0)
        free_fid(fid);
    else
        fs->root_fid = fid;
    return ret;
}
