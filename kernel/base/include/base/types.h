/* The vocabulary every file shares: fixed-size integers, addresses of different worlds, attributes.
 *
 * A user address is a struct uptr and a physical one a struct paddr, so that mixing them up with each
 * other or with a kernel pointer does not compile.  Only usercopy.c looks inside a struct uptr to
 * reach memory. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

typedef long ssize_t;

/* An address in the user program. */
struct uptr {
    uintptr_t va;
};

/* A physical address. */
struct paddr {
    uint64_t pa;
};

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
/* Compiled for size in a file that is compiled for speed (cmake/hot.cmake). */
#define seldom_called __attribute__((cold))
/* Smaller in place than as a call, which a compiler that is to make things small does not see. */
#define short_inline inline __attribute__((always_inline))
#define likely(x)    __builtin_expect(!!(x), 1)
#define unlikely(x)  __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/* `align` is a power of two. */
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align)-1))
#define ALIGN_UP(x, align)   ALIGN_DOWN((x) + ((__typeof__(x))(align)-1), align)

/* The struct that holds `member` at `ptr`. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline struct uptr uptr_add(struct uptr p, size_t n)
{
    return (struct uptr){p.va + n};
}

/* A raw word that is a pointer or a number, depending on a command (ioctl, fcntl, prctl). */
static inline struct uptr uptr_of_word(unsigned long word)
{
    return (struct uptr){word};
}

static inline unsigned long uptr_word(struct uptr p)
{
    return p.va;
}

static inline bool uptr_is_null(struct uptr p)
{
    return p.va == 0;
}
