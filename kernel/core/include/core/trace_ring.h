/* A ring of records for each CPU, and their one reader.
 *
 * Whoever has a record puts it into the ring of the CPU that he runs on; when that is full he sleeps until the reader
 * has made room, so that nothing is lost.  What a record says is not known here, but for the two fields that put it in
 * order. */
#pragma once

#include <base/types.h>

#define TRACE_RING_SIZE  0x20000
#define TRACE_RECORD_MAX (TRACE_RING_SIZE / 2)

/* Make the rings; once, at boot, on the boot CPU.  0 or -ENOMEM. */
must_check int trace_ring_init(void);
/* Put one record of n bytes, a multiple of 8 up to TRACE_RECORD_MAX, after filling in *seq and *cpu, which lie in it.
 * Thread context, no lock held; sleeps. */
void trace_ring_put(const void *record, size_t n, uint64_t *seq, uint16_t *cpu);
/* Take what is in one of the rings, whole records of at most TRACE_RING_SIZE bytes in all: how many bytes; 0: there are
 * none now.  One reader at a time. */
size_t trace_ring_take(void *buf);
/* The reader sleeps until there is something to take (a little later than it is there, so that there is more). */
void trace_ring_wait(void);
/* Sleep until all that was put is taken. */
void trace_ring_drain(void);
