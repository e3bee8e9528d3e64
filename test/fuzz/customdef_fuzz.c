/* sources: userland/yolk/customdef.c syscalls/table.c syscalls/custom/none/none.c */
/* libFuzzer: any text as the .def of custom calls.  What is accepted, printed and read again, is the same. */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../userland/yolk/customdef.h"
#include "../../userland/yolk/yolk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* --- what the reader allocates lives for good in the command, and until the next input here ------------ */

static struct block {
    struct block *next;
    max_align_t bytes[];
} * blocks;

void *xrealloc(void *old, size_t size)
{
    struct block *b = old ? (struct block *)((char *)old - offsetof(struct block, bytes)) : NULL;

    for (struct block **at = &blocks; old && *at; at = &(*at)->next) {
        if (*at == b) {
            *at = b->next;
            break;
        }
    }
    b = realloc(b, sizeof(*b) + size);
    b->next = blocks;
    blocks = b;
    return b->bytes;
}

char *xasprintf(const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = xrealloc(NULL, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(args);
    va_end(again);
    return text;
}

static void free_blocks(void)
{
    for (struct block *b; (b = blocks) != NULL; free(b))
        blocks = b->next;
}

/* --- the test ------------------------------------------------------------------------------------------ */

static char *printed(const struct custom_def *def)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    custom_def_print(def, f);
    fclose(f);
    return text;
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
    struct custom_def def, again;
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = '\0';
    custom_def_parse(&def, "fuzz", text);
    if (def.nr_errors == 0) {
        char *first = printed(&def);
        custom_def_parse(&again, "again", first);
        char *second = printed(&again);
        if (again.nr_errors != 0 || again.nr_calls != def.nr_calls ||
            again.nr_wraps != def.nr_wraps || strcmp(first, second) != 0)
            abort();
        free(first);
        free(second);
    }
    free(text);
    free_blocks();
    return 0;
}
