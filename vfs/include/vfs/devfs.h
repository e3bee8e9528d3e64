/* /dev: a pseudo file system whose nodes come from the registered character devices. */
#pragma once

#include <vfs/inode.h>

/* Boot: register the devices that need no hardware (null, zero, full, random, urandom, kmsg) and the mount type. */
void devfs_init(void);
/* The one devfs, referenced; NULL: no memory. */
struct superblock *devfs_superblock(void) must_check;

void memdev_init(void); /* devfs_init's */

/* By number; NULL when there is no such device. */
struct chardev *chardev_find(uint64_t rdev);
/* The first of all, linked by ->next: for /proc/devices. */
const struct chardev *chardev_first(void);

/* Device numbers as Linux's 64-bit dev_t (what stat shows). */
static inline uint64_t dev_make(unsigned major, unsigned minor)
{
    return (minor & 0xff) | (uint64_t)(major & 0xfff) << 8 | (uint64_t)(minor & ~0xffu) << 12 |
           (uint64_t)(major & ~0xfffu) << 32;
}
static inline unsigned dev_major(uint64_t dev)
{
    return (dev >> 8 & 0xfff) | (unsigned)(dev >> 32 & ~0xfffu);
}
static inline unsigned dev_minor(uint64_t dev)
{
    return (dev & 0xff) | (unsigned)(dev >> 12 & ~0xffu);
}
