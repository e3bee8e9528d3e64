/* Users and groups of i386: the calls of 16 bits, and those whose name says that they have 32. */
#include <base/errno.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/limits.h>
#include <proc/cred.h>
#include <syscalls/bodies.h>

#include "abi_file.h"
#include "i386.h"
#include "id.h"

#define SAME_0(name)             \
    long sys_##name##32_32(void) \
    {                            \
        return sys_##name();     \
    }
#define SAME_1(name)                       \
    long sys_##name##32_32(unsigned id)    \
    {                                      \
        return sys_##name(id);             \
    }                                      \
    long sys_##name##_32(unsigned id)      \
    {                                      \
        return sys_##name(id_from_16(id)); \
    }
#define SAME_2(name)                                     \
    long sys_##name##32_32(unsigned a, unsigned b)       \
    {                                                    \
        return sys_##name(a, b);                         \
    }                                                    \
    long sys_##name##_32(unsigned a, unsigned b)         \
    {                                                    \
        return sys_##name(id_from_16(a), id_from_16(b)); \
    }
#define SAME_3(name)                                                    \
    long sys_##name##32_32(unsigned a, unsigned b, unsigned c)          \
    {                                                                   \
        return sys_##name(a, b, c);                                     \
    }                                                                   \
    long sys_##name##_32(unsigned a, unsigned b, unsigned c)            \
    {                                                                   \
        return sys_##name(id_from_16(a), id_from_16(b), id_from_16(c)); \
    }

SAME_0(getuid)
SAME_0(getgid)
SAME_0(geteuid)
SAME_0(getegid)
SAME_1(setuid)
SAME_1(setgid)
SAME_1(setfsuid)
SAME_1(setfsgid)
SAME_2(setreuid)
SAME_2(setregid)
SAME_3(setresuid)
SAME_3(setresgid)

long sys_getuid_32(void)
{
    return id_to_16(current_cred()->uid);
}

long sys_geteuid_32(void)
{
    return id_to_16(current_cred()->euid);
}

long sys_getgid_32(void)
{
    return id_to_16(current_cred()->gid);
}

long sys_getegid_32(void)
{
    return id_to_16(current_cred()->egid);
}

long sys_getresuid32_32(struct uptr ruid, struct uptr euid, struct uptr suid)
{
    return sys_getresuid(ruid, euid, suid);
}

long sys_getresgid32_32(struct uptr rgid, struct uptr egid, struct uptr sgid)
{
    return sys_getresgid(rgid, egid, sgid);
}

static int put_id(struct uptr p, uint32_t id)
{
    uint16_t small = id_to_16(id);
    return user_put(p, &small);
}

long sys_getresuid_32(struct uptr ruid, struct uptr euid, struct uptr suid)
{
    const struct cred *c = current_cred();
    return put_id(ruid, c->uid) || put_id(euid, c->euid) || put_id(suid, c->suid) ? -EFAULT : 0;
}

long sys_getresgid_32(struct uptr rgid, struct uptr egid, struct uptr sgid)
{
    const struct cred *c = current_cred();
    return put_id(rgid, c->gid) || put_id(egid, c->egid) || put_id(sgid, c->sgid) ? -EFAULT : 0;
}

long sys_getgroups32_32(int size, struct uptr list)
{
    return sys_getgroups(size, list);
}

long sys_setgroups32_32(size_t size, struct uptr list)
{
    return sys_setgroups(size, list);
}

long sys_getgroups_32(int size, struct uptr list)
{
    const struct cred *c = current_cred();
    if (size < 0 || (size && c->nr_groups > (unsigned)size))
        return -EINVAL;
    for (unsigned i = 0; size && i < c->nr_groups; i++)
        if (put_id(uptr_add(list, i * sizeof(uint16_t)), c->groups[i]))
            return -EFAULT;
    return c->nr_groups;
}

long sys_setgroups_32(size_t size, struct uptr list)
{
    unsigned n = (unsigned)size;
    uint32_t *groups;
    long ret = groups_alloc(size, &groups);
    if (ret < 0)
        return ret;
    for (unsigned i = 0; i < n; i++) {
        uint16_t id;
        if (user_get(uptr_add(list, i * sizeof(id)), &id)) {
            heap_free(groups);
            return -EFAULT;
        }
        groups[i] = id_from_16(id);
    }
    return groups_set(groups, n);
}
