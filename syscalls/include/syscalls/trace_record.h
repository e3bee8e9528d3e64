/* What the kernel sends of a traced program (docs/DESIGN.md): records, one behind the other, in the machine's own byte
 * order.  A record is this head, then chunks of the program's memory.
 *
 * Records come in the order of their CPUs' rings; `seq` is the order in which they were made, without gaps. */
#pragma once

#include <stdint.h>

#define TRACE_VERSION 1

enum trace_type {
    TRACE_HELLO, /* the first: arg 0 is TRACE_VERSION, arg 1 what to add to `time_ns` for the wall clock */
    TRACE_ENTER,  /* a call begins */
    TRACE_LEAVE,  /* and ends, with `ret` */
    TRACE_SIGNAL, /* `nr` is delivered; its siginfo is the chunk at TRACE_SIGINFO_AT */
    TRACE_EXIT,   /* the thread ends; `ret` is its wait(2) status */
    TRACE_CLONE,  /* the thread begins; its first */
    TRACE_STOP,   /* signal `nr` stops it */
    TRACE_END,    /* the last; arg 0 says how many records were lost */
};

#define TRACE_SIGINFO_AT 0x1000

struct trace_record {
    uint32_t size; /* of all, a multiple of 8 */
    uint8_t type, abi;
    uint16_t cpu;
    uint32_t tid, nr;
    uint64_t seq;
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    uint64_t cpu_ns;  /* what the thread has run so far */
    int64_t ret;
    uint64_t arg[6];
    uint64_t extra; /* rt_sigreturn's mask: struct trace's saved_mask_at */
};

/* `got` of the `asked` bytes at `addr`, padded to a multiple of 8. */
struct trace_chunk {
    uint64_t addr;
    uint32_t asked, got;
};
