/* sources: userland/yolk/customdef.c syscalls/table.c syscalls/custom/none/none.c */
/* libFuzzer: any text as the .def of custom calls.  What is accepted, printed and read again, is the same. */
#include <stdint.h>
#include <string.h>

#include "../../userland/yolk/customdef.h"
#include "fake_blocks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

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
