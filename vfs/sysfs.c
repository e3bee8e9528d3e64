/* /sys: the little of it that C libraries, language runtimes and allocators look at. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/sched.h>
#include <linux/magic.h>
#include <vfs/mount.h>
#include <vfs/simplefs.h>
#include <vfs/sysfs.h>
#include <vfs/text_file.h>

struct dentry *sysfs_class_net;

static struct superblock *sysfs;

static struct dentry *dir(struct dentry *parent, const char *name)
{
    struct dentry *d = simple_dir(parent, name, 0755);
    if (!d)
        panic("no memory for /sys");
    return d;
}

static void file(struct dentry *parent, const char *name, const struct text_source *source)
{
    if (!text_file(parent, name, 0444, source))
        panic("no memory for /sys");
}

static void string(struct dentry *parent, const char *name, struct text_source *source)
{
    source->show = text_show_string;
    file(parent, name, source);
}

/* --- CPUs ------------------------------------------------------------------------------------- */

/* CPUs are numbered without gaps: "0" or "0-3". */
static void print_range(struct text *t, unsigned nr)
{
    text_print(t, nr > 1 ? "0-%u\n" : "0\n", nr - 1);
}

static int show_cpus(struct text *t, struct inode *i)
{
    print_range(t, arch_cpu_count());
    return 0;
}

static void make_cpus(struct dentry *system)
{
    static const struct text_source cpus = {.show = show_cpus};
    static struct text_source kernel_max = {.string = "63\n"};
    struct dentry *cpu = dir(system, "cpu");
    file(cpu, "online", &cpus);
    file(cpu, "possible", &cpus);
    file(cpu, "present", &cpus);
    string(cpu, "kernel_max", &kernel_max);
    for (unsigned n = 0; n < arch_cpu_count(); n++) {
        char name[12];
        name_with_number(name, "cpu", n);
        dir(cpu, name);
    }
}

/* --- the tree --------------------------------------------------------------------------------- */

static void make_huge_pages(struct dentry *mm)
{
    static struct text_source enabled = {.string = "[always] madvise never\n"},
                              defrag = {.string = "[always] defer defer+madvise madvise never\n"},
                              size = {.string = "2097152\n"};
    struct dentry *thp = dir(mm, "transparent_hugepage");
    string(thp, "enabled", &enabled);
    string(thp, "defrag", &defrag);
    string(thp, "hpage_pmd_size", &size);
}

static int make_sysfs(const char *options, struct superblock **sb)
{
    superblock_get(sysfs);
    *sb = sysfs;
    return 0;
}

void sysfs_init(void)
{
    static struct mount_type type = {.name = "sysfs", .make = make_sysfs};
    sysfs = simple_superblock("sysfs", SYSFS_MAGIC, 0555);
    if (!sysfs)
        panic("no memory for /sys");
    struct dentry *root = sysfs->root;
    make_cpus(dir(dir(root, "devices"), "system"));
    make_huge_pages(dir(dir(root, "kernel"), "mm"));
    dir(dir(root, "fs"), "cgroup");
    sysfs_class_net = dir(dir(root, "class"), "net");
    mount_register_type(&type);
}
