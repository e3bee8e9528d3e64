/* The root file system: a tmpfs, the directories every Unix program expects, and the pseudo file
 * systems. */
#include <base/errno.h>
#include <base/log.h>
#include <base/string.h>
#include <linux/mount.h>
#include <vfs/mount.h>
#include <vfs/tmpfs.h>

static const struct cred boot_cred = {.cap_effective = ~0ul};

int rootfs_init(struct path *root)
{
    tmpfs_init();
    struct superblock *sb = tmpfs_new_superblock(0, 0755);
    if (!sb)
        return -ENOMEM;
    int ret = mount_init_root(sb, root);
    if (ret < 0)
        superblock_put(sb);
    return ret;
}

static bool is_registered(const char *type)
{
    const struct mount_type *t = mount_types();
    while (t && strcmp(t->name, type) != 0)
        t = t->next;
    return t;
}

static void make_directories(const struct walk *w)
{
    static const struct {
        const char *name;
        unsigned mode;
    } standard[] = {
        {"/dev", 0755}, {"/proc", 0555}, {"/sys", 0555},      {"/run", 0755},  {"/tmp", 01777},
        {"/etc", 0755}, {"/var", 0755},  {"/var/tmp", 01777}, {"/root", 0700},
    };
    for (unsigned n = 0; n < ARRAY_LEN(standard); n++) {
        int ret = path_mkdir(w, standard[n].name, standard[n].mode);
        if (ret < 0 && ret != -EEXIST)
            log_warn("rootfs: cannot make %s: error %d", standard[n].name, -ret);
    }
}

static void mount_pseudo(const struct walk *w)
{
    static const struct {
        const char *source, *type, *where;
        unsigned long flags;
        const char *options;
    } pseudo[] = {
        {"devtmpfs", "devtmpfs", "/dev", MS_NOSUID, ""},
        {"proc", "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
        {"sysfs", "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, ""},
        {"shm", "tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, ""},
    };
    for (unsigned n = 0; n < ARRAY_LEN(pseudo); n++) {
        if (!is_registered(pseudo[n].type))
            continue;
        int ret = path_mount(w, pseudo[n].source, pseudo[n].where, pseudo[n].type, pseudo[n].flags,
                             pseudo[n].options);
        if (ret < 0)
            log_warn("rootfs: cannot mount %s on %s: error %d", pseudo[n].type, pseudo[n].where,
                     -ret);
    }
}

void rootfs_finish(const struct path *root)
{
    struct fs_context *fs = fs_context_new(root, root);
    if (!fs) {
        log_warn("rootfs: no memory");
        return;
    }
    fs->umask = 0;
    struct walk w = {.fs = fs, .cred = &boot_cred};
    make_directories(&w);
    mount_pseudo(&w);
    fs_context_put(fs);
}
