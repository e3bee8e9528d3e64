/* Between the functions of the SDK and the call that they serve. */
#pragma once

#include <base/types.h>
#include <syscalls/syscall.h>

/* A handler's body behind its argument words. */
typedef long custom_body(const uint64_t arg[SYSCALL_MAX_ARGS]);

/* What generated code calls (userland/yolk/custom_table.c): run the handler `name`. */
long custom_run(const char *name, custom_body *body, const uint64_t arg[SYSCALL_MAX_ARGS]);
/* The bodies of custom_table()'s rows; generated. */
extern custom_body *const custom_bodies[];

/* The call that the current thread is in. */
struct custom_frame {
    const char *name;
    unsigned nr_locks; /* of yolk_lock that it holds */
    void *jump[5];     /* back to custom_run */
};
struct custom_frame *custom_current(void);

/* A pointer that a handler gave and that is to be kernel memory: when it is not, the call ends here. */
void custom_check(const void *p);
