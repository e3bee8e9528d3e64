/* What the command allocates it keeps for good; here it lives until the next input. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../userland/yolk/yolk.h"

static struct block {
    struct block *next;
    max_align_t bytes[];
} * blocks;

void *xrealloc(void *old, size_t size)
{
    struct block *b = old ? (struct block *)((char *)old - offsetof(struct block, bytes)) : NULL;

    for (struct block **at = &blocks; old && *at; at = &(*at)->next) {
        if (*at == b) {
            *at = b->next;
            break;
        }
    }
    b = realloc(b, sizeof(*b) + size);
    b->next = blocks;
    blocks = b;
    return b->bytes;
}

char *xasprintf(const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = xrealloc(NULL, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(args);
    va_end(again);
    return text;
}

static void free_blocks(void)
{
    for (struct block *b; (b = blocks) != NULL; free(b))
        blocks = b->next;
}
