/* A terminal, as tty.c (bytes) and tty_ioctl.c (settings, sessions) know it. */
#pragma once

#include <asm/termios.h>
#include <byte_ring.h>
#include <core/lock.h>
#include <ldisc.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <vfs/tty.h>

#define TTY_OUT_SIZE 8192

struct tty {
    struct tty_driver *driver;
    struct chardev node;
    struct tty *next; /* all terminals; set once */
    struct turn read_turn, write_turn;
    struct waitq read_wait, write_wait; /* input or hang-up; room for output, drained or hang-up */
    struct spinlock lock;               /* RANK_LDISC, interrupts off - guards: */
    struct ldisc ldisc;
    struct byte_ring out; /* processed output on its way to the driver */
    struct winsize winsize;
    int session, group; /* whose controlling terminal this is, its foreground group; 0: nobody's */
    bool is_hung_up;
    bool has_refused;  /* the driver holds input back until ->resume */
    bool is_exclusive; /* TIOCEXCL */
};

/* Send what can be sent.  Locked. */
void tty_pump_locked(struct tty *t);
/* After reading or flushing input: let the driver offer again what was refused.  Not locked. */
void tty_resume_input(struct tty *t);
/* Sleep until all output has reached the driver: 0, -ERESTARTSYS. */
must_check int tty_wait_drained(struct tty *t);

long tty_ioctl(struct file *f, unsigned cmd, struct uptr arg);
/* May the current process read from, write to or change the terminal now?  0; -ERESTARTSYS: its group has been
 * sent `sig` (SIGTTIN, SIGTTOU); -EIO. */
must_check int tty_check_job(struct tty *t, int sig);
/* open(2) without O_NOCTTY by a session leader without a terminal. */
void tty_acquire(struct tty *t);
/* The current session's terminal; NULL: none. */
struct tty *tty_current(void);
struct tty *tty_first(void);
void tty_signal(struct tty *t, int sig); /* the foreground group; not locked */
