/* The cpio parser (newc, Linux's Documentation/driver-api/early-userspace/buffer-format.rst), pure
 * and suspicious.
 *
 *     "070701" 13 fields of 8 hex digits | name, NUL | pad to 4 | data | pad to 4 | next header ...
 *     ... header named "TRAILER!!!" | zeros | another archive, or the end
 *
 * Every length comes from the archive, so every sum is checked against what is left before anything
 * is touched. */
#include <base/errno.h>
#include <base/string.h>
#include <vfs/archive.h>

#define MAGIC_LEN   6
#define NR_FIELDS   13
#define HEADER_SIZE (MAGIC_LEN + NR_FIELDS * 8)
#define MAX_NAME    (16 * 1024) /* with the padding that aligns data to pages */

enum field {
    INO,
    MODE,
    UID,
    GID,
    NLINK,
    MTIME,
    SIZE,
    MAJOR,
    MINOR,
    RDEV_MAJOR,
    RDEV_MINOR,
    NAME_SIZE,
    CHECK
};

static bool is_newc(const uint8_t *p, size_t left)
{
    return left >= MAGIC_LEN &&
           (memcmp(p, "070701", MAGIC_LEN) == 0 || memcmp(p, "070702", MAGIC_LEN) == 0);
}

static const char *foreign_format(const uint8_t *p, size_t left)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *error;
    } formats[] = {
        {"\x1f\x8b", 2, "compressed archives (gzip) are not supported"},
        {"\3757zXZ\0", 6, "compressed archives (xz) are not supported"},
        {"\x28\xb5\x2f\xfd", 4, "compressed archives (zstd) are not supported"},
        {"BZh", 3, "compressed archives (bzip2) are not supported"},
        {"\x02\x21\x4c\x18", 4, "compressed archives (lz4) are not supported"},
        {"\x04\x22\x4d\x18", 4, "compressed archives (lz4) are not supported"},
        {"\x5d\0\0", 3, "compressed archives (lzma) are not supported"},
        {"070707", 6, "not in newc format (cpio -H newc)"},
        {"\xc7\x71", 2, "not in newc format (cpio -H newc)"},
    };
    for (size_t n = 0; n < ARRAY_LEN(formats); n++)
        if (left >= formats[n].len && memcmp(p, formats[n].magic, formats[n].len) == 0)
            return formats[n].error;
    return NULL;
}

bool archive_is_one(const void *data, size_t size)
{
    return is_newc(data, size) || foreign_format(data, size);
}

void archive_open(struct archive *a, const void *data, size_t size)
{
    *a = (struct archive){.data = data, .size = size};
}

static int fail(struct archive *a, const char *error)
{
    a->error = error;
    a->error_offset = a->offset;
    return -EINVAL;
}

static bool parse_fields(const uint8_t *p, uint32_t field[NR_FIELDS])
{
    for (unsigned n = 0; n < NR_FIELDS; n++) {
        field[n] = 0;
        for (unsigned k = 0; k < 8; k++, p++) {
            unsigned c = *p | 0x20, digit;
            if (*p >= '0' && *p <= '9')
                digit = *p - '0';
            else if (c >= 'a' && c <= 'f')
                digit = c - 'a' + 10;
            else
                return false;
            field[n] = field[n] << 4 | digit;
        }
    }
    return true;
}

/* Over the zeros between archives to the next header; false: the end. */
static bool skip_padding(struct archive *a)
{
    while (a->offset < a->size && a->data[a->offset] == 0)
        a->offset++;
    return a->offset < a->size;
}

static const char *trim(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && name[1] == '/')
            name += 2;
        else
            return name[0] == '.' && !name[1] ? name + 1 : name;
    }
}

/* The entry at ->offset, which moves behind it. */
static int parse_entry(struct archive *a, struct archive_entry *e)
{
    const uint8_t *p = a->data + a->offset;
    size_t left = a->size - a->offset;
    uint32_t f[NR_FIELDS];
    if (!is_newc(p, left)) {
        const char *format = foreign_format(p, left);
        return fail(a, format ? format : "no cpio header");
    }
    if (a->offset % 4 != 0)
        return fail(a, "a header that is not aligned");
    if (left < HEADER_SIZE)
        return fail(a, "a header that is cut off");
    if (!parse_fields(p + MAGIC_LEN, f))
        return fail(a, "a header with something else than hexadecimal digits");
    size_t name_size = f[NAME_SIZE], data_at = ALIGN_UP(HEADER_SIZE + name_size, 4);
    if (name_size == 0 || name_size > MAX_NAME)
        return fail(a, "a name that is empty or too long");
    if (data_at > left || f[SIZE] > left - data_at)
        return fail(a, "an entry that is cut off");
    const char *name = (const char *)p + HEADER_SIZE;
    if (strnlen(name, name_size) == name_size)
        return fail(a, "a name without an end");
    *e = (struct archive_entry){
        .name = trim(name),
        .data = p + data_at,
        .size = f[SIZE],
        .ino = f[INO],
        .mode = f[MODE],
        .uid = f[UID],
        .gid = f[GID],
        .nlink = f[NLINK],
        .mtime = f[MTIME],
        .major = f[MAJOR],
        .minor = f[MINOR],
        .rdev_major = f[RDEV_MAJOR],
        .rdev_minor = f[RDEV_MINOR],
    };
    e->name_len = strlen(e->name);
    /* The padding behind the last entry may be missing. */
    a->offset = MIN(ALIGN_UP(a->offset + data_at + f[SIZE], 4), a->size);
    return 1;
}

int archive_next(struct archive *a, struct archive_entry *e)
{
    while (skip_padding(a)) {
        int ret = parse_entry(a, e);
        if (ret < 0 || strcmp(e->name, "TRAILER!!!") != 0)
            return ret;
    }
    return 0;
}
