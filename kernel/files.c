/* The root file system: a tmpfs filled from the boot module, which is an archive or the program itself. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <image/boot.h>
#include <image/root.h>
#include <net/net.h>
#include <proc/procfs.h>
#include <vfs/archive.h>
#include <vfs/devfs.h>
#include <vfs/epoll.h>
#include <vfs/file.h>
#include <vfs/sysfs.h>
#include <vfs/timerfd.h>
#include <vfs/tmpfs.h>
#include <vfs/tty.h>

static struct path root;

const struct path *root_path(void)
{
    return &root;
}

/* The module is the program: it appears under its path without being copied. */
static void place_program(const char *name, const void *data, size_t size)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    struct path dir;

    if (root_make_dirs(name, &dir) < 0)
        control_end(125, "the folder of %s cannot be made", name);
    int ret = tmpfs_new_backed_file(dir.dentry, base, 0755, data, size);
    path_put(&dir);
    if (ret < 0)
        control_end(125, "%s cannot be put into the root file system (error %d)", name, -ret);
}

void boot_files(const struct bootinfo *info, const struct cmdline *line)
{
    file_init();
    devfs_init();
    tty_init();
    epoll_init();
    timerfd_init();
    net_init();
    procfs_init(info->cmdline);
    sysfs_init();
    if (rootfs_init(&root) < 0)
        panic("no memory for the root file system");
    if (info->nr_modules == 0)
        control_end(127, "no program: the machine was started without an initrd");

    const struct boot_module *module = &info->modules[0];
    const void *data = direct_ptr(module->start);
    arch_direct_map(module->start, module->size);
    if (archive_is_one(data, module->size)) {
        if (archive_unpack(&root, data, module->size) < 0)
            control_end(125, "the archive given as initrd is corrupt");
    } else {
        place_program(line->init, data, module->size);
    }
    rootfs_finish(&root);
}
