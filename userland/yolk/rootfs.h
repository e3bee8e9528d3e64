/* A root file system as one cpio archive in a temporary file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rootfs; /* what a directory or an archive holds */

/* Lists `source`; ends the command with STATUS_FAILED when it cannot be read. */
struct rootfs *rootfs_open(const char *source);
/* The path (absolute, symbolic links followed) of what a program name means in it; a name without a
 * slash is looked for along search_path.  NULL when nothing is there. */
char *rootfs_find(struct rootfs *root, const char *program, const char *search_path);
/* Writes it all, and the host's file `extra` as /NAME unless it is NULL.  Returns the descriptor of
 * the temporary file, whose path goes to *path. */
int rootfs_write(struct rootfs *root, const char *extra, const char *extra_name, char **path);
/* After rootfs_write: where the bytes of the file at `path` are; 0 when it is no regular file. */
uint64_t rootfs_file_bytes(struct rootfs *root, const char *path, uint64_t *size);
