/* A terminal, as tty.c (bytes) and tty_ioctl.c (settings, sessions) know it. */
#pragma once

#include <asm/termios.h>
#include <byte_channel.h>
#include <ldisc.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <vfs/tty.h>

#define TTY_OUT_SIZE 8192

struct tty {
    struct byte_channel channel; /* gone: hung up; its lock guards what follows `next` */
    struct chardev node;
    struct tty *next; /* all terminals; set once */
    struct ldisc ldisc;
    struct winsize winsize;
    int session, group; /* whose controlling terminal this is, its foreground group; 0: nobody's */
    bool is_exclusive;  /* TIOCEXCL */
};

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
