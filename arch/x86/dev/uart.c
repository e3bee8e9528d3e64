/* The first serial port as a terminal: output is polled (the port may also carry log lines and panics), input comes
 * by interrupt.  A serial port has no end of file: a stream on it never ends. */
#include <archdev/uart.h>
#include <arch/arch.h>
#include <base/log.h>

static struct {
    struct tty *tty;
    struct stream *stream;
} uart;

static size_t uart_write(struct tty_driver *d, const void *bytes, size_t n)
{
    (void)d;
    arch_serial_write(bytes, n);
    return n;
}

static struct tty_driver driver = {.name = "ttyS0", .major = 4, .minor = 64, .write = uart_write};

/* What the line discipline refuses when its buffer is full is dropped, as a real line would drop it. */
static void uart_interrupt(void *unused)
{
    uint8_t buf[16];
    size_t n = 0;
    bool more;

    (void)unused;
    do {
        more = arch_serial_read(&buf[n]);
        if (more)
            n++;
        if (n == sizeof(buf) || (!more && n > 0)) {
            if (uart.tty)
                tty_input(uart.tty, buf, n);
            else
                stream_input(uart.stream, buf, n);
            n = 0;
        }
    } while (more);
}

struct tty_driver *uart_driver(void)
{
    return arch_serial_is_present() ? &driver : NULL;
}

void uart_attach(struct tty *tty, struct stream *stream)
{
    uart.tty = tty;
    uart.stream = stream;
    if (arch_serial_listen(uart_interrupt, NULL) < 0)
        log_warn("the serial port has no interrupt: it takes no input");
    uart_interrupt(NULL); /* what came before anybody listened */
}
