/* sources: syscalls/table.c syscalls/custom/none/none.c syscalls/trace/basic.c syscalls/trace/cmd.c syscalls/trace/file.c syscalls/trace/flags.c syscalls/trace/format.c syscalls/trace/i386.c syscalls/trace/ioctl.c syscalls/trace/ipc.c syscalls/trace/net.c syscalls/trace/out.c syscalls/trace/process.c syscalls/trace/read.c syscalls/trace/select.c syscalls/trace/signal.c syscalls/trace/structs.c syscalls/trace/subcall.c syscalls/trace/time.c */
/* libFuzzer: any text as the set of calls, or of signals, that a trace is of. */
#include <stdlib.h>
#include <string.h>
#include <syscalls/trace.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_set *set = malloc(sizeof(*set));
    uint64_t signals;
    char *text = malloc(size + 1);
    const char *bad = NULL;
    size_t bad_len = 0;

    memcpy(text, data, size);
    text[size] = '\0';
    if (trace_select(set, text, &bad, &bad_len) != 0 && (bad < text || bad + bad_len > text + size))
        abort();
    if (trace_select_signals(&signals, text, &bad, &bad_len) != 0 &&
        (bad < text || bad + bad_len > text + size))
        abort();
    free(text);
    free(set);
    return 0;
}
