/* /proc. */
#pragma once

/* Boot: build the tree and register the mount type "proc".  `boot_line` is copied, for /proc/cmdline. */
void procfs_init(const char *boot_line);
