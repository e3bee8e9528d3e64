/* Saying things and giving up.  Declared at the bottom so that every layer can use them; the bodies are
 * in core/log.c for the kernel and in the test harness for host unit tests. */
#pragma once

#include <base/types.h>

enum log_level { LOG_PANIC, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* One line (no newline needed) to the kernel log; shown on the console if `level` <= the level that the
 * command line asked for (`loglevel=`; by default LOG_WARN).  From LOG_INFO on, a line that is not shown is not made
 * either: no boot is to take longer for it.  Any context, interrupts and spinlocks included. */
void log_line(enum log_level level, const char *format, ...) printf_like(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* A broken invariant of the kernel's own: print the reason and every CPU's backtrace, and power off with
 * status 125.  Never for anything that a program can cause.  Any context. */
noreturn void panic(const char *format, ...) printf_like(1, 2);

/* A precondition; compiled out of release builds, so it must have no side effect. */
#ifdef YOLK_DEBUG
#define assert(cond) \
    (likely(cond) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond))
#else
#define assert(cond) ((void)sizeof(!(cond)))
#endif
