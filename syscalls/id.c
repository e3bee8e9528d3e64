/* Who a thread is: process, group and session ids, users and groups, capabilities.
 *
 * Every change makes a new struct cred (proc/cred.h).  As on Linux a change concerns the calling
 * thread alone; the libraries repeat it in every thread. */
#include <base/string.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/limits.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>

#include "id.h"

#define UNCHANGED UINT32_MAX /* -1: leave this id alone */

/* --- processes -------------------------------------------------------------------------------- */

long sys_getpid(void)
{
    return current_process()->pid;
}

long sys_gettid(void)
{
    return current_task()->tid;
}

long sys_getppid(void)
{
    return atomic_load(&current_process()->parent_pid);
}

/* `get` of the process that has a thread `pid`; 0 is the caller's. */
static long of_process(int pid, int (*get)(struct process *p))
{
    if (pid == 0)
        return get(current_process());
    struct task *t = task_find(pid);
    if (!t)
        return -ESRCH;
    int id = get(t->process);
    task_put(t);
    return id;
}

long sys_getpgid(int pid)
{
    return of_process(pid, process_group);
}

long sys_getpgrp(void)
{
    return process_group(current_process());
}

long sys_getsid(int pid)
{
    return of_process(pid, process_session);
}

long sys_setpgid(int pid, int pgid)
{
    return process_set_group(pid, pgid);
}

long sys_setsid(void)
{
    return process_new_session();
}

/* --- users and groups: reading ---------------------------------------------------------------- */

long sys_getuid(void)
{
    return current_cred()->uid;
}

long sys_geteuid(void)
{
    return current_cred()->euid;
}

long sys_getgid(void)
{
    return current_cred()->gid;
}

long sys_getegid(void)
{
    return current_cred()->egid;
}

static long put_three(struct uptr a, uint32_t va, struct uptr b, uint32_t vb, struct uptr c,
                      uint32_t vc)
{
    return user_put(a, &va) || user_put(b, &vb) || user_put(c, &vc) ? -EFAULT : 0;
}

long sys_getresuid(struct uptr ruid, struct uptr euid, struct uptr suid)
{
    const struct cred *c = current_cred();
    return put_three(ruid, c->uid, euid, c->euid, suid, c->suid);
}

long sys_getresgid(struct uptr rgid, struct uptr egid, struct uptr sgid)
{
    const struct cred *c = current_cred();
    return put_three(rgid, c->gid, egid, c->egid, sgid, c->sgid);
}

/* --- changing --------------------------------------------------------------------------------- */

/* Root's capabilities go when its last zero id does, and come back in part with an effective zero
 * (capabilities(7), "Effect of user ID changes on capabilities"). */
static void adapt_capabilities(struct cred *new, const struct cred *old)
{
    bool was_root = old->uid == 0 || old->euid == 0 || old->suid == 0;
    bool is_root = new->uid == 0 || new->euid == 0 || new->suid == 0;
    if (was_root && !is_root && !current_task()->keep_caps) {
        new->cap_permitted = 0;
        new->cap_effective = 0;
        new->cap_ambient = 0;
    }
    if (old->euid == 0 && new->euid != 0)
        new->cap_effective = 0;
    if (old->euid != 0 && new->euid == 0)
        new->cap_effective = new->cap_permitted;
}

/* Hand `new` to the thread.  Whoever gains other rights is no longer open to others' eyes. */
static long commit(struct cred *new)
{
    const struct cred *old = current_cred();
    struct process *p = current_process();
    if (old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid ||
        old->fsgid != new->fsgid || (new->cap_permitted & ~old->cap_permitted)) {
        p->dumpable = false;
        p->parent_death_signal = 0;
    }
    cred_replace(new);
    return 0;
}

static long reject(struct cred *new)
{
    cred_put(new);
    return -EPERM;
}

long sys_setuid(unsigned uid)
{
    const struct cred *old = current_cred();
    if (uid == UNCHANGED)
        return -EINVAL;
    struct cred *new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    if (cred_has_cap(old, CAP_SETUID))
        new->uid = new->suid = uid;
    else if (uid != old->uid && uid != old->suid)
        return reject(new);
    new->euid = new->fsuid = uid;
    adapt_capabilities(new, old);
    return commit(new);
}

long sys_setgid(unsigned gid)
{
    const struct cred *old = current_cred();
    if (gid == UNCHANGED)
        return -EINVAL;
    struct cred *new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    if (cred_has_cap(old, CAP_SETGID))
        new->gid = new->sgid = gid;
    else if (gid != old->gid && gid != old->sgid)
        return reject(new);
    new->egid = new->fsgid = gid;
    return commit(new);
}

long sys_setreuid(unsigned ruid, unsigned euid)
{
    const struct cred *old = current_cred();
    struct cred *new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    bool may_any = cred_has_cap(old, CAP_SETUID);
    if (ruid != UNCHANGED) {
        new->uid = ruid;
        if (ruid != old->uid && ruid != old->euid && !may_any)
            return reject(new);
    }
    if (euid != UNCHANGED) {
        new->euid = euid;
        if (euid != old->uid && euid != old->euid && euid != old->suid && !may_any)
            return reject(new);
    }
    if (ruid != UNCHANGED || (euid != UNCHANGED && euid != old->uid))
        new->suid = new->euid;
    new->fsuid = new->euid;
    adapt_capabilities(new, old);
    return commit(new);
}

long sys_setregid(unsigned rgid, unsigned egid)
{
    const struct cred *old = current_cred();
    struct cred *new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    bool may_any = cred_has_cap(old, CAP_SETGID);
    if (rgid != UNCHANGED) {
        new->gid = rgid;
        if (rgid != old->gid && rgid != old->egid && !may_any)
            return reject(new);
    }
    if (egid != UNCHANGED) {
        new->egid = egid;
        if (egid != old->gid && egid != old->egid && egid != old->sgid && !may_any)
            return reject(new);
    }
    if (rgid != UNCHANGED || (egid != UNCHANGED && egid != old->gid))
        new->sgid = new->egid;
    new->fsgid = new->egid;
    return commit(new);
}

static bool is_one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
    return id == UNCHANGED || id == a || id == b || id == c;
}

long sys_setresuid(unsigned ruid, unsigned euid, unsigned suid)
{
    const struct cred *old = current_cred();
    if (!cred_has_cap(old, CAP_SETUID) && !(is_one_of(ruid, old->uid, old->euid, old->suid) &&
                                            is_one_of(euid, old->uid, old->euid, old->suid) &&
                                            is_one_of(suid, old->uid, old->euid, old->suid)))
        return -EPERM;
    struct cred *new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    new->uid = ruid != UNCHANGED ? ruid : old->uid;
    new->euid = euid != UNCHANGED ? euid : old->euid;
    new->suid = suid != UNCHANGED ? suid : old->suid;
    new->fsuid = new->euid;
    adapt_capabilities(new, old);
    return commit(new);
}

long sys_setresgid(unsigned rgid, unsigned egid, unsigned sgid)
{
    const struct cred *old = current_cred();
    if (!cred_has_cap(old, CAP_SETGID) && !(is_one_of(rgid, old->gid, old->egid, old->sgid) &&
                                            is_one_of(egid, old->gid, old->egid, old->sgid) &&
                                            is_one_of(sgid, old->gid, old->egid, old->sgid)))
        return -EPERM;
    struct cred *new = cred_copy(old);
    if (!new)
        return -ENOMEM;
    new->gid = rgid != UNCHANGED ? rgid : old->gid;
    new->egid = egid != UNCHANGED ? egid : old->egid;
    new->sgid = sgid != UNCHANGED ? sgid : old->sgid;
    new->fsgid = new->egid;
    return commit(new);
}

/* The capabilities that concern files follow the file-system uid. */
#define CAPS_OF_FILES                                                                              \
    (1UL << CAP_CHOWN | 1UL << CAP_DAC_OVERRIDE | 1UL << CAP_DAC_READ_SEARCH | 1UL << CAP_FOWNER | \
     1UL << CAP_FSETID | 1UL << CAP_LINUX_IMMUTABLE | 1UL << CAP_MKNOD | 1UL << CAP_MAC_OVERRIDE)

/* Both answer the old id, whatever becomes of the change. */
long sys_setfsuid(unsigned fsuid)
{
    const struct cred *old = current_cred();
    uint32_t before = old->fsuid;
    if (fsuid == UNCHANGED || fsuid == before)
        return before;
    if (!is_one_of(fsuid, old->uid, old->euid, old->suid) && !cred_has_cap(old, CAP_SETUID))
        return before;
    struct cred *new = cred_copy(old);
    if (!new)
        return before;
    new->fsuid = fsuid;
    if (before == 0)
        new->cap_effective &= ~CAPS_OF_FILES;
    else if (fsuid == 0)
        new->cap_effective |= new->cap_permitted &CAPS_OF_FILES;
    commit(new);
    return before;
}

long sys_setfsgid(unsigned fsgid)
{
    const struct cred *old = current_cred();
    uint32_t before = old->fsgid;
    if (fsgid == UNCHANGED || fsgid == before)
        return before;
    if (!is_one_of(fsgid, old->gid, old->egid, old->sgid) && !cred_has_cap(old, CAP_SETGID))
        return before;
    struct cred *new = cred_copy(old);
    if (!new)
        return before;
    new->fsgid = fsgid;
    commit(new);
    return before;
}

/* --- supplementary groups --------------------------------------------------------------------- */

long sys_getgroups(int size, struct uptr list)
{
    const struct cred *c = current_cred();
    if (size < 0)
        return -EINVAL;
    if (size && c->nr_groups > (unsigned)size)
        return -EINVAL;
    if (size && user_write(list, c->groups, c->nr_groups * sizeof(*c->groups)))
        return -EFAULT;
    return c->nr_groups;
}

/* In rising order, as getgroups shows them (Shell's method: no memory, fast enough for 65536). */
static void sort_groups(uint32_t *g, size_t n)
{
    for (size_t gap = n / 2; gap; gap /= 2) {
        for (size_t i = gap; i < n; i++) {
            uint32_t v = g[i];
            size_t k = i;
            for (; k >= gap && g[k - gap] > v; k -= gap)
                g[k] = g[k - gap];
            g[k] = v;
        }
    }
}

static bool is_valid_list(const uint32_t *groups, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (groups[i] == UNCHANGED)
            return false;
    return true;
}

long groups_set(uint32_t *groups, unsigned n)
{
    bool is_valid = is_valid_list(groups, n);
    struct cred *new = is_valid ? cred_copy(current_cred()) : NULL;
    if (!new) {
        heap_free(groups);
        return is_valid ? -ENOMEM : -EINVAL;
    }
    sort_groups(groups, n);
    heap_free(new->groups);
    new->groups = groups;
    new->nr_groups = n;
    return commit(new);
}

long groups_alloc(size_t size, uint32_t **groups)
{
    unsigned n = (unsigned)size;
    if (!cred_has_cap(current_cred(), CAP_SETGID))
        return -EPERM;
    if (n > NGROUPS_MAX)
        return -EINVAL;
    *groups = n ? heap_alloc(n * sizeof(**groups)) : NULL;
    return n && !*groups ? -ENOMEM : 0;
}

long sys_setgroups(size_t size, struct uptr list)
{
    unsigned n = (unsigned)size;
    uint32_t *groups;
    long ret = groups_alloc(size, &groups);
    if (ret < 0)
        return ret;
    if (n && user_read(groups, list, n * sizeof(*groups))) {
        heap_free(groups);
        return -EFAULT;
    }
    return groups_set(groups, n);
}

/* --- capabilities ----------------------------------------------------------------------------- */

struct cap_request {
    int pid;
    unsigned words; /* 32-bit words of each set that the caller's version has */
};

/* The header.  An unknown version is answered with the current one: -EINVAL. */
static int get_cap_header(struct uptr hdrp, struct cap_request *r)
{
    struct __user_cap_header_struct h;
    uint32_t current_version = _LINUX_CAPABILITY_VERSION_3;
    if (user_get(hdrp, &h))
        return -EFAULT;
    r->pid = h.pid;
    switch (h.version) {
    case _LINUX_CAPABILITY_VERSION_1:
        r->words = _LINUX_CAPABILITY_U32S_1;
        return 0;
    case _LINUX_CAPABILITY_VERSION_2:
    case _LINUX_CAPABILITY_VERSION_3:
        r->words = _LINUX_CAPABILITY_U32S_3;
        return 0;
    }
    return user_put(hdrp, &current_version) ? -EFAULT : -EINVAL;
}

static int get_cred_of(int pid, struct cred **out)
{
    struct task *t = pid ? task_find(pid) : current_task();
    if (!t)
        return -ESRCH;
    *out = cred_of_task(t);
    if (pid)
        task_put(t);
    return 0;
}

long sys_capget(struct uptr hdrp, struct uptr datap)
{
    struct cap_request r;
    struct cred *c;
    int err = get_cap_header(hdrp, &r);
    if (uptr_is_null(datap) && (!err || err == -EINVAL)) /* a question for the version only */
        return 0;
    if (err)
        return err;
    if (r.pid < 0)
        return -EINVAL;
    err = get_cred_of(r.pid, &c);
    if (err)
        return err;
    struct __user_cap_data_struct d[2];
    for (unsigned i = 0; i < 2; i++)
        d[i] = (struct __user_cap_data_struct){
            .effective = (uint32_t)(c->cap_effective >> (32 * i)),
            .permitted = (uint32_t)(c->cap_permitted >> (32 * i)),
            .inheritable = (uint32_t)(c->cap_inheritable >> (32 * i))};
    cred_put(c);
    return user_write(datap, d, r.words * sizeof(d[0]));
}

/* The rules of capset(2). */
static int check_caps(const struct cred *old, const struct cred *new)
{
    uint64_t may_inherit = old->cap_inheritable | old->cap_permitted;
    if (!cred_has_cap(old, CAP_SETPCAP) && (new->cap_inheritable & ~may_inherit))
        return -EPERM;
    if (new->cap_inheritable & ~(old->cap_inheritable | old->cap_bounding))
        return -EPERM;
    if (new->cap_permitted & ~old->cap_permitted)
        return -EPERM;
    return new->cap_effective & ~new->cap_permitted ? -EPERM : 0;
}

long sys_capset(struct uptr hdrp, struct uptr datap)
{
    struct cap_request r;
    struct __user_cap_data_struct d[2] = {0};
    int err = get_cap_header(hdrp, &r);
    if (err)
        return err;
    if (r.pid && r.pid != current_task()->tid)
        return -EPERM;
    if (user_read(d, datap, r.words * sizeof(d[0])))
        return -EFAULT;
    struct cred *new = cred_copy(current_cred());
    if (!new)
        return -ENOMEM;
    new->cap_effective = ((uint64_t)d[1].effective << 32 | d[0].effective) & CRED_ALL_CAPS;
    new->cap_permitted = ((uint64_t)d[1].permitted << 32 | d[0].permitted) & CRED_ALL_CAPS;
    new->cap_inheritable = ((uint64_t)d[1].inheritable << 32 | d[0].inheritable) & CRED_ALL_CAPS;
    if (check_caps(current_cred(), new))
        return reject(new);
    new->cap_ambient &= new->cap_permitted &new->cap_inheritable;
    return commit(new);
}
