/* What the handlers of custom system calls may ask of the kernel: version 1.  docs/CUSTOM_SYSCALLS.md begins at the
 * beginning; this is the reference.
 *
 * A handler is an ordinary C function in the kernel, in ring 0, one for each row of DIR's .def:
 *
 *     SYSCALL(0x4000, 0x4000, greet, BYTES, FULL, "", 3, STRING, name, OUT, buf, LEN, size)
 *     long sys_greet(struct uptr name, struct uptr buf, size_t size);
 *
 * Context.  It runs in the thread that made the call, on that thread's kernel stack (16 KiB in all: large buffers come
 * from yolk_alloc), with interrupts on, and may sleep.  Kernel code is not preempted: another thread of the program runs
 * at the same time only on another CPU, or while the handler sleeps.  What handlers share is theirs to guard: yolk_lock,
 * or the compiler's __atomic functions.
 *
 * Errors.  >= 0 is the result, < 0 minus an errno (-EINVAL), here and everywhere in the kernel; the program's libc makes
 * -1 and errno of it.
 *
 * User memory is reached through the functions below and no other way.  A handler that touches a user address itself is
 * at fault, and so is one that passes one as a pointer to a function of this page: a report on the program's stderr names the
 * handler, and the call ends there with EFAULT; what it had open or allocated is lost.  If it held a yolk_lock, the program
 * is killed with SIGSEGV.  (Where the CPU has no SMAP, a page that is there can be touched unnoticed.)  Touching a kernel
 * address that is none is a panic, whose backtrace names the handler.
 *
 * Linux's own headers (<linux/...>, <asm/...>) are there for numbers and structures; nothing else of the kernel is. */
#pragma once

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <yolk/base.h>
#include <yolk/version.h>

/* --- the caller ------------------------------------------------------------------------------------------------ */

/* Is the program's call an i386 one?  Its pointers and longs have 4 bytes. */
bool yolk_caller_is_i386(void);
/* gettid(2), getpid(2) of the caller. */
int yolk_tid(void);
int yolk_pid(void);

/* --- the program's memory ---------------------------------------------------------------------------------------- */

/* n bytes from or to the program: 0, or -EFAULT (some may have been moved).  May sleep: a page may have to be
 * brought in. */
must_check int yolk_read_user(void *to, struct uptr from, size_t n);
must_check int yolk_write_user(struct uptr to, const void *from, size_t n);
/* A string with its NUL into to[size]: its length without the NUL; -EFAULT; -ENAMETOOLONG when no NUL comes in `size`
 * bytes. */
must_check long yolk_read_user_string(char *to, struct uptr from, size_t size);
/* A pointer or long of the caller's ABI: 4 bytes of an i386 program, else 8.  0 or -EFAULT. */
must_check int yolk_read_user_word(unsigned long *to, struct uptr from);
must_check int yolk_write_user_word(struct uptr to, unsigned long word);

/* --- kernel memory ------------------------------------------------------------------------------------------------- */

/* Zeroed, aligned to 16; NULL when there is none.  Owned by who asked until yolk_free (NULL is fine). */
void *yolk_alloc(size_t size) must_check;
void yolk_free(void *p);

/* --- files ----------------------------------------------------------------------------------------------------------- */

/* An open file.  Whoever gets one owns a reference and gives it back with yolk_close. */
struct yolk_file;

/* open(2) as the caller would do it (its root, working directory, credentials, umask), without a descriptor.  `flags`: O_*,
 * `mode` with O_CREAT.  0 and *file, or open(2)'s -errno.  May sleep. */
must_check int yolk_open(const char *path, int flags, unsigned mode, struct yolk_file **file);
/* The file behind a descriptor of the caller: 0 and *file, or -EBADF. */
must_check int yolk_file_of_fd(int fd, struct yolk_file **file);
/* A new descriptor of the caller for the file (flags: O_CLOEXEC or 0).  The descriptor, and then the reference is the
 * descriptor's; -EMFILE or -ENOMEM, and then it is still yours. */
must_check int yolk_fd_of_file(struct yolk_file *file, int flags);
/* read(2), write(2), and pread(2), pwrite(2) when `pos` is not NULL (*pos advances), between the file and kernel memory.
 * Bytes moved (0: end of file), perhaps fewer than n; or -errno.  A pipe, socket or terminal may sleep as the program's own
 * read would, unless it has O_NONBLOCK (-EAGAIN); a signal ends that with YOLK_RESTART.  -EPIPE comes without SIGPIPE.
 * Take no yolk_lock into a call that may wait for somebody who needs the same lock. */
must_check ssize_t yolk_read(struct yolk_file *file, void *buf, size_t n, int64_t *pos);
must_check ssize_t yolk_write(struct yolk_file *file, const void *buf, size_t n, int64_t *pos);
void yolk_close(struct yolk_file *file);

/* --- time, sleeping and waking ---------------------------------------------------------------------------------------- */

/* Nanoseconds since the kernel started. */
uint64_t yolk_now_ns(void);
#define YOLK_FOREVER UINT64_MAX

/* What threads wait at.  All zero is ready for use; it may lie in static storage or in yolk_alloc's. */
struct yolk_queue {
    uint32_t wakes;
};

/* The way to wait that loses no wake-up: take a ticket, look at the condition, sleep on the ticket.
 *
 *     for (;;) {
 *         unsigned ticket = yolk_ticket(&queue);
 *         if (condition)
 *             break;
 *         int err = yolk_sleep(&queue, ticket, YOLK_FOREVER);
 *         if (err)
 *             return err;
 *     }
 *
 * and the other side makes the condition true first and then calls yolk_wake.  yolk_sleep returns at once when there was a
 * yolk_wake since the ticket was taken. */
unsigned yolk_ticket(struct yolk_queue *q);
/* 0: there was a wake-up (look at the condition again).  -ETIMEDOUT: yolk_now_ns() has come to `deadline_ns`.
 * YOLK_RESTART: a signal has come for the thread.  The handler returns that, having undone what must not happen twice: the call
 * is made again, with the same arguments, if the signal's handler has SA_RESTART, and else ends with EINTR.  (For EINTR in
 * any case return -EINTR.)  A thread that is being killed gets it at once, always.  May be called with a yolk_lock held. */
must_check int yolk_sleep(struct yolk_queue *q, unsigned ticket, uint64_t deadline_ns);
#define YOLK_RESTART (-512)
/* Wake all who took their ticket before.  Any number of times; does not sleep. */
void yolk_wake(struct yolk_queue *q);

/* A lock for what handlers share, that may be held over everything on this page.  All zero is free.  Not recursive; released by
 * the call that took it, before it returns (else the program is killed, with a report). */
struct yolk_lock {
    uint32_t is_taken;
    struct yolk_queue queue;
};
/* 0; or -EINTR when the thread is being killed while it waits: then return it, at once. */
must_check int yolk_lock(struct yolk_lock *l);
void yolk_unlock(struct yolk_lock *l);

/* --- the kernel's log ---------------------------------------------------------------------------------------------------- */

/* On the log (and on stderr of `yolk run`) are errors and warnings; information with --verbose. */
enum yolk_level { YOLK_LOG_ERROR = 1, YOLK_LOG_WARNING, YOLK_LOG_INFO, YOLK_LOG_DEBUG };
/* One line without its newline; what is longer than 200 bytes is cut. */
void yolk_log_line(enum yolk_level level, const char *line);
__attribute__((unused, format(printf, 2, 3))) static void yolk_log(enum yolk_level level,
                                                                   const char *format, ...)
{
    char line[200];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    yolk_log_line(level, line);
}
