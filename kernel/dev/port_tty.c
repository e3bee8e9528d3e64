/* A terminal or a stream on a console port: two callbacks each way. */
#include <base/types.h>
#include <core/heap.h>
#include <dev/console.h>
#include <vfs/stream.h>
#include <vfs/tty.h>

struct port_line {
    struct tty_driver driver; /* what the terminal or stream calls */
    struct port_user user;    /* what the port calls */
    struct port *port;
    struct tty *tty; /* one of the two; set before the port is opened */
    struct stream *stream;
    bool was_open; /* the reader's: the end is told once for each time it was open */
};

static struct port_line *line_of_user(struct port_user *u)
{
    return container_of(u, struct port_line, user);
}

static size_t line_write(struct tty_driver *d, const void *bytes, size_t n)
{
    return port_write(container_of(d, struct port_line, driver)->port, bytes, n);
}

static void line_resume(struct tty_driver *d)
{
    port_pump(container_of(d, struct port_line, driver)->port);
}

static void line_end(struct port_line *l)
{
    if (l->tty)
        tty_hangup(l->tty);
    if (l->stream) {
        stream_end(l->stream);
        stream_break(l->stream);
    }
}

static void line_readable(struct port_user *u, struct port *p)
{
    struct port_line *l = line_of_user(u);
    const void *bytes;
    size_t n;
    /* Looked at before the bytes: what comes after the end was seen belongs to the next time it is
     * open. */
    bool is_closed = port_is_closed(p);
    l->was_open |= port_take_opened(p) || !is_closed;
    while ((n = port_peek(p, &bytes)) > 0) {
        size_t taken = l->tty ? tty_input(l->tty, bytes, n) : stream_input(l->stream, bytes, n);
        port_consume(p, taken);
        if (taken < n) /* full: ->resume follows */
            return;
    }
    if (is_closed && l->was_open) {
        l->was_open = false;
        line_end(l);
    }
}

static void line_writable(struct port_user *u, struct port *p)
{
    struct port_line *l = line_of_user(u);
    if (l->tty)
        tty_output_ready(l->tty);
    else
        stream_output_ready(l->stream);
}

static void line_resized(struct port_user *u, struct port *p, unsigned rows, unsigned columns)
{
    if (line_of_user(u)->tty)
        tty_set_winsize(line_of_user(u)->tty, rows, columns);
}

static struct port_line *line_new(struct port *p, const char *name, unsigned major, unsigned minor)
{
    struct port_line *l = heap_zalloc(sizeof(*l));
    if (!l)
        return NULL;
    l->driver = (struct tty_driver){
        .name = name, .major = major, .minor = minor, .write = line_write, .resume = line_resume};
    l->user = (struct port_user){
        .readable = line_readable, .writable = line_writable, .resized = line_resized};
    l->port = p;
    return l;
}

struct tty *port_tty_new(struct port *p, const char *name, unsigned major, unsigned minor)
{
    struct port_line *l = line_new(p, name, major, minor);
    if (!l)
        return NULL;
    l->tty = tty_new(&l->driver);
    return l->tty && port_open(p, &l->user) == 0 ? l->tty : NULL;
}

struct stream *port_stream_new(struct port *p)
{
    struct port_line *l = line_new(p, "", 0, 0);
    if (!l)
        return NULL;
    l->stream = stream_new(&l->driver);
    return l->stream && port_open(p, &l->user) == 0 ? l->stream : NULL;
}
