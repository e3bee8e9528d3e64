/* What the network asks of processes, and /proc/net. */
#include "procfs_private.h"

#include <linux/resource.h>
#include <net/net.h>
#include <net/socket.h>
#include <proc/cred.h>

static void tell_caller(struct net_caller *c)
{
    struct process *p = current_process();
    *c = (struct net_caller){p->pid, process_rlimit(p, RLIMIT_NOFILE), current_cred(), p->fs};
}

void proc_make_net(struct dentry *root)
{
    static const struct {
        const char *name;
        struct text_source source;
    } files[] = {
        {"dev", {.show = net_show_dev}},   {"route", {.show = net_show_route}},
        {"tcp", {.show = net_show_tcp}},   {"tcp6", {.show = net_show_tcp, .string = "6"}},
        {"udp", {.show = net_show_udp}},   {"udp6", {.show = net_show_udp, .string = "6"}},
        {"unix", {.show = net_show_unix}},
    };
    net_set_caller(tell_caller);
    struct dentry *dir = simple_dir(root, "net", 0555);
    bool is_complete = dir != NULL;
    for (unsigned n = 0; is_complete && n < ARRAY_LEN(files); n++)
        is_complete = text_file(dir, files[n].name, 0444, &files[n].source) != NULL;
    if (!is_complete)
        panic("no memory for /proc/net");
}
