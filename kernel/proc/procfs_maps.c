/* /proc/PID/maps, smaps, mounts, mountinfo. */
#include "procfs_private.h"

#include <base/string.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <vfs/devfs.h>
#include <vfs/mount.h>

#define NAME_COLUMN 73 /* where Linux starts the name */

/* A name with the characters that would break a line or column written as \ooo. */
static void put_escaped(struct text *t, const char *name, const char *special)
{
    for (; *name; name++) {
        if (strchr(special, *name))
            text_print(t, "\\%03o", (unsigned char)*name);
        else
            text_put(t, name, 1);
    }
}

/* --- areas ------------------------------------------------------------------------------------ */

static void show_area(void *arg, const struct vm_area_info *a)
{
    struct text *t = arg;
    char name[256] = "";
    uint64_t dev = 0, ino = 0;
    size_t start = t->len;
    bool is_file = a->object && a->object->ops->identity;
    if (is_file)
        a->object->ops->identity(a->object, &dev, &ino);
    if (a->object && a->object->ops->name)
        a->object->ops->name(a->object, name, sizeof(name));
    else if (a->name)
        strlcpy(name, a->name, sizeof(name));
    text_print(t, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", a->start, a->end,
               a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
               a->prot & PROT_EXEC ? 'x' : '-', a->flags & MAP_SHARED ? 's' : 'p',
               is_file ? a->offset : 0, dev_major(dev), dev_minor(dev), ino);
    if (name[0]) {
        while (t->len - start < NAME_COLUMN && !t->is_out_of_memory)
            text_put(t, " ", 1);
        put_escaped(t, name, "\n");
    }
    text_put(t, "\n", 1);
}

/* The fields that tools add up; what is not kept apart here counts as private and dirty. */
static void show_area_sizes(void *arg, const struct vm_area_info *a)
{
    struct text *t = arg;
    unsigned long size = (a->end - a->start) / 1024;
    unsigned long rss = vm_visit_rss_pages(a) * (PAGE_SIZE / 1024);
    show_area(arg, a);
    text_print(
        t, "Size:           %8lu kB\nKernelPageSize:        4 kB\nMMUPageSize:           4 kB\n",
        size);
    text_print(t, "Rss:            %8lu kB\nPss:            %8lu kB\n", rss, rss);
    text_print(
        t,
        "Shared_Clean:          0 kB\nShared_Dirty:          0 kB\nPrivate_Clean:         0 kB\n");
    text_print(t, "Private_Dirty:  %8lu kB\nReferenced:     %8lu kB\nAnonymous:      %8lu kB\n",
               rss, rss, a->object ? 0 : rss);
    text_print(
        t,
        "Swap:                  0 kB\nSwapPss:               0 kB\nLocked:                0 kB\n");
    text_print(t, "VmFlags:%s%s%s%s \n", a->prot & PROT_READ ? " rd" : "",
               a->prot & PROT_WRITE ? " wr" : "", a->prot & PROT_EXEC ? " ex" : "",
               a->flags & MAP_SHARED ? " sh" : "");
}

static int visit_areas(struct text *t, struct inode *i, vm_visit_fn *show)
{
    struct process *p = proc_node(i)->process;
    struct vm *vm = proc_get_vm(p);
    if (!vm)
        return 0;
    vm_visit(vm, show, t);
    proc_put_vm(p, vm);
    return 0;
}

int proc_show_maps(struct text *t, struct inode *i)
{
    return visit_areas(t, i, show_area);
}

int proc_show_smaps(struct text *t, struct inode *i)
{
    return visit_areas(t, i, show_area_sizes);
}

/* --- mounts ----------------------------------------------------------------------------------- */

static void put_flags(struct text *t, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {{MS_NOSUID, ",nosuid"},
                 {MS_NODEV, ",nodev"},
                 {MS_NOEXEC, ",noexec"},
                 {MS_NOATIME, ",noatime"}};
    text_print(t, flags & MS_RDONLY ? "ro" : "rw");
    for (unsigned n = 0; n < ARRAY_LEN(names); n++)
        if (flags & names[n].flag)
            text_print(t, "%s", names[n].name);
    if (!(flags & MS_NOATIME))
        text_print(t, ",relatime");
}

static void show_mount(void *arg, const struct mount_info *m)
{
    struct text *t = arg;
    put_escaped(t, m->source, " \t\n\\");
    text_put(t, " ", 1);
    put_escaped(t, m->where, " \t\n\\");
    text_print(t, " %s ", m->type);
    put_flags(t, m->flags);
    text_print(t, " 0 0\n");
}

static void show_mount_info(void *arg, const struct mount_info *m)
{
    struct text *t = arg;
    text_print(t, "%d %d %u:%u ", m->id, m->parent_id, dev_major(m->dev), dev_minor(m->dev));
    put_escaped(t, m->inside, " \t\n\\");
    text_put(t, " ", 1);
    put_escaped(t, m->where, " \t\n\\");
    text_put(t, " ", 1);
    put_flags(t, m->flags);
    text_print(t, " - %s ", m->type);
    put_escaped(t, m->source, " \t\n\\");
    text_print(t, m->flags & MS_RDONLY ? " ro\n" : " rw\n");
}

static int visit_mounts(struct text *t, struct inode *i, mount_visit_fn *show)
{
    struct process *p = proc_node(i)->process;
    struct fs_context *fs = proc_get_fs(p);
    if (!fs)
        return -EINVAL;
    struct path root;
    fs_context_root(fs, &root);
    int ret = mount_visit(&root, show, t);
    path_put(&root);
    proc_put_fs(p, fs);
    return ret;
}

int proc_show_mounts(struct text *t, struct inode *i)
{
    return visit_mounts(t, i, show_mount);
}

int proc_show_mountinfo(struct text *t, struct inode *i)
{
    return visit_mounts(t, i, show_mount_info);
}
