/* The pairing heap of timer.c, on its own so that a host test can exercise it. */
#pragma once

#include <core/timer.h>

/* Both answer the new root; NULL is the empty heap. */
struct timer *timer_heap_add(struct timer *root, struct timer *t);
struct timer *timer_heap_remove(struct timer *root, struct timer *t);
