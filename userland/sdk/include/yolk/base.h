/* What every handler has before it asks anything of the kernel: types and the C library's memory and string functions,
 * with the standard's contracts.  They are the handlers' own copies: a wild user pointer given to one of them is the
 * handler's fault, which the kernel survives (sdk.h). */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;

/* An address in the program.  Never to be looked through: yolk_read_user and yolk_write_user do. */
struct uptr {
    uintptr_t va;
};

#define must_check __attribute__((warn_unused_result))

static inline struct uptr uptr_add(struct uptr p, size_t n)
{
    return (struct uptr){p.va + n};
}

static inline bool uptr_is_null(struct uptr p)
{
    return p.va == 0;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *needle);
size_t strlcpy(char *dst, const char *src, size_t size);
unsigned long strtoul(const char *s, char **end, int base);
int vsnprintf(char *buf, size_t size, const char *format, va_list args);

/* No floating point. */
__attribute__((unused, format(printf, 3, 4))) static int snprintf(char *buf, size_t size,
                                                                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(buf, size, format, args);
    va_end(args);
    return len;
}
