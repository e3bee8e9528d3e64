/* Standard input, output and error: virtio ports where the host command gives them, else the serial port. */
#include <arch/arch.h>
#include <archdev/uart.h>
#include <base/string.h>
#include <dev/console.h>
#include <image/terminal.h>
#include <linux/fcntl.h>
#include <vfs/stream.h>
#include <vfs/tty.h>

#define DRAIN_NS 2000000000UL

static struct tty *tty;
static struct stream *stdio_stream, *stderr_stream;

static struct stream *stream_on_port(const char *name)
{
    struct port *p = port_find(name);
    return p ? port_stream_new(p) : NULL;
}

static void use_serial(bool wants_stream)
{
    struct tty_driver *driver = uart_driver();

    if (!driver)
        return;
    if (wants_stream)
        stdio_stream = stream_new(driver);
    else
        tty = tty_new(driver);
    if (tty || stdio_stream)
        uart_attach(tty, stdio_stream);
}

void terminal_init(const struct cmdline *line)
{
    bool wants_serial = line->console && strncmp(line->console, "ttyS", 4) == 0;
    bool wants_stream = line->stdio[0] == STDIO_PIPE || line->stdio[1] == STDIO_PIPE;
    struct port *port = wants_serial ? NULL : port_find("yolk.tty");

    if (!port && !wants_serial)
        port = port_find_console();
    if (port)
        tty = port_tty_new(port, "hvc0", 229, 0);
    stdio_stream = stream_on_port("yolk.stdio");
    stderr_stream = stream_on_port("yolk.stderr");
    if (!tty && !stdio_stream)
        use_serial(wants_stream);
    if (tty) {
        tty_set_console(tty);
        tty_adopt(tty, 1, 1);
    }
}

struct file *terminal_open(int fd, enum stdio_kind kind, const struct walk *w)
{
    struct stream *stream = fd == 2 && stderr_stream ? stderr_stream : stdio_stream;
    struct file *f = NULL;

    if (kind == STDIO_PIPE && stream)
        return stream_open(stream, fd == 0 ? O_RDONLY : O_WRONLY);
    if (path_open(w, kind == STDIO_NULL || !tty ? "/dev/null" : "/dev/console", O_RDWR, 0, &f) < 0)
        return NULL;
    return f;
}

void terminal_resize(unsigned rows, unsigned columns)
{
    if (tty)
        tty_set_winsize(tty, rows, columns);
}

void terminal_drain(void)
{
    uint64_t deadline = arch_clock_ns() + DRAIN_NS;

    if (tty)
        tty_drain(tty, deadline);
    if (stdio_stream)
        stream_drain(stdio_stream, deadline);
    if (stderr_stream)
        stream_drain(stderr_stream, deadline);
}
