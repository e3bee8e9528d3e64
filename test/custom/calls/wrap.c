/* Wraps: another result, another argument, only looking, waiting, a call that is missing, i386's own. */
#include <yolk/sdk.h>

long wrap_getppid(void)
{
    return original_getppid() + 1000;
}

long wrap_umask(unsigned mask)
{
    return original_umask(mask | 0700);
}

/* "?" of a write of one byte tells how many bytes were written before; all else passes. */
long wrap_write(int fd, struct uptr buf, size_t count)
{
    static size_t written;
    char byte;

    if (count == 1 && !yolk_read_user(&byte, buf, 1) && byte == '?')
        return (long)__atomic_load_n(&written, __ATOMIC_RELAXED);
    long n = original_write(fd, buf, count);
    if (n > 0)
        __atomic_add_fetch(&written, (size_t)n, __ATOMIC_RELAXED);
    return n;
}

/* A restart code passes through, too. */
long wrap_pause(void)
{
    return original_pause();
}

long wrap_ptrace(unsigned long request, unsigned long b, unsigned long c, unsigned long d,
                 unsigned long e, unsigned long f)
{
    return request == 7 ? 42 : original_ptrace(request, b, c, d, e, f);
}

long wrap_lchown_32(struct uptr path, unsigned owner, unsigned group)
{
    return -EDOM;
}
