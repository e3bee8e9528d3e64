/* Where kernel log lines go, and symbolised addresses. */
#pragma once

#include <base/log.h>

#define LOG_LINE_SIZE 512 /* the longest line, with its newline and NUL */

/* A sink for log lines (serial port, virtio control port, screen).  `write` gets one whole line, `n` bytes with its
 * newline, and the level that it was logged at; it is called in any context with the log's lock held, so it polls. */
struct log_sink {
    void (*write)(enum log_level level, const char *line, size_t n);
    struct log_sink *next;
};
void log_add_sink(struct log_sink *sink);
void log_set_level(enum log_level level);
/* The last `size` bytes of the log (dmesg); thread context. */
size_t log_read(char *buf, size_t size);

/* Backtrace lines (symbolised from the kernel's own table) of a kernel stack from a place that arch_thread_frame or
 * arch_regs_frame named; 0: the caller's.  Any context. */
void log_backtrace(uint64_t frame);
#define LOG_BACKTRACE_MAX 24
/* The same of addresses that arch_backtrace found.  Any context. */
void log_addresses(const uint64_t *addr, unsigned n);
/* What an NMI's handler logs is between these two: a line that it interrupted is no deadlock.  The caller sees to it
 * that one CPU at a time is there. */
void log_nmi_begin(void);
void log_nmi_end(void);
/* "name+0x12" of a kernel address into buf; false when it is none. */
bool symbol_name(uint64_t addr, char *buf, size_t size);

/* Called last in a panic, before power-off: tell the host (polled, no locks). */
typedef void panic_hook_fn(void);
void log_on_panic(panic_hook_fn *hook);
