/* cpio archives (newc) as the contents of a tmpfs, and the parser by itself. */
#pragma once

#include <base/types.h>

struct path;

/* One entry as found; strings and data point into the archive. */
struct archive_entry {
    const char
        *name; /* without leading "/" or "./"; "" is the root; NUL-terminated inside the archive */
    size_t name_len;
    const void *data;
    size_t size;
    uint32_t ino, mode, uid, gid, nlink, mtime, major, minor, rdev_major, rdev_minor;
};

/* Where a parse stands. */
struct archive {
    const uint8_t *data;
    size_t size, offset; /* offset of the next header */
    const char *error;   /* why archive_next answered -EINVAL */
    size_t error_offset;
};

/* Does it start like something archive_unpack should be given?  (newc, or a compressed archive, for
 * its error) */
bool archive_is_one(const void *data, size_t size);
void archive_open(struct archive *a, const void *data, size_t size);
/* The next entry: 1; 0 at the end (of the last of several archives behind each other, as Linux
 * allows); -EINVAL with ->error and ->error_offset. */
must_check int archive_next(struct archive *a, struct archive_entry *e);

/* Make everything in the tmpfs at `root`.  0, -EINVAL (said on the log), -ENOMEM. */
must_check int archive_unpack(const struct path *root, const void *data, size_t size);
