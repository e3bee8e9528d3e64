/* sources: userland/yolk/program.c
 *
 * libFuzzer: any bytes as the program that `yolk check` and `yolk run` are given. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userland/yolk/program.h"
#include "../../userland/yolk/yolk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void die(int status, const char *format, ...)
{
    (void)status, (void)format;
    abort();
}

void *xmalloc(size_t size)
{
    return calloc(1, size);
}

char *xstrdup(const char *s)
{
    return strdup(s);
}

char *xasprintf(const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program_report report = {0};
    uint8_t *exact = malloc(size ? size : 1);

    memcpy(exact, data, size);
    program_inspect_bytes(exact, size, &report);
    if ((report.status != 0) != (report.reason != NULL))
        abort();
    free(report.reason);
    free(report.interpreter);
    free(report.go_version);
    free(exact);
    return 0;
}
