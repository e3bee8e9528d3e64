/* The SDK's view of the caller and of memory; contracts in <yolk/sdk.h>. */
#include <core/heap.h>
#include <core/usercopy.h>
#include <proc/process.h>
#include <yolk/sdk.h>

#include "custom.h"

bool yolk_caller_is_i386(void)
{
    return current_task()->is_i386;
}

int yolk_tid(void)
{
    return current_task()->tid;
}

int yolk_pid(void)
{
    return current_process()->pid;
}

int yolk_read_user(void *to, struct uptr from, size_t n)
{
    custom_check(to);
    return user_read(to, from, n);
}

int yolk_write_user(struct uptr to, const void *from, size_t n)
{
    custom_check(from);
    return user_write(to, from, n);
}

long yolk_read_user_string(char *to, struct uptr from, size_t size)
{
    custom_check(to);
    return user_read_string(to, from, size);
}

static size_t word_size(void)
{
    return yolk_caller_is_i386() ? sizeof(uint32_t) : sizeof(uint64_t);
}

int yolk_read_user_word(unsigned long *to, struct uptr from)
{
    custom_check(to);
    *to = 0;
    return user_read(to, from, word_size());
}

int yolk_write_user_word(struct uptr to, unsigned long word)
{
    return user_write(to, &word, word_size());
}

void *yolk_alloc(size_t size)
{
    return heap_zalloc(size);
}

void yolk_free(void *p)
{
    if (p)
        custom_check(p);
    heap_free(p);
}

void yolk_log_line(enum yolk_level level, const char *line)
{
    custom_check(line);
    log_line((enum log_level)MIN(MAX(level, YOLK_LOG_ERROR), YOLK_LOG_DEBUG), "%s: %s",
             custom_current()->name, line);
}
