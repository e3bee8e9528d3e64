/* Deferred work: run a function in a kernel thread soon.  For interrupt handlers and reapers. */
#pragma once

#include <base/list.h>

struct work {
    struct list node;
    void (*fn)(struct work *w);
    bool is_queued;
};

void work_init(struct work *w, void (*fn)(struct work *w));
/* Queue once; again only after it started to run.  Any context. */
void work_queue(struct work *w);
