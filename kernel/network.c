/* The network's start, and the files in /etc that tell programs of it.
 *
 * A root file system that brings its own resolv.conf or hosts keeps them. */
#include <base/errno.h>
#include <base/string.h>
#include <image/boot.h>
#include <image/root.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <net/ifinfo.h>
#include <net/netdev.h>
#include <netdrivers/drivers.h>
#include <vfs/file.h>
#include <vfs/path.h>
#include <vfs/tmpfs.h>

static struct walk root_walk; /* set once at boot */
static bool owns_resolv;

static int write_file(const char *name, const char *text)
{
    struct file *f;
    struct iobuf b;
    int ret = path_open(&root_walk, name, O_WRONLY | O_CREAT | O_TRUNC, 0644, &f);
    if (ret < 0)
        return ret;
    char copy[256];
    strlcpy(copy, text, sizeof(copy));
    iobuf_kernel(&b, copy, strlen(copy));
    ssize_t put = file_write(f, &b, NULL);
    file_put(f);
    return put < 0 ? (int)put : 0;
}

/* Make a file with a constant text, unless there is one: as the archive's files are made, whose code has just run. */
static int provide_file(const char *name, const char *text)
{
    struct path made;
    int ret = path_make_node(&root_walk, name, S_IFREG | 0644, 0, &made);
    if (ret < 0)
        return ret;
    if (!tmpfs_set_backing(made.dentry->inode, text, strlen(text)))
        ret = write_file(name, text); /* a shared folder is mounted there */
    path_put(&made);
    return ret;
}

/* Our own name is known by the address that the command line gave us, and otherwise, as one from DHCP comes later, by one
 * that is always ours. */
static void provide_hosts(const struct cmdline *line)
{
    static char text[256];
    struct ifinfo i;
    bool has_ip = line->ip && ifinfo_next(2, &i) && i.ip4;
    const uint8_t *ip = has_ip ? (const uint8_t *)&i.ip4 : (const uint8_t[]){127, 0, 1, 1};
    snprintf(text, sizeof(text), "127.0.0.1\tlocalhost\n::1\tlocalhost\n%u.%u.%u.%u\t%s\n", ip[0],
             ip[1], ip[2], ip[3], line->hostname);
    (void)!provide_file("/etc/hosts", text);
}

static void servers_changed(const char *text)
{
    if (owns_resolv && write_file("/etc/resolv.conf", text) < 0)
        log_warn("/etc/resolv.conf could not be written");
}

void boot_network(const struct cmdline *line)
{
    root_walk.fs = fs_context_new(root_path(), root_path());
    root_walk.cred = root_cred();
    if (!root_walk.fs)
        panic("no memory for the network");
    owns_resolv = provide_file("/etc/resolv.conf", "") == 0;
    netdev_configure(line->ip);
    ifinfo_publish(1);
    netdrivers_init();
    provide_hosts(line);
    netdev_on_resolv(servers_changed);
}
