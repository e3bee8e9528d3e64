/* Where kernel log lines go, and symbolised addresses. */
#pragma once

#include <base/log.h>

/* A sink for log lines (serial port, virtio control port, screen); called in any context, so it polls. */
struct log_sink {
    void (*write)(const char *s, size_t n);
    struct log_sink *next;
};
void log_add_sink(struct log_sink *sink);
void log_set_level(enum log_level level);
/* The last `size` bytes of the log (dmesg); thread context. */
size_t log_read(char *buf, size_t size);

/* Backtrace lines (symbolised from the kernel's own table) of a kernel stack; 0: the caller's.  Any context. */
void log_backtrace(uint64_t rbp);
/* What an NMI's handler logs is between these two: one CPU at a time, and a line that it interrupted is no deadlock. */
void log_nmi_begin(void);
void log_nmi_end(void);
/* "name+0x12" of a kernel address into buf; false when it is none. */
bool symbol_name(uint64_t addr, char *buf, size_t size);

/* Called last in a panic, before power-off: tell the host (polled, no locks). */
typedef void panic_hook_fn(void);
void log_on_panic(panic_hook_fn *hook);
