/* The formats of `yolk pack`.  Each writes `output` whole or ends the command with STATUS_FAILED,
 * leaving nothing. */
#pragma once

#include "run.h"

void pack_iso(const char *output, const char *kernel, const char *module, const char *bootline);
void pack_elf(const char *output, const char *kernel, const char *module, const char *bootline);

/* The whole of a file, in a fresh mapping that may be changed. */
struct bytes {
    unsigned char *data;
    size_t size;
};
struct bytes pack_map(const char *path);
void pack_unmap(struct bytes bytes);
