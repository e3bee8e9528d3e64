/* Process structures between the two ABIs and the kernel. */
#include "abi_process.h"

#include "abi.h"

#include <base/string.h>
#include <linux/resource.h>

int user_get_extensible(struct uptr p, size_t size, void *dst, size_t known)
{
    memset(dst, 0, known);
    for (size_t at = known; at < size; at++) {
        char extra;
        if (user_get(uptr_add(p, at), &extra))
            return -EFAULT;
        if (extra)
            return -E2BIG;
    }
    return user_read(dst, p, MIN(size, known));
}

static int put_rusage_32(struct uptr p, const struct process_usage *u)
{
    union i386_rusage user = {.bytes = {0}};

    user.utime_sec = (int32_t)(u->user_ns / 1000000000);
    user.utime_usec = (int32_t)(u->user_ns / 1000 % 1000000);
    user.stime_sec = (int32_t)(u->kernel_ns / 1000000000);
    user.stime_usec = (int32_t)(u->kernel_ns / 1000 % 1000000);
    user.ru_maxrss = (int32_t)(u->max_rss_pages * (PAGE_SIZE / 1024));
    user.ru_minflt = (int32_t)u->minor_faults;
    user.ru_majflt = (int32_t)u->major_faults;
    user.ru_nvcsw = (int32_t)u->voluntary_switches;
    user.ru_nivcsw = (int32_t)u->involuntary_switches;
    return user_put(p, &user);
}

int user_put_rusage(struct uptr p, const struct process_usage *u)
{
    if (caller_is_i386())
        return put_rusage_32(p, u);
    struct rusage user = {
        .ru_utime = {(long)(u->user_ns / 1000000000), (long)(u->user_ns / 1000 % 1000000)},
        .ru_stime = {(long)(u->kernel_ns / 1000000000), (long)(u->kernel_ns / 1000 % 1000000)},
        .ru_maxrss = (long)(u->max_rss_pages * (PAGE_SIZE / 1024)),
        .ru_minflt = (long)u->minor_faults,
        .ru_majflt = (long)u->major_faults,
        .ru_nvcsw = (long)u->voluntary_switches,
        .ru_nivcsw = (long)u->involuntary_switches,
    };
    return user_put(p, &user);
}

int user_get_rlimit(struct uptr p, struct rlimit_pair *r)
{
    struct rlimit64 user;
    if (user_get(p, &user))
        return -EFAULT;
    *r = (struct rlimit_pair){user.rlim_cur, user.rlim_max};
    return 0;
}

int user_put_rlimit(struct uptr p, const struct rlimit_pair *r)
{
    struct rlimit64 user = {r->cur, r->max};
    return user_put(p, &user);
}

/* 32 bits cannot say more than UINT32_MAX, which therefore means no limit at all. */
int user_get_rlimit_word(struct uptr p, struct rlimit_pair *r)
{
    union i386_rlimit user;
    if (!caller_is_i386())
        return user_get_rlimit(p, r);
    if (user_get(p, &user))
        return -EFAULT;
    r->cur = user.rlim_cur == UINT32_MAX ? UINT64_MAX : user.rlim_cur;
    r->max = user.rlim_max == UINT32_MAX ? UINT64_MAX : user.rlim_max;
    return 0;
}

int user_put_rlimit_word(struct uptr p, const struct rlimit_pair *r, uint32_t most)
{
    union i386_rlimit user;
    if (!caller_is_i386())
        return user_put_rlimit(p, r);
    user.rlim_cur = (uint32_t)MIN(r->cur, (uint64_t)most);
    user.rlim_max = (uint32_t)MIN(r->max, (uint64_t)most);
    return user_put(p, &user);
}
