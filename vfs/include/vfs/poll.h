/* Waiting for several files at once: poll(2) and select(2), behind the system calls. */
#pragma once

#include <arch/arch.h>
#include <vfs/file.h>

/* One file to wait for. */
struct poll_slot {
    /* referenced by the caller; NULL: revents is the caller's business and counts */
    struct file *file;
    uint32_t events;  /* asked for; POLLERR and POLLHUP are added */
    uint32_t revents; /* out */
    int fd;           /* the caller's */
};

/* How long.  The clock is read only when there is something to wait for. */
struct poll_timeout {
    int64_t ns;        /* < 0: for ever; 0: do not sleep */
    uint64_t deadline; /* out, and in for a restarted call; 0: nobody has slept yet */
};

/* Fill revents of each: how many slots are ready, 0 at the deadline; -EINTR, -ENOMEM. */
must_check int poll_files(struct poll_slot *slots, unsigned nr, struct poll_timeout *timeout);

/* A deadline `ns` (>= 0) from now; saturates. */
static inline uint64_t deadline_after(int64_t ns)
{
    uint64_t deadline = arch_clock_ns() + (uint64_t)ns;
    return deadline < (uint64_t)ns ? TIME_NEVER : deadline;
}
