/* /sys. */
#pragma once

/* Boot: build the tree and register the mount type "sysfs". */
void sysfs_init(void);
