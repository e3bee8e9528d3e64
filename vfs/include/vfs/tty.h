/* Terminals: a line discipline between a driver that moves bytes and the program; termios(3), ioctl_tty(2).
 *
 * The same driver face carries streams (vfs/stream.h), which pass bytes untouched. */
#pragma once

#include <base/types.h>

struct file;
struct tty;

/* What moves bytes to the outside: a serial port, a virtio console port, a screen with a keyboard. */
struct tty_driver {
    const char *name; /* of the device node: "ttyS0", "hvc0"; static */
    unsigned major, minor;
    /* Send: bytes taken, which may be fewer than n when the device is busy; then the driver calls
     * tty_output_ready (stream_output_ready) once it can take more.  Called in any context with interrupts off,
     * under a lock of RANK_LDISC: it neither sleeps nor calls back. */
    size_t (*write)(struct tty_driver *d, const void *bytes, size_t n);
    /* There is room again for input that tty_input (stream_input) has refused; same context.  NULL: the driver
     * drops what is refused. */
    void (*resume)(struct tty_driver *d);
};

void tty_init(void); /* boot: /dev/tty and /dev/console */
/* A new terminal with its device node in /dev, 80 x 24 until somebody says otherwise.  NULL: no memory. */
struct tty *tty_new(struct tty_driver *driver) must_check;

/* --- for drivers: any context, none of the driver's own locks held ---------------------------------- */

/* Bytes that were typed: how many were taken.  The rest may be offered again after ->resume. */
size_t tty_input(struct tty *t, const void *bytes, size_t n);
void tty_output_ready(struct tty *t);
/* The other side is gone (or came back): reads answer 0, writes -EIO, the session gets SIGHUP. */
void tty_hangup(struct tty *t);
/* The window has another size: SIGWINCH to the foreground group. */
void tty_set_winsize(struct tty *t, unsigned rows, unsigned columns);

/* --- for the image ------------------------------------------------------------------------------------ */

/* The terminal that /dev/console means; boot. */
void tty_set_console(struct tty *t);
/* Make it the controlling terminal of a session (process 1's). */
void tty_adopt(struct tty *t, int session, int group);
/* Wait until everything written has been given to the driver, at most until the deadline; before power-off. */
void tty_drain(struct tty *t, uint64_t deadline);

/* --- for kernel/proc ---------------------------------------------------------------------------------- */

/* What a terminal must know about processes.  Set once at boot; until then nobody gets signals. */
struct tty_jobs {
    void (*signal_group)(int group, int sig); /* any context */
    void (*current)(int *group, int *session, bool *is_session_leader);
    bool (*has_group)(int session,
                      int group);     /* does the group exist in that session (0: in any)? */
    bool (*current_ignores)(int sig); /* ignored or blocked */
    bool (*is_orphaned)(int group);   /* no parent in the session to continue it */
};
void tty_set_jobs(const struct tty_jobs *jobs);
/* /proc/PID/stat: the device and the foreground group of a session's terminal; 0 and -1 when it has none. */
void tty_of_session(int session, unsigned *rdev, int *foreground);
/* The session leader has exited: SIGHUP to the foreground group, and the terminal is free. */
void tty_end_session(int session);
