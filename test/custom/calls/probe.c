/* The bodies of probe.def's calls. */
#include <yolk/sdk.h>

long sys_probe_add(int a, int b)
{
    return a + b;
}

long sys_probe_wide(int64_t a, int64_t b, unsigned c)
{
    return a == 0x123456789abcdef0 && b == -2 && c == 0xfffffffe ? 1 : 0;
}

long sys_probe_copy(struct uptr from, size_t size, struct uptr to, size_t room)
{
    if (size > room)
        return -ERANGE;
    char *bytes = yolk_alloc(size);
    if (!bytes)
        return -ENOMEM;
    long err = yolk_read_user(bytes, from, size);
    if (!err)
        err = yolk_write_user(to, bytes, size);
    yolk_free(bytes);
    return err ? err : (long)size;
}

long sys_probe_file(struct uptr path, struct uptr buf, size_t size)
{
    char name[256], bytes[64];
    struct yolk_file *file;
    int64_t pos = 1;
    long err = yolk_read_user_string(name, path, sizeof(name));

    if (err >= 0)
        err = yolk_open(name, O_RDONLY, 0, &file);
    if (err < 0)
        return err;
    ssize_t n = yolk_read(file, bytes, size < sizeof(bytes) ? size : sizeof(bytes), &pos);
    yolk_close(file);
    if (n > 0 && yolk_write_user(buf, bytes, (size_t)n))
        return -EFAULT;
    return n;
}

long sys_probe_fd(int fd, struct uptr text)
{
    char bytes[64];
    struct yolk_file *file;
    long len = yolk_read_user_string(bytes, text, sizeof(bytes));

    if (len < 0)
        return len;
    int err = yolk_file_of_fd(fd, &file);
    if (err)
        return err;
    ssize_t n = yolk_write(file, bytes, (size_t)len, NULL);
    int new = n < 0 ? (int)n : yolk_fd_of_file(file, O_CLOEXEC);
    if (new < 0)
        yolk_close(file);
    return new;
}

long sys_probe_word(struct uptr word)
{
    unsigned long value;
    int err = yolk_read_user_word(&value, word);

    return err ? err : yolk_write_user_word(word, value + (yolk_caller_is_i386() ? 32 : 64));
}

long sys_probe_own(int value)
{
    return value + 64;
}

long sys_probe_own_32(int value)
{
    return value + 32;
}
