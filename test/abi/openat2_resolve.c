/* openat2: how far a path may lead (RESOLVE_*), and what its structure may hold. */
#include <linux/openat2.h>

#include "file_test.h"

static int dir;

static void try(const char *path, uint64_t resolve)
{
    struct open_how how = {.flags = O_RDONLY | O_NOCTTY, .resolve = resolve};
    int fd;

    /* openat2(2): a ".." that met a rename or a mount, anywhere in the system, is to be tried again. */
    do {
        errno = 0;
        fd = (int)syscall(437, dir, path, &how, sizeof how);
    } while (fd < 0 && errno == EAGAIN);
    say("%s, %x: %s", path, (unsigned)resolve, fd < 0 ? strerror(errno) : "good");
    if (fd >= 0)
        close(fd);
}

static void with(const char *what, uint64_t flags, uint64_t mode, uint64_t resolve, size_t size)
{
    struct {
        struct open_how how;
        uint64_t more[2];
    } h = {.how = {.flags = flags, .mode = mode, .resolve = resolve}};
    errno = 0;
    int fd = (int)syscall(437, AT_FDCWD, "tree/file", &h, size);

    say("%s: %s", what, fd < 0 ? strerror(errno) : "good");
    if (fd >= 0)
        close(fd);
}

static void make_tree(void)
{
    NEED(mkdir("tree", 0755) == 0 && mkdir("tree/sub", 0755) == 0 && mkdir("outside", 0755) == 0);
    make_file("tree/file", "");
    make_file("outside/secret", "");
    NEED(symlink("file", "tree/link") == 0);
    NEED(symlink("../outside/secret", "tree/up") == 0);
    NEED(symlink("/file", "tree/absolute") == 0);
    NEED(symlink("/proc/self/exe", "tree/magic") == 0);
    NEED(symlink("../../../file", "tree/sub/over") == 0);
    NEED(symlink("sub/../link", "tree/long") == 0);
    NEED(symlink("self", "tree/self") == 0);
}

static void structure(void)
{
    struct open_how how = {.flags = O_RDONLY};
    size_t size = sizeof how;

    with("plain", O_RDONLY, 0, 0, size);
    with("a mode without O_CREAT", O_RDONLY, 0600, 0, size);
    with("O_CREAT", O_CREAT | O_RDWR, 0600, 0, size);
    with("a mode too large", O_CREAT | O_RDWR, 010600, 0, size);
    with("an unknown flag", O_RDONLY | 1ull << 40, 0, 0, size);
    with("another unknown flag", O_RDONLY | 0x8, 0, 0, size);
    with("unknown resolve", O_RDONLY, 0, 0x40, size);
    with("beneath and in root", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT, size);
    with("O_PATH with more", O_PATH | O_RDWR, 0, 0, size);
    with("O_PATH", O_PATH | O_CLOEXEC, 0, 0, size);
    with("O_TMPFILE without O_DIRECTORY", (O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600, 0, size);
    with("O_DIRECTORY with O_CREAT", O_DIRECTORY | O_CREAT | O_RDWR, 0600, 0, size);
    with("too small", O_RDONLY, 0, 0, size - 1);
    with("larger, zeros", O_RDONLY, 0, 0, size + 16);
    SHOW(syscall(437, AT_FDCWD, "tree/file", &how, (size_t)5000));
    SHOW(syscall(437, AT_FDCWD, "tree/file", (void *)8, size));
    SHOW(syscall(437, AT_FDCWD, (void *)8, &how, size));
    SHOW(syscall(437, 99, "file", &how, size));
    uint64_t large[4] = {O_RDONLY, 0, 0, 1};
    SHOW(syscall(437, AT_FDCWD, "tree/file", large, sizeof large));
}

int main(void)
{
    static const char *const paths[] = {"file",
                                        "link",
                                        "up",
                                        "absolute",
                                        "magic",
                                        "sub/over",
                                        "sub/../file",
                                        "../outside/secret",
                                        "sub/../../tree/file",
                                        "/proc/self/exe",
                                        "/",
                                        "..",
                                        ".",
                                        "long",
                                        "self",
                                        "sub/..",
                                        "../tree/file"};
    static const unsigned resolves[] = {0,
                                        RESOLVE_BENEATH,
                                        RESOLVE_IN_ROOT,
                                        RESOLVE_NO_SYMLINKS,
                                        RESOLVE_NO_MAGICLINKS,
                                        RESOLVE_NO_XDEV,
                                        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

    enter_test_dir("resolve");
    make_tree();
    dir = open("tree", O_RDONLY | O_DIRECTORY);
    NEED(dir >= 0);
    for (size_t i = 0; i < NR(paths); i++)
        for (size_t n = 0; n < NR(resolves); n++) {
            bool leads_to_root = !strcmp(paths[i], "/") || !strcmp(paths[i], "absolute");
            if (leads_to_root && resolves[n] == RESOLVE_NO_XDEV)
                continue; /* whether "/" is another mount is the machine's choice */
            try(paths[i], resolves[n]);
        }
    structure();
    return done();
}
