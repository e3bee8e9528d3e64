/* Credentials: struct cred (vfs/inode.h) is immutable once a task carries it, so a reference is all it takes. */
#pragma once

#include <linux/capability.h>
#include <proc/process.h>

struct cred *cred_new_root(void) must_check; /* uid 0, every capability; NULL: no memory */
struct cred *cred_copy(const struct cred *c) must_check; /* private, to be changed and then set */
void cred_get(struct cred *c);
void cred_put(struct cred *c);

/* The current task's: stays valid until the task itself calls cred_replace, so no reference is needed. */
static inline const struct cred *current_cred(void)
{
    return current_task()->cred;
}
/* Give the current task other credentials; takes the reference over. */
void cred_replace(struct cred *c);
/* Another task's, or that of a process (its oldest task's), referenced; NULL when no task is left.  Not for who holds
 * the process's lock: t->cred is his to read. */
struct cred *cred_of_task(struct task *t);
struct cred *cred_of_process(struct process *p);

#define CRED_ALL_CAPS ((1UL << (CAP_LAST_CAP + 1)) - 1)
/* execve(2) of `inode`: set-user-id bits, capabilities from ids (root has all), saved ids.  0 or -ENOMEM. */
must_check int cred_exec(const struct inode *inode);
