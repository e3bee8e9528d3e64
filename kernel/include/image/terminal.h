/* Standard input, output and error, whatever carries them. */
#pragma once

#include <image/cmdline.h>
#include <vfs/path.h>

/* Find the ports or the serial port that the boot line asks for. */
void terminal_init(const struct cmdline *line);
/* Descriptor `fd` as the boot line wants it; a reference for the caller, NULL: it cannot be opened. */
struct file *terminal_open(int fd, enum stdio_kind kind, const struct walk *w);
void terminal_resize(unsigned rows, unsigned columns); /* any context */
/* Wait until the host has taken what was written, for a bounded time. */
void terminal_drain(void);
