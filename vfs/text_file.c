/* Files whose text is made when they are read.
 *
 * A read from the beginning makes the text anew, and reads further on get their piece of that same
 * text, so a program that reads in small steps sees one consistent state, and one that rewinds sees
 * the present. */
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <stdarg.h>
#include <vfs/simplefs.h>
#include <vfs/text_file.h>

#define FIRST_ROOM 512
#define STORE_MAX  4095

struct open_text {
    text_show_fn *show;
    text_store_fn *store;
    struct mutex lock; /* RANK_PSEUDO_FILE - guards: */
    struct text text;
};

static bool make_room(struct text *t, size_t n)
{
    if (t->len + n <= t->room)
        return true;
    size_t room = MAX(t->room, (size_t)FIRST_ROOM);
    while (room < t->len + n)
        room *= 2;
    char *buf = heap_realloc(t->buf, room);
    if (!buf) {
        t->is_out_of_memory = true;
        return false;
    }
    t->buf = buf;
    t->room = room;
    return true;
}

void text_put(struct text *t, const void *bytes, size_t n)
{
    if (!make_room(t, n))
        return;
    memcpy(t->buf + t->len, bytes, n);
    t->len += n;
}

void text_print(struct text *t, const char *format, ...)
{
    va_list args;
    for (size_t guess = 80;;) {
        if (!make_room(t, guess))
            return;
        va_start(args, format);
        size_t n = vsnprintf(t->buf + t->len, t->room - t->len, format, args);
        va_end(args);
        if (n < t->room - t->len) {
            t->len += n;
            return;
        }
        guess = n + 1;
    }
}

static ssize_t read_locked(struct open_text *o, struct inode *inode, struct iobuf *to, int64_t *pos)
{
    if (*pos == 0 || !o->text.buf) {
        o->text.len = 0;
        o->text.is_out_of_memory = false;
        int ret = o->show(&o->text, inode);
        if (ret < 0)
            return ret;
        if (o->text.is_out_of_memory)
            return -ENOMEM;
    }
    if (*pos >= (int64_t)o->text.len)
        return 0;
    ssize_t n = iobuf_put(to, o->text.buf + *pos, MIN(to->left, o->text.len - *pos));
    if (n > 0)
        *pos += n;
    return n;
}

static ssize_t text_read(struct file *f, struct iobuf *to, int64_t *pos)
{
    struct open_text *o = f->data;
    mutex_lock(&o->lock);
    ssize_t ret = read_locked(o, f->inode, to, pos);
    mutex_unlock(&o->lock);
    return ret;
}

static ssize_t text_write(struct file *f, struct iobuf *from, int64_t *pos)
{
    struct open_text *o = f->data;
    if (!o->store)
        return -EIO; /* as /proc on Linux */
    size_t n = from->left;
    if (n > STORE_MAX)
        return -EINVAL;
    char *buf = heap_alloc(n + 1);
    if (!buf)
        return -ENOMEM;
    ssize_t ret = iobuf_get(from, buf, n);
    if (ret >= 0) {
        buf[ret] = '\0';
        int error = o->store(f->inode, buf, ret);
        ret = error < 0 ? error : ret;
    }
    heap_free(buf);
    if (ret > 0)
        *pos += ret;
    return ret;
}

static void text_release(struct file *f)
{
    struct open_text *o = f->data;
    heap_free(o->text.buf);
    heap_free(o);
}

static const struct file_ops text_ops = {
    .read = text_read,
    .write = text_write,
    .seek = file_seek_endless,
    .release = text_release,
    .has_pos = true,
};

int text_open(struct file *f, text_show_fn *show, text_store_fn *store)
{
    struct open_text *o = heap_zalloc(sizeof(*o));
    if (!o)
        return -ENOMEM;
    o->show = show;
    o->store = store;
    mutex_init(&o->lock, RANK_PSEUDO_FILE);
    f->ops = &text_ops;
    f->data = o;
    return 0;
}

static int source_open(struct inode *i, struct file *f)
{
    const struct text_source *s = i->data;
    return text_open(f, s->show, s->store);
}

/* Truncating before writing is what shells do; there is nothing to truncate. */
static int source_set_attr(struct inode *i, const struct inode_attr *attr, const struct cred *cred)
{
    struct inode_attr rest = *attr;
    rest.mask &= ~(unsigned)ATTR_SIZE;
    return inode_apply_attr(i, &rest, cred);
}

const struct inode_ops text_inode_ops = {.open = source_open, .set_attr = source_set_attr};

int text_show_string(struct text *t, struct inode *i)
{
    const struct text_source *s = i->data;
    text_put(t, s->string, strlen(s->string));
    return 0;
}

struct dentry *text_file(struct dentry *dir, const char *name, unsigned mode,
                         const struct text_source *source)
{
    return simple_special(dir, name, S_IFREG | mode, &text_inode_ops, NULL, (void *)source);
}
