/* Writing a cpio archive (newc).
 *
 *   header (110 bytes) | name, NUL, more NULs | data, padded to 4
 *   ^ multiple of 4                           ^ multiple of 4096, of a regular file
 *
 * Names are padded rather than data because the format counts the padding in the name's size: every
 * reader of the format, Linux's included, takes such an archive. */
#include <string.h>
#include <sys/stat.h>

#include "newc.h"

#define HEADER_SIZE   110
#define NAME_MAX_SIZE 4096 /* Linux refuses longer ones */

static void put(struct newc *out, const void *bytes, size_t size)
{
    fwrite(bytes, 1, size, out->file);
    out->offset += size;
}

static void put_zeros(struct newc *out, size_t size)
{
    static const char zeros[NEWC_PAGE];

    for (; size > sizeof zeros; size -= sizeof zeros)
        put(out, zeros, sizeof zeros);
    put(out, zeros, size);
}

static void pad_to(struct newc *out, unsigned alignment)
{
    put_zeros(out, (alignment - out->offset % alignment) % alignment);
}

static void put_header(struct newc *out, const struct newc_entry *e, uint32_t name_size)
{
    char header[HEADER_SIZE + 1];

    snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             e->ino, e->mode, e->uid, e->gid, e->nlink, e->mtime, e->size, 0, 0, e->rdev_major,
             e->rdev_minor, name_size, 0);
    put(out, header, HEADER_SIZE);
    put(out, e->path, strlen(e->path) + 1);
    put_zeros(out, name_size - strlen(e->path) - 1);
    pad_to(out, 4);
}

void newc_begin(struct newc *out, FILE *file)
{
    *out = (struct newc){.file = file};
}

/* The size of the name that makes the data of an entry at `offset` start a page. */
static uint32_t padded_name_size(uint64_t offset, uint32_t name_size)
{
    return name_size +
           (uint32_t)((NEWC_PAGE - (offset + HEADER_SIZE + name_size) % NEWC_PAGE) % NEWC_PAGE);
}

void newc_entry(struct newc *out, const struct newc_entry *entry)
{
    uint32_t name_size = (uint32_t)strlen(entry->path) + 1;

    if (entry->size && S_ISREG(entry->mode)) {
        /* When the padding would exceed what a name may have, an entry that changes nothing takes
         * up half of it. */
        while (padded_name_size(out->offset, name_size) > NAME_MAX_SIZE) {
            const struct newc_entry filler = {.path = ".", .mode = 0040755, .nlink = 2, .ino = 1};
            put_header(out, &filler, NEWC_PAGE / 2 - HEADER_SIZE);
        }
        name_size = padded_name_size(out->offset, name_size);
    }
    put_header(out, entry, name_size);
    out->data_left = entry->size;
}

void newc_data(struct newc *out, const void *bytes, size_t size)
{
    if (size > out->data_left)
        size = out->data_left;
    put(out, bytes, size);
    out->data_left -= (uint32_t)size;
    if (!out->data_left)
        pad_to(out, 4);
}

void newc_end(struct newc *out)
{
    const struct newc_entry trailer = {.path = "TRAILER!!!", .nlink = 1};

    newc_entry(out, &trailer);
    pad_to(out, 512);
    fflush(out->file);
}
