/* The hash of a name in a directory, one byte at a time: walking computes it while it looks for the
 * next slash. */
#pragma once

#include <base/types.h>

#define NAME_HASH_START 2166136261u

static inline uint32_t name_hash_add(uint32_t h, char c)
{
    return (h ^ (uint8_t)c) * 16777619u;
}

/* The low bits choose the bucket. */
static inline uint32_t name_hash_end(uint32_t h)
{
    return h ^ h >> 15;
}

static inline uint32_t name_hash(const char *name, size_t len)
{
    uint32_t h = NAME_HASH_START;
    for (size_t n = 0; n < len; n++)
        h = name_hash_add(h, name[n]);
    return name_hash_end(h);
}

struct dentry;
/* dentry_lookup (vfs/inode.h) with the hash known already. */
must_check int dentry_lookup_hashed(struct dentry *dir, const char *name, size_t len, uint32_t hash,
                                    struct dentry **out);
