/* Streams: standard input and output as pipes to the outside, over a terminal's driver.  Bytes pass untouched,
 * fstat says S_IFIFO. */
#pragma once

#include <vfs/tty.h>

struct stream;

struct stream *stream_new(struct tty_driver *driver) must_check; /* NULL: no memory */
/* A file on it: O_RDONLY or O_WRONLY.  NULL: no memory. */
struct file *stream_open(struct stream *s, int flags) must_check;

/* For drivers, as their counterparts in tty.h. */
size_t stream_input(struct stream *s, const void *bytes, size_t n);
void stream_output_ready(struct stream *s);
/* No more input will come: readers get end of file after what is there. */
void stream_end(struct stream *s);
/* Nobody takes our output any more: writers get -EPIPE. */
void stream_break(struct stream *s);
/* Wait until everything written has been given to the driver. */
void stream_drain(struct stream *s, uint64_t deadline);
