/* sources: userland/yolk/control.c */
/* libFuzzer: any bytes from the guest on the control channel, in pieces of any size. */
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../userland/yolk/control.h"
#include "../../userland/yolk/terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned nr_ends;

void say(const char *format, ...)
{
    char text[8192];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (strchr(text, '\n'))
        abort(); /* one line of the guest's is one of ours */
}

void relay_exit_status(struct relay *relay, int status)
{
    (void)relay;
    if (status < 0 || status > 255)
        abort();
    nr_ends++;
}

void relay_fail(struct relay *relay, int status, const char *text)
{
    (void)relay, (void)text;
    if (status < STATUS_FAILED || status > STATUS_NOT_FOUND)
        abort();
    nr_ends++;
}

bool terminal_size(unsigned *rows, unsigned *columns)
{
    (void)rows, (void)columns;
    return false;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    stderr = fopen("/dev/null", "w"); /* the end of the log; the sanitizers keep the descriptor */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct run_options options = {.verbose = true};
    int ends[2];

    if (size == 0)
        return 0;
    if (pipe(ends) != 0)
        abort();
    struct relay *relay = calloc(1, sizeof *relay);
    size_t piece = (size_t)data[0] * 16 + 1;
    relay->options = &options;
    relay->control = ends[0];
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (write(ends[1], data + at, n) != (ssize_t)n)
            abort();
        control_ready(relay, POLLIN);
        if (relay->line_len >= sizeof relay->line || relay->log_len > LOG_SIZE)
            abort();
    }
    close(ends[1]);
    control_ready(relay, POLLHUP);
    if (relay->control != -1)
        abort();
    control_print_log(relay);
    free(relay);
    return 0;
}
