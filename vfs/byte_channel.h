/* A byte channel: what a terminal (tty.c) and a stream (stream.c) have in common.  A driver on one side, the program's
 * reads and writes on the other, a ring of output between them, and turns, so that the bytes of one write stay together.
 *
 * What becomes of the bytes on their way into the ring is the owner's: a terminal processes them, a stream does not. */
#pragma once

#include <byte_ring.h>
#include <core/usercopy.h>
#include <core/lock.h>
#include <vfs/tty.h>

#define CHANNEL_CHUNK \
    512 /* bytes of the program's are moved through the stack in pieces of this size */

struct byte_channel;

struct channel_ops {
    /* Put bytes into the output ring, sending when it is full: how many of the n.  Locked. */
    size_t (*put)(struct byte_channel *c, const char *bytes, size_t n);
    /* Is output held back (^S)?  Locked.  NULL: never. */
    bool (*is_stopped)(struct byte_channel *c);
    int gone_error; /* what a write answers when nobody takes the bytes any more, negative */
};

struct byte_channel {
    const struct channel_ops *ops;
    struct tty_driver *driver;
    struct turn read_turn, write_turn;
    struct waitq read_wait,
        write_wait;       /* input or the end of it; room for output, all sent, or gone */
    struct spinlock lock; /* RANK_LDISC, interrupts off - guards, with what the owner adds: */
    struct byte_ring out; /* on its way to the driver */
    bool is_gone;         /* nobody takes output any more */
    bool has_refused;     /* the driver holds input back until ->resume */
};

/* `out` is memory for the ring, `size` bytes, a power of two; it stays the caller's. */
void channel_init(struct byte_channel *c, const struct channel_ops *ops, struct tty_driver *driver,
                  uint8_t *out, unsigned size);

/* Give the driver what it takes.  Locked; any context. */
void channel_pump_locked(struct byte_channel *c);
/* The driver takes bytes again: pump, and wake writers when half the ring is free.  Not locked; any context. */
void channel_output_ready(struct byte_channel *c);
/* After reading or throwing away input: let the driver offer again what was refused.  Not locked; any context. */
void channel_resume_input(struct byte_channel *c);
/* Throw away what has not gone to the driver.  Locked; the caller wakes writers afterwards. */
void channel_drop_output_locked(struct byte_channel *c);

/* write(2): all of `from`, in one turn.  Bytes taken; with none: -EAGAIN (nonblock), -ERESTARTSYS, -EFAULT or
 * ops->gone_error.  Sleeps. */
must_check ssize_t channel_write(struct byte_channel *c, struct iobuf *from, bool nonblock);
/* Sleep until the driver has all output, it is gone, or `deadline`; `how` says whether a signal ends the wait.  0,
 * -EINTR or -ETIMEDOUT, as wait_sleep. */
int channel_drain(struct byte_channel *c, enum wait_how how, uint64_t deadline);
