/* Character devices by number, and /dev, whose nodes are made from them.
 *
 * Devices are registered at boot by their drivers, before or after devfs is built, and stay for
 * good. */
#include <base/errno.h>
#include <linux/stat.h>
#include <vfs/devfs.h>
#include <vfs/mount.h>
#include <vfs/simplefs.h>

#define DEVFS_MAGIC 0x01021994 /* devtmpfs is a tmpfs to statfs(2) */

static struct spinlock lock = SPINLOCK_INIT(RANK_DRIVER); /* guards: */
static struct chardev *devices;
static struct superblock *devfs; /* set once at boot */

static void make_node(const struct chardev *dev)
{
    if (!simple_node(devfs->root, dev->name, S_IFCHR | dev->mode, dev_make(dev->major, dev->minor)))
        log_error("devfs: no memory for /dev/%s", dev->name);
}

void chardev_register(struct chardev *dev)
{
    spin_lock(&lock);
    dev->next = devices;
    devices = dev;
    spin_unlock(&lock);
    if (devfs)
        make_node(dev);
}

struct chardev *chardev_find(uint64_t rdev)
{
    spin_lock(&lock);
    struct chardev *dev = devices;
    while (dev && dev_make(dev->major, dev->minor) != rdev)
        dev = dev->next;
    spin_unlock(&lock);
    return dev;
}

const struct chardev *chardev_first(void)
{
    spin_lock(&lock);
    const struct chardev *dev = devices;
    spin_unlock(&lock);
    return dev;
}

int chardev_open(struct inode *i, struct file *f)
{
    struct chardev *dev = chardev_find(i->rdev);
    if (!dev)
        return -ENXIO;
    f->ops = dev->ops;
    f->data = dev->arg;
    return dev->open ? dev->open(f, dev->arg) : 0;
}

static int make_devfs(const char *options, struct superblock **sb)
{
    *sb = devfs_superblock();
    return *sb ? 0 : -ENOMEM;
}

struct superblock *devfs_superblock(void)
{
    superblock_get(devfs);
    return devfs;
}

static struct mount_type devfs_type = {.name = "devtmpfs", .make = make_devfs};

void devfs_init(void)
{
    static const struct {
        const char *name, *target;
    } links[] = {
        {"fd", "/proc/self/fd"},
        {"stdin", "/proc/self/fd/0"},
        {"stdout", "/proc/self/fd/1"},
        {"stderr", "/proc/self/fd/2"},
    };

    devfs = simple_superblock("devtmpfs", DEVFS_MAGIC, 0755);
    if (!devfs)
        panic("devfs: no memory");
    devfs->is_permanent = true;
    bool is_complete =
        simple_dir(devfs->root, "shm", 01777) && simple_dir(devfs->root, "pts", 0755);
    for (unsigned i = 0; i < ARRAY_LEN(links); i++)
        is_complete &= simple_symlink(devfs->root, links[i].name, links[i].target) != NULL;
    if (!is_complete)
        panic("devfs: no memory");
    for (const struct chardev *dev = chardev_first(); dev; dev = dev->next)
        make_node(dev);
    memdev_init();
    mount_register_type(&devfs_type);
}
