/* Shared folders: the 9P2000.L client as a file system, over a transport that a driver brings.
 *
 * What the guest sees is what the host has, at most P9_FRESH_NS old: names and attributes are asked for again after
 * that, and a file's cached pages are dropped when it was changed by someone else (looked at when it is opened, and
 * then whenever attributes are).  Writes go to the host before write(2) returns; what a program stores through a
 * shared mapping goes there on msync(2), fsync(2), after the last munmap(2), and at the end. */
#pragma once

#include <base/types.h>

#define P9_FRESH_NS 1000000000ul

struct superblock;

/* Kernel memory in the direct map (heap or pages). */
struct p9_buf {
    void *p;
    uint32_t len;
};

/* Pages that one message carries at most, beside its own bytes: 2 + P9_DATA_PAGES buffers are in one exchange. */
#define P9_DATA_PAGES 32

struct p9_transport {
    const char *tag; /* the name that the host gave the folder */
    /* Send `nr_out` buffers and wait for the answer, which fills the `nr_in` behind them: bytes that came, or -EIO.
     * Thread context; any number of threads at a time. */
    ssize_t (*exchange)(struct p9_transport *t, const struct p9_buf *bufs, unsigned nr_out,
                        unsigned nr_in);
    struct p9_transport *next; /* p9's */
};

/* From a driver's probe, at boot; the transport stays for good. */
void p9_add_transport(struct p9_transport *t);
/* The file system behind `tag`, with one reference for the caller, which may be mounted once: 0; -ENOENT (no such
 * tag), -EBUSY (mounted before), -ENOMEM, -EPROTONOSUPPORT (the host speaks another protocol), or what the host
 * answers.  Thread context. */
must_check int p9_superblock(const char *tag, struct superblock **sb);
