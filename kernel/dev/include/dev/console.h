/* The ports of virtio consoles: byte channels to the host, found by name (docs/DESIGN.md lists
 * ours).
 *
 * A port never sleeps: reading and writing move what they can, in any context, and the port's user
 * is told when there may be more to do.  The blocking faces are a terminal's or a stream's, which
 * can be put on a port. */
#pragma once

#include <base/types.h>

struct port;
struct stream;
struct tty;

/* Who uses a port.  The functions are called in interrupt or thread context without locks; NULL:
 * not told. */
struct port_user {
    /* There is something to read (port_peek), or the input has ended. */
    void (*readable)(struct port_user *u, struct port *p);
    /* port_write would take something again, after it took less than it was given. */
    void (*writable)(struct port_user *u, struct port *p);
    /* The host told the size of its window. */
    void (*resized)(struct port_user *u, struct port *p, unsigned rows, unsigned columns);
};

/* The port with this name, which the host gave it; NULL: there is none.  Thread context. */
struct port *port_find(const char *name);
/* The first that the host calls a console; NULL: there is none. */
struct port *port_find_console(void);

/* Take the port into use: only now the host may send.  Once for each port.  0, -EBUSY, -ENOMEM or
 * -ENODEV. */
must_check int port_open(struct port *p, struct port_user *u);

/* The oldest bytes that have come, up to the end of one buffer: their number and where they are;
 * valid until port_consume says how many were taken.  One reader at a time: a `readable` function
 * runs on one CPU at a time, and port_pump runs it. */
size_t port_peek(struct port *p, const void **bytes);
void port_consume(struct port *p, size_t n);
/* Run `readable` again, soon and not from within this call: its user can take more now.  Any
 * context. */
void port_pump(struct port *p);
/* The host has closed its end: nothing more will come after what port_peek still has, and what is
 * written is lost.  Also true before the host has opened it. */
bool port_is_closed(struct port *p);
/* Has the host opened its end since this was last asked?  It may have closed it again meanwhile. */
bool port_take_opened(struct port *p);

/* Bytes taken, which may be fewer than n: then `writable` follows.  Any context. */
size_t port_write(struct port *p, const void *bytes, size_t n);
/* For log lines and panics: waits, without sleeping, up to `timeout_ns` for room, and tries once more after that.
 * Bytes written: what does not fit is lost.  Any context. */
size_t port_write_all(struct port *p, const void *bytes, size_t n, uint64_t timeout_ns);
/* Has the host taken everything that was written?  Any context. */
bool port_is_flushed(struct port *p);
/* Wait until the host has taken everything, on every port, or `timeout_ns` has passed.  Before
 * power-off. */
void port_flush_all(uint64_t timeout_ns);

/* A terminal or a stream on a port; NULL: the port is taken or there is no memory.  Boot. */
struct tty *port_tty_new(struct port *p, const char *name, unsigned major,
                         unsigned minor) must_check;
struct stream *port_stream_new(struct port *p) must_check;
