/* Credentials: who a task is.
 *
 * A struct cred never changes once a task carries it: a change makes a copy and swaps the pointer under the
 * process's lock, so the task itself reads its own without any lock, and others take a reference under it. */
#include <proc/cred.h>

#include <base/string.h>
#include <core/heap.h>
#include <linux/stat.h>

struct cred *cred_new_root(void)
{
    struct cred *c = heap_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    ref_init(&c->ref);
    c->cap_permitted = c->cap_effective = c->cap_bounding = CRED_ALL_CAPS;
    return c;
}

struct cred *cred_copy(const struct cred *c)
{
    struct cred *copy = heap_alloc(sizeof(*copy));
    if (!copy)
        return NULL;
    *copy = *c;
    ref_init(&copy->ref);
    if (c->nr_groups) {
        size_t size = c->nr_groups * sizeof(*c->groups);
        copy->groups = heap_alloc(size);
        if (!copy->groups) {
            heap_free(copy);
            return NULL;
        }
        memcpy(copy->groups, c->groups, size);
    }
    return copy;
}

void cred_get(struct cred *c)
{
    ref_get(&c->ref);
}

void cred_put(struct cred *c)
{
    if (!ref_put(&c->ref))
        return;
    heap_free(c->groups);
    heap_free(c);
}

void cred_replace(struct cred *c)
{
    struct task *t = current_task();
    mutex_lock(&t->process->lock);
    struct cred *old = t->cred;
    t->cred = c;
    mutex_unlock(&t->process->lock);
    cred_put(old);
}

/* /proc asks from inside a file's lock. */
struct cred *cred_of_task(struct task *t)
{
    mutex_lock_nested(&t->process->lock, RANK_PROCESS_INNER);
    struct cred *c = t->cred;
    cred_get(c);
    mutex_unlock(&t->process->lock);
    return c;
}

struct cred *cred_of_process(struct process *p)
{
    struct cred *c = NULL;
    mutex_lock(&p->lock);
    if (!list_is_empty(&p->tasks)) {
        c = list_entry(p->tasks.next, struct task, process_node)->cred;
        cred_get(c);
    }
    mutex_unlock(&p->lock);
    return c;
}

/* capabilities(7), "Transformation of capabilities during execve()", without file capabilities. */
static void exec_capabilities(struct cred *c)
{
    if (c->euid == 0 || c->uid == 0) {
        c->cap_ambient = 0;
        c->cap_permitted = c->cap_inheritable | c->cap_bounding;
    } else {
        c->cap_permitted = c->cap_ambient;
    }
    c->cap_effective = c->euid == 0 ? c->cap_permitted : c->cap_ambient;
}

int cred_exec(const struct inode *inode)
{
    struct task *t = current_task();
    struct cred *c = cred_copy(t->cred);
    if (!c)
        return -ENOMEM;
    if (!t->process->no_new_privs) {
        if (inode->mode & S_ISUID)
            c->euid = inode->uid;
        if ((inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
            c->egid = inode->gid;
    }
    c->suid = c->fsuid = c->euid;
    c->sgid = c->fsgid = c->egid;
    exec_capabilities(c);
    t->keep_caps = false;
    cred_replace(c);
    return 0;
}
