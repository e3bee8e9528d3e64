/* The first serial port, polled: log lines and panics, in any context.  Interrupt-driven input belongs to the
 * terminal driver in dev/uart.c. */
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
    STATUS_CAN_SEND = 0x20,
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

/* A port that never becomes ready (flow control, a broken line) costs its time once for each FIFO. */
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
