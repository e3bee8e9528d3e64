/* What the network asks of processes, and /proc/net. */
#include "procfs_private.h"

#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <net/net.h>
#include <net/socket.h>
#include <proc/cred.h>
#include <proc/signal.h>

static void tell_caller(struct net_caller *c)
{
    struct process *p = current_process();
    *c = (struct net_caller){p->pid, process_rlimit(p, RLIMIT_NOFILE), current_cred(), p->fs};
}

static void send_urgent(int type, int owner)
{
    struct process *p = type == F_OWNER_PID ? process_find(owner) : NULL;
    struct task *t = type == F_OWNER_TID ? task_find(owner) : NULL;
    if (type == F_OWNER_PGRP)
        (void)!signal_send_group(owner, SIGURG, NULL);
    if (p) {
        (void)!signal_send_process(p, SIGURG, NULL);
        process_put(p);
    }
    if (t) {
        (void)!signal_send_task(t, SIGURG, NULL);
        task_put(t);
    }
}

void proc_make_net(struct dentry *root)
{
    static const struct {
        const char *name;
        struct text_source source;
    } files[] = {
        {"arp", {.show = net_show_arp}},
        {"dev", {.show = net_show_dev}},
        {"if_inet6", {.show = net_show_if_inet6}},
        {"raw", {.show = net_show_raw}},
        {"raw6", {.show = net_show_raw, .string = "6"}},
        {"route", {.show = net_show_route}},
        {"tcp", {.show = net_show_tcp}},
        {"tcp6", {.show = net_show_tcp, .string = "6"}},
        {"udp", {.show = net_show_udp}},
        {"udp6", {.show = net_show_udp, .string = "6"}},
        {"unix", {.show = net_show_unix}},
    };
    net_set_caller(tell_caller, send_urgent);
    struct dentry *dir = simple_dir(root, "net", 0555);
    bool is_complete = dir != NULL;
    for (unsigned n = 0; is_complete && n < ARRAY_LEN(files); n++)
        is_complete = text_file(dir, files[n].name, 0444, &files[n].source) != NULL;
    if (!is_complete)
        panic("no memory for /proc");
}
