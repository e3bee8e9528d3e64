/* Writing a cpio archive (newc) whose files' bytes each start at a multiple of 4096, so that the
 * kernel can map them where they are instead of copying them. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#define NEWC_PAGE 4096

struct newc_entry {
    const char *path; /* without a leading slash */
    uint32_t ino, mode, uid, gid, nlink, mtime;
    uint32_t size; /* of the data that follows */
    uint32_t rdev_major, rdev_minor;
};

struct newc {
    FILE *file;
    uint64_t offset;
    uint32_t data_left; /* of the entry that was begun */
};

/* Errors of the file are sticky: ask ferror() after newc_end(). */
void newc_begin(struct newc *out, FILE *file);
void newc_entry(struct newc *out, const struct newc_entry *entry);
void newc_data(struct newc *out, const void *bytes, size_t size);
void newc_end(struct newc *out);
