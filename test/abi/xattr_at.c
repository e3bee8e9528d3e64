/* The xattr family with a directory's descriptor. */
#include "file_test.h"

#define SET    463
#define GET    464
#define LIST   465
#define REMOVE 466

struct args {
    uint64_t value;
    uint32_t size, flags;
};

static long set(int dir, const char *path, unsigned at, const char *name, const char *value,
                unsigned flags, size_t usize)
{
    struct args a[300] = {{(uintptr_t)value, (uint32_t)strlen(value), flags}};
    return syscall(SET, dir, path, at, name, a, usize);
}

static long get(int dir, const char *path, unsigned at, const char *name, char *to, size_t n,
                unsigned flags)
{
    struct args a = {(uintptr_t)to, (uint32_t)n, flags};
    memset(to, 0, n);
    return syscall(GET, dir, path, at, name, &a, sizeof a);
}

int main(void)
{
    char buf[64];
    enter_test_dir("xattr_at");
    make_file("f", "x");
    NEED(symlink("f", "l") == 0 && mkdir("d", 0755) == 0);
    int dir = open(".", O_RDONLY), fd = open("f", O_RDONLY), place = open("f", O_PATH);
    SHOW(set(dir, "f", 0, "user.a", "one", 0, 16));
    SHOW(set(dir, "l", 0, "user.b", "two", 0, 16));
    SHOW(set(dir, "l", AT_SYMLINK_NOFOLLOW, "user.c", "three", 0, 16));
    SHOW(set(dir, "l", AT_SYMLINK_NOFOLLOW, "trusted.c", "three", 0, 16));
    SHOW(set(fd, "", AT_EMPTY_PATH, "user.d", "four", 0, 16));
    SHOW(set(place, "", AT_EMPTY_PATH, "user.e", "five", 0, 16));
    SHOW(set(fd, "", 0, "user.d", "four", 0, 16));
    SHOW(set(dir, "f", 0, "user.a", "new", 1, 16)); /* XATTR_CREATE */
    SHOW(set(dir, "f", 0, "user.z", "new", 2, 16)); /* XATTR_REPLACE */
    SHOW(set(dir, "f", 0, "user.z", "new", 4, 16));
    SHOW(set(dir, "f", 0x10000, "user.a", "new", 0, 16));
    SHOW(set(dir, "f", 0, "user.a", "new", 0, 15));
    SHOW(set(dir, "f", 0, "user.a", "new", 0, 24));
    SHOW(set(dir, "f", 0, "user.a", "new", 0, 5000));
    SHOW(syscall(SET, dir, "f", 0, "user.a", (void *)8, 16));
    SHOW(set(99, "f", 0, "user.a", "new", 0, 16));
    SHOW(set(dir, "none", 0, "user.a", "new", 0, 16));
    SHOW(set(dir, "f", 0, "", "new", 0, 16));
    SHOW(set(dir, "f", 0, "nothing", "new", 0, 16));
    SHOW(get(dir, "f", 0, "user.a", buf, sizeof buf, 0));
    say("%s", buf);
    SHOW(get(dir, "l", 0, "user.b", buf, sizeof buf, 0));
    say("%s", buf);
    SHOW(get(dir, "l", AT_SYMLINK_NOFOLLOW, "trusted.c", buf, sizeof buf, 0));
    say("%s", buf);
    SHOW(get(fd, "", AT_EMPTY_PATH, "user.d", buf, 0, 0));
    SHOW(get(fd, "", AT_EMPTY_PATH, "user.d", buf, 2, 0));
    SHOW(get(fd, "", AT_EMPTY_PATH, "user.none", buf, 2, 0));
    SHOW(get(dir, "f", 0, "user.a", buf, sizeof buf, 1));
    SHOW(get(dir, "f", 2, "user.a", buf, sizeof buf, 0));
    long n = SHOW(syscall(LIST, dir, "f", 0, buf, sizeof buf));
    for (char *p = buf; n > 0 && p < buf + n; p += strlen(p) + 1)
        CHECK(strncmp(p, "user.", 5) == 0);
    SHOW(syscall(LIST, dir, "f", 0, NULL, 0));
    SHOW(syscall(LIST, dir, "f", 0, buf, 3));
    SHOW(syscall(LIST, dir, "l", AT_SYMLINK_NOFOLLOW, buf, sizeof buf));
    SHOW(syscall(LIST, dir, "f", 1, buf, sizeof buf));
    SHOW(syscall(REMOVE, dir, "f", 0, "user.a"));
    SHOW(syscall(REMOVE, dir, "f", 0, "user.a"));
    SHOW(syscall(REMOVE, dir, "l", AT_SYMLINK_NOFOLLOW, "trusted.c"));
    SHOW(syscall(REMOVE, fd, "", AT_EMPTY_PATH, "user.d"));
    SHOW(syscall(REMOVE, fd, "", 4, "user.d"));
    return done();
}
