/* The first serial port, polled: log lines and panics, in any context.  Input comes by interrupt,
 * to the terminal driver in dev/uart.c. */
#include "platform.h"

enum {
    COM1 = 0x3f8,
    UART_DATA = COM1,
    UART_IRQ_ENABLE = COM1 + 1,
    UART_FIFO = COM1 + 2,
    UART_LINE = COM1 + 3,
    UART_MODEM = COM1 + 4,
    UART_STATUS = COM1 + 5,
    UART_SCRATCH = COM1 + 7,

    LINE_8N1 = 0x03,
    LINE_DIVISOR = 0x80,
    FIFO_ON = 0x07, /* on, both directions emptied */
    FIFO_SIZE = 16,
    MODEM_READY = 0x0b, /* DTR, RTS, and OUT2, which lets interrupts out */
    IRQ_ON_INPUT = 0x01,
    STATUS_HAS_INPUT = 0x01,
    STATUS_CAN_SEND = 0x20,
    SERIAL_LINE = 4, /* the ISA interrupt of COM1 */
};

static bool is_present;

void serial_init(void)
{
    outb(UART_SCRATCH, 0x5a);
    if (inb(UART_SCRATCH) != 0x5a || inb(UART_STATUS) == 0xff)
        return;
    outb(UART_IRQ_ENABLE, 0);
    outb(UART_LINE, LINE_DIVISOR | LINE_8N1);
    outb(UART_DATA, 1); /* 115200 baud */
    outb(UART_IRQ_ENABLE, 0);
    outb(UART_LINE, LINE_8N1);
    outb(UART_FIFO, FIFO_ON);
    outb(UART_MODEM, MODEM_READY);
    is_present = true;
}

/* A port that never becomes ready (a broken line) costs its time once for each FIFO. */
static void wait_can_send(void)
{
    for (unsigned i = 0; i < 100000 && !(inb(UART_STATUS) & STATUS_CAN_SEND); i++)
        arch_relax();
}

void arch_serial_write(const char *s, size_t n)
{
    if (!is_present)
        return;
    for (size_t i = 0; i < n; i++) {
        if (i % FIFO_SIZE == 0)
            wait_can_send();
        outb(UART_DATA, s[i]);
    }
}

bool arch_serial_is_present(void)
{
    return is_present;
}

bool arch_serial_read(uint8_t *byte)
{
    if (!(inb(UART_STATUS) & STATUS_HAS_INPUT))
        return false;
    *byte = inb(UART_DATA);
    return true;
}

int arch_serial_listen(irq_handler *handler, void *arg)
{
    int ret = arch_irq_line(SERIAL_LINE, false, handler, arg);

    if (ret == 0)
        outb(UART_IRQ_ENABLE, IRQ_ON_INPUT);
    return ret;
}
