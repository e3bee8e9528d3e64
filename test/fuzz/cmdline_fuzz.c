/* sources: kernel/cmdline.c
 *
 * libFuzzer: any boot line.  Every word that comes out of it lies inside and ends there. */
#include <stdlib.h>
#include <string.h>

#include "../../kernel/include/image/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *start, *end;

static void check(const char *word, const char *fallback)
{
    if (!word || (fallback && !strcmp(word, fallback)))
        return;
    if (word < start || word > end || word + strlen(word) > end)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cmdline line;
    char *text = malloc(size + 1);

    memcpy(text, data, size);
    text[size] = '\0';
    start = text;
    end = text + size;
    if (cmdline_parse(text, &line) == 0) {
        check(line.init, "/init");
        check(line.cwd, "/");
        check(line.hostname, "yolk");
        check(line.argv0, NULL);
        check(line.trace, NULL);
        for (unsigned i = 0; i < line.nr_args; i++)
            check(line.args[i], NULL);
        for (unsigned i = 0; i < line.nr_env; i++)
            check(line.env[i], NULL);
        for (unsigned i = 0; i < line.nr_unknown; i++)
            check(line.unknown[i], NULL);
        if (line.args[line.nr_args] || line.env[line.nr_env])
            abort();
    }
    free(text);
    return 0;
}
