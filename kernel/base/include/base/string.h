/* Memory and string functions, compiled from musl's source, and formatting, from klibc's: standard
 * names with the standard's contracts.  No floating point in the formats. */
#pragma once

#include <base/types.h>
#include <stdarg.h>

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

int snprintf(char *buf, size_t size, const char *format, ...) printf_like(3, 4);
int vsnprintf(char *buf, size_t size, const char *format, va_list args);
unsigned long strtoul(const char *s, char **end, int base);
unsigned long long strtoull(const char *s, char **end, int base);

/* snprintf(to, ..., "%s%u", name, nr) for nr < 100.  A boot does without the formatter, which takes an emulator longer to
 * translate than most of the boot's steps. */
static inline void name_with_number(char *to, const char *name, unsigned nr)
{
    while (*name)
        *to++ = *name++;
    if (nr >= 10)
        *to++ = '0' + nr / 10;
    *to++ = '0' + nr % 10;
    *to = '\0';
}
