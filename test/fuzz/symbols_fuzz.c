/* sources: kernel/proc/symbols.c
 *
 * libFuzzer: any bytes as the program whose addresses a crash report names. */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/proc/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *bytes;
static size_t nr_bytes;

ssize_t file_read_kernel(struct file *f, void *buf, size_t n, int64_t pos)
{
    (void)f;
    if (pos < 0)
        abort();
    if ((uint64_t)pos >= nr_bytes)
        return 0;
    n = n < nr_bytes - (size_t)pos ? n : nr_bytes - (size_t)pos;
    memcpy(buf, bytes + pos, n);
    return (ssize_t)n;
}

void *heap_alloc(size_t n)
{
    return malloc(n);
}

void *heap_zalloc(size_t n)
{
    return calloc(1, n);
}

void heap_free(void *p)
{
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct symbol symbols[4] = {{.addr = 0x1000}, {.addr = 0x401000}, {.addr = UINT64_MAX}, {0}};

    bytes = data;
    nr_bytes = size;
    symbols_find(NULL, size % 2 ? 0 : 0x400000, symbols, 4);
    for (unsigned i = 0; i < 4; i++)
        if (memchr(symbols[i].name, '\0', sizeof(symbols[i].name)) == NULL)
            abort();
    return 0;
}
