/* sources: userland/yolk/tracelog.c userland/yolk/tracecount.c syscalls/table.c syscalls/custom/none/none.c syscalls/trace/basic.c syscalls/trace/cmd.c syscalls/trace/file.c syscalls/trace/flags.c syscalls/trace/format.c syscalls/trace/i386.c syscalls/trace/ioctl.c syscalls/trace/ipc.c syscalls/trace/net.c syscalls/trace/out.c syscalls/trace/process.c syscalls/trace/read.c syscalls/trace/select.c syscalls/trace/signal.c syscalls/trace/structs.c syscalls/trace/subcall.c syscalls/trace/time.c */
/* libraries: jansson */
/* libFuzzer: any bytes as what a guest sends on the port of its trace: records of calls with pieces of memory, as lines
 * and as objects.  The head of each record is made from few bytes, so that most of them are understood. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syscalls/trace_record.h>

#include "../../userland/yolk/tracelog.h"
#include "../../userland/yolk/yolk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void die(int status, const char *format, ...)
{
    (void)status, (void)format;
    abort(); /* sizes and versions are right here */
}

void say(const char *format, ...)
{
    (void)format;
}

void *xmalloc(size_t size)
{
    return calloc(1, size);
}

void *xrealloc(void *old, size_t size)
{
    return realloc(old, size);
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

/* One record: type and ABI, thread, the call, how long its memory is, six arguments of which some point into it. */
static size_t feed_one(struct tracelog *log, uint64_t seq, const uint8_t *data, size_t n)
{
    struct trace_record head = {.type = data[0] % 9,
                                .abi = data[0] >> 7,
                                .tid = 1 + data[1] % 3,
                                .nr = data[2] | (data[3] & 3u) << 8,
                                .seq = seq,
                                .ret = (int8_t)data[4]};
    const uint64_t version = TRACE_VERSION;
    size_t used = 12, len = data[5];
    uint8_t record[sizeof(head) + 2 * (sizeof(struct trace_chunk) + 256)] = {0};

    len = len < n - used ? len : n - used;
    for (int i = 0; i < 6; i++)
        head.arg[i] =
            data[6 + i] & 128 ? (uint64_t)data[6 + i] << 4 : (uint64_t)(int8_t)(data[6 + i] * 2);
    struct trace_chunk chunk = {0x800, (uint32_t)len, (uint32_t)len};
    head.size = (uint32_t)(sizeof(head) + sizeof(chunk) + (len + 7) / 8 * 8);
    memcpy(record, &head, sizeof(head));
    memcpy(record + sizeof(head), &chunk, sizeof(chunk));
    memcpy(record + sizeof(head) + sizeof(chunk), data + used, len);
    if (data[0] & 32) /* damaged, but for its size */
        memcpy(record + 8 + data[5] % 100, data + 6, 6);
    memcpy(record, &head.size, 4);
    if (record[offsetof(struct trace_record, type)] == TRACE_HELLO) /* another version is refused */
        memcpy(record + offsetof(struct trace_record, arg), &version, sizeof(version));
    tracelog_feed(log, record, head.size);
    return used + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct trace_config config = {.strings = data[0],
                                  .file = "/dev/null",
                                  .follows = data[1] & 1,
                                  .is_verbose = data[1] & 2,
                                  .names_fds = data[1] & 4,
                                  .hex = data[1] >> 3 & 1,
                                  .json = data[1] & 16,
                                  .counts = data[1] & 32,
                                  .lines_too = data[1] & 64,
                                  .durations = data[1] & 128};
    struct tracelog *log = tracelog_open(&config);

    data += 2;
    size -= 2;
    for (uint64_t seq = 0; size >= 12; seq++) {
        size_t used = feed_one(log, seq, data, size);
        data += used;
        size -= used;
    }
    (void)tracelog_close(log);
    return 0;
}
