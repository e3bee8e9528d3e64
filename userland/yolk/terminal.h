/* The person's terminal: raw while a program runs on it, and always put back. */
#pragma once

#include <stdbool.h>

/* False for a job in the background, which is stopped if it reads from the terminal on fd 0 (SIGTTIN). */
bool terminal_is_ours(void);

/* Puts the terminal on fd 0 into raw mode; false when it is none, or not ours.
 * It is put back at exit() and by terminal_restore(). */
bool terminal_make_raw(void);
void terminal_restore(void);
bool terminal_is_raw(void);

/* A descriptor among 0, 1, 2 that writes to a terminal; -1 when there is none. */
int terminal_output_fd(void);
/* False when no terminal is there or it has no size. */
bool terminal_size(unsigned *rows, unsigned *columns);
