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
static struct {
    unsigned rows, columns;
} window; /* as the host told it last, which may be before there is a terminal */
static struct stream *streams[3]; /* of descriptors 0, 1, 2; on a serial port one serves all */

static void use_serial(bool wants_stream)
{
    struct tty_driver *driver = uart_driver();
    struct stream *stream = NULL;

    if (!driver)
        return;
    if (wants_stream)
        stream = stream_new(driver);
    else
        tty = tty_new(driver);
    for (int i = 0; i < 3; i++)
        streams[i] = stream;
    if (tty || stream)
        uart_attach(tty, stream);
}

void terminal_init(const struct cmdline *line)
{
    static const char *const stream_ports[] = {"yolk.stdin", "yolk.stdout", "yolk.stderr"};
    bool wants_serial = line->console && strncmp(line->console, "ttyS", 4) == 0;
    bool wants_stream = line->stdio[0] == STDIO_PIPE || line->stdio[1] == STDIO_PIPE;
    struct port *port = wants_serial ? NULL : port_find("yolk.tty");

    if (!port && !wants_serial)
        port = port_find_console();
    if (port)
        tty = port_tty_new(port, "hvc0", 229, 0);
    for (int i = 0; i < 3; i++) {
        port = port_find(stream_ports[i]);
        streams[i] = port ? port_stream_new(port) : NULL;
    }
    if (!tty && !streams[0] && !streams[1])
        use_serial(wants_stream);
    if (tty) {
        tty_set_console(tty);
        tty_adopt(tty, 1, 1);
        if (window.rows || window.columns)
            tty_set_winsize(tty, window.rows, window.columns);
    }
}

struct file *terminal_open(int fd, enum stdio_kind kind, const struct walk *w)
{
    struct file *f = NULL;

    if (kind == STDIO_PIPE && streams[fd])
        return stream_open(streams[fd], fd == 0 ? O_RDONLY : O_WRONLY);
    if (path_open(w, kind == STDIO_NULL || !tty ? "/dev/null" : "/dev/console", O_RDWR, 0, &f) < 0)
        return NULL;
    return f;
}

void terminal_resize(unsigned rows, unsigned columns)
{
    window.rows = rows;
    window.columns = columns;
    if (tty)
        tty_set_winsize(tty, rows, columns);
}

void terminal_drain(void)
{
    uint64_t deadline = arch_clock_ns() + DRAIN_NS;

    if (tty)
        tty_drain(tty, deadline);
    for (int i = 1; i < 3; i++)
        if (streams[i])
            stream_drain(streams[i], deadline);
}
