/* sources: vfs/archive.c
 *
 * libFuzzer: any bytes through the cpio parser (clang -fsanitize=fuzzer,address,undefined). */
#include <stdlib.h>
#include <string.h>

#include <vfs/archive.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive a;
    struct archive_entry e;
    volatile uint8_t touched = 0;

    archive_open(&a, data, size);
    while (archive_next(&a, &e) > 0) {
        if (strlen(e.name) != e.name_len)
            abort();
        for (size_t n = 0; n < e.size; n++)
            touched ^= ((const uint8_t *)e.data)[n];
    }
    return archive_is_one(data, size) && a.offset > size;
}
