/* The network's start, and the files in /etc that tell programs of it.
 *
 * A root file system that brings its own resolv.conf or hosts keeps them. */
#include <base/errno.h>
#include <base/string.h>
#include <image/boot.h>
#include <image/root.h>
#include <linux/fcntl.h>
#include <net/netdev.h>
#include <netdrivers/drivers.h>
#include <vfs/file.h>
#include <vfs/path.h>

static struct walk root_walk; /* set once at boot */
static bool owns_resolv;

/* Write a file of /etc; O_EXCL in flags: unless it is there already. */
static int write_file(const char *name, int flags, const char *text)
{
    struct file *f;
    struct iobuf b;
    int ret = path_open(&root_walk, name, O_WRONLY | O_CREAT | O_TRUNC | flags, 0644, &f);
    if (ret < 0)
        return ret;
    char copy[256];
    strlcpy(copy, text, sizeof(copy));
    iobuf_kernel(&b, copy, strlen(copy));
    ssize_t put = file_write(f, &b, NULL);
    file_put(f);
    return put < 0 ? (int)put : 0;
}

static void servers_changed(const char *text)
{
    if (owns_resolv && write_file("/etc/resolv.conf", 0, text) < 0)
        log_warn("/etc/resolv.conf could not be written");
}

void boot_network(const struct cmdline *line)
{
    struct path etc;
    if (root_make_dirs("/etc/hosts", &etc) < 0)
        return;
    path_put(&etc);
    root_walk.fs = fs_context_new(root_path(), root_path());
    root_walk.cred = root_cred();
    if (!root_walk.fs)
        panic("no memory for the network");
    (void)!write_file("/etc/hosts", O_EXCL, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
    owns_resolv = write_file("/etc/resolv.conf", O_EXCL, "") == 0;
    netdev_on_resolv(servers_changed);
    netdev_configure(line->ip);
    netdrivers_init();
}
