/* sources: userland/yolk/customrows.c userland/yolk/customdef.c syscalls/table.c */
/* libFuzzer: any file as the kernel image whose note tells of custom calls. */
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include "../../userland/yolk/customdef.h"
#include "../../userland/yolk/pack.h"
#include "fake_blocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct bytes image;
static jmp_buf is_refused;

struct bytes pack_map(const char *path)
{
    (void)path;
    return image;
}

void pack_unmap(struct bytes bytes)
{
    free(bytes.data);
}

void die(int status, const char *format, ...)
{
    (void)status, (void)format;
    longjmp(is_refused, 1);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    /* Where the mistakes are told; the sanitizers keep the descriptor. */
    stderr = fopen("/dev/null", "w");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    image = (struct bytes){malloc(size), size}; /* its end is guarded */
    if (size)
        memcpy(image.data, data, size);
    if (!setjmp(is_refused)) {
        custom_rows_load("fuzz");
        for (unsigned i = 0; i < custom_table()->nr_rows; i++)
            if (!custom_call_of_row(NR_ROWS + i)->name)
                abort();
    }
    free_blocks();
    custom_rows_set(&(struct custom_def){.nr_calls = 0}); /* as its rows are gone */
    return 0;
}
