/* The line discipline of a terminal: bytes in, edited lines, echo and signals out; termios(3), N_TTY.
 *
 * Pure: no locks, no sleep, no driver.  The caller (tty.c) serialises. */
#pragma once

#include <asm/termbits.h>
#include <base/types.h>

#define LDISC_SIZE \
    4096 /* bytes of input that are kept; the longest line, as on Linux, has 4095 and a newline */

/* Where a call's effects go. */
struct ldisc_sink {
    void (*echo)(struct ldisc_sink *s, const char *bytes,
                 size_t n);                        /* to the screen, processed already */
    void (*signal)(struct ldisc_sink *s, int sig); /* ^C ^\ ^Z, to the foreground group */
    void (*flush_output)(struct ldisc_sink *s);    /* what is not on the screen yet goes */
};

/* Input:  buf[read .. canon)  complete lines, each ended by a byte whose bit in `ends` is set (^D: that byte is 0
 *                             and is not delivered);
 *         buf[canon .. head)  the line being typed, still to be edited.
 * Without ICANON all of buf[read .. head) is there to be read.  The indices only grow. */
struct ldisc {
    struct termios2 settings;
    unsigned read, canon, head;
    unsigned column, line_column; /* of the cursor; where the line being typed began */
    bool is_stopped;              /* ^S: the caller sends nothing while this is set */
    bool is_literal;              /* ^V: the next byte is not special */
    bool is_erasing;              /* ECHOPRT: between \ and / */
    bool is_pushed; /* the last end was made by turning ICANON on: a 0 there is data */
    uint64_t ends[LDISC_SIZE / 64];
    uint8_t buf[LDISC_SIZE];
};

void ldisc_init(struct ldisc *l);

/* Bytes typed: how many were taken; the buffer is full of unread data then. */
size_t ldisc_input(struct ldisc *l, const uint8_t *bytes, size_t n, struct ldisc_sink *sink);

/* Is there something to read?  `as_poll`: as many bytes as poll(2) wants to see in raw mode (VMIN), else one. */
bool ldisc_is_readable(const struct ldisc *l, bool as_poll);
/* Move input out: bytes.  *is_end: a line ended here (with 0 bytes: end of file), so the read(2) does. */
size_t ldisc_read(struct ldisc *l, uint8_t *out, size_t n, bool *is_end);
unsigned ldisc_count(const struct ldisc *l); /* FIONREAD */
void ldisc_flush(struct ldisc *l);           /* TCIFLUSH */

/* One byte of output as the screen gets it: at most LDISC_EXPANSION bytes to `out`. */
#define LDISC_EXPANSION 8
size_t ldisc_output(struct ldisc *l, uint8_t c, char out[LDISC_EXPANSION]);

/* Other settings; input that is there stays. */
void ldisc_set(struct ldisc *l, const struct termios2 *settings);
