/* Process structures between the x86-64 ABI and the kernel. */
#include "abi_process.h"

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

int user_put_rusage(struct uptr p, const struct process_usage *u)
{
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
