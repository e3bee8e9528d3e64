/* /sys. */
#pragma once

struct dentry;

/* /sys/class/net, which the network fills. */
extern struct dentry *sysfs_class_net;
/* Boot: build the tree and register the mount type "sysfs". */
void sysfs_init(void);
