/* A call with every combination of the values given for its arguments, one line each: which of
 * several wrong arguments Linux complains about, and that the guest complains about the same.
 *
 * Values that are known at run time only are descriptors of fixed numbers, which matrix_fds()
 * opens, and addresses, which matrix_memory() maps. */
#pragma once

#include "abi.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

struct choice {
    const char *name; /* NULL: the end */
    long value;
};

struct matrix_call {
    const char *name;
    long nr;
    struct choice args[6][14]; /* the last one: NULL */
};

enum {
    FD_FILE = 60, /* read and write, in the current directory, 100 bytes, named "file" */
    FD_RDONLY,
    FD_WRONLY,
    FD_APPEND,
    FD_DIR,
    FD_PATH,     /* O_PATH of "file" */
    FD_PIPE_IN,  /* the end to read, empty and not blocking */
    FD_PIPE_OUT, /* not blocking */
    FD_SOCKET,   /* of a pair of streams, not blocking */
    FD_EPOLL,
    FD_EVENT, /* not blocking, 0 */
    FD_TIMER, /* not blocking, not set */
    FD_NULL,  /* /dev/null */
    FD_END,
    FD_CLOSED = 99,
};

#define MATRIX_READABLE ((char *)0x10000000)             /* two pages, only to be read */
#define MATRIX_WRITABLE ((char *)0x10010000)             /* two pages */
#define MATRIX_EDGE     (MATRIX_WRITABLE + 2 * PAGE - 4) /* four bytes before nothing */

#define FD_(what)        \
    {                    \
#what, FD_##what \
    }
#define NULL_     \
    {             \
        "NULL", 0 \
    }
#define WILD_     \
    {             \
        "wild", 8 \
    }
#define KERNEL_                               \
    {                                         \
        "kernel", (long)0xffffffff81000000ull \
    }
#define READABLE_                    \
    {                                \
        "readable", (long)0x10000000 \
    }
#define WRITABLE_                    \
    {                                \
        "writable", (long)0x10010000 \
    }
#define EDGE_                                   \
    {                                           \
        "edge", (long)0x10010000 + 2 * PAGE - 4 \
    }
#define N_(value)     \
    {                 \
#value, value \
    }

static inline void matrix_place(int fd, int at)
{
    NEED(fd >= 0 && dup2(fd, at) == at && close(fd) == 0);
}

static inline void matrix_fds(void)
{
    int ends[2];
    char text[100];

    umask(022);
    memset(text, 'x', sizeof text);
    matrix_place(open("file", O_RDWR | O_CREAT | O_TRUNC, 0644), FD_FILE);
    NEED(write(FD_FILE, text, sizeof text) == sizeof text && lseek(FD_FILE, 0, SEEK_SET) == 0);
    matrix_place(open("file", O_RDONLY), FD_RDONLY);
    matrix_place(open("file", O_WRONLY), FD_WRONLY);
    matrix_place(open("file", O_RDWR | O_APPEND), FD_APPEND);
    matrix_place(open(".", O_RDONLY | O_DIRECTORY), FD_DIR);
    matrix_place(open("file", O_PATH), FD_PATH);
    NEED(pipe2(ends, O_NONBLOCK) == 0);
    matrix_place(ends[0], FD_PIPE_IN);
    matrix_place(ends[1], FD_PIPE_OUT);
    NEED(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    matrix_place(ends[0], FD_SOCKET);
    matrix_place(epoll_create1(0), FD_EPOLL);
    matrix_place(eventfd(0, EFD_NONBLOCK), FD_EVENT);
    matrix_place(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), FD_TIMER);
    matrix_place(open("/dev/null", O_RDWR), FD_NULL);
}

static inline void matrix_memory(void)
{
    NEED(mmap(MATRIX_READABLE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
              0) == MATRIX_READABLE);
    NEED(mmap(MATRIX_WRITABLE, 2 * PAGE, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MATRIX_WRITABLE);
}

/* What a call gave that must not stay: called with each result that is no error. */
typedef void (*matrix_undo)(long result);

static inline void matrix_close(long fd)
{
    close((int)fd);
}

static inline void matrix_line(const struct matrix_call *call, const size_t *at, long result,
                               int error)
{
    char text[400];
    int len = snprintf(text, sizeof text, "%s(", call->name);

    for (int i = 0; i < 6 && call->args[i][0].name; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s%s", i ? ", " : "",
                        call->args[i][at[i]].name);
    if (result == -1)
        printf("%s): %s\n", text, strerror(error));
    else
        printf("%s): good\n", text);
}

static inline void matrix_one(const struct matrix_call *call, matrix_undo undo)
{
    size_t at[6] = {0};
    int i;

    do {
        long v[6];
        for (i = 0; i < 6; i++)
            v[i] = call->args[i][at[i]].value;
        errno = 0;
        long result = syscall(call->nr, v[0], v[1], v[2], v[3], v[4], v[5]);
        int error = errno;
        if (result != -1 && undo)
            undo(result);
        matrix_line(call, at, result, error);
        for (i = 5; i >= 0; i--) { /* the next combination */
            if (call->args[i][at[i]].name && call->args[i][at[i] + 1].name) {
                at[i]++;
                break;
            }
            at[i] = 0;
        }
    } while (i >= 0);
}

static inline void matrix(const struct matrix_call *calls, size_t nr, matrix_undo undo)
{
    for (size_t i = 0; i < nr; i++)
        matrix_one(&calls[i], undo);
    fflush(stdout);
}
#define MATRIX(calls, undo) matrix(calls, NR(calls), undo)
