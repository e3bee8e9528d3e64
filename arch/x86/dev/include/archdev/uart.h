/* The serial port as a terminal or as a stream. */
#pragma once

#include <vfs/stream.h>
#include <vfs/tty.h>

/* The driver of the first serial port; NULL when the machine has none. */
struct tty_driver *uart_driver(void);
/* Where input goes from now on; one of the two is NULL.  Boot, once. */
void uart_attach(struct tty *tty, struct stream *stream);
