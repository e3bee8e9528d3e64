/* open(2): its flags and, when several things are wrong at once, which errno wins. */
#include "abi.h"

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

    NEED(fd >= 0 && write(fd, "data", 4) == 4 && close(fd) == 0);
}

/* Prints the result and closes what was opened. */
static void try(const char *text, int fd)
{
    abi_show(text, fd < 0 ? -1 : 0);
    if (fd >= 0)
        close(fd);
}
#define OPEN(...) try("open(" #__VA_ARGS__ ")", (errno = 0, open(__VA_ARGS__)))

int main(void)
{
    char long_name[300], long_path[5000];
    char byte;

    memset(long_name, 'n', 299);
    long_name[299] = 0;
    memset(long_path, '/', 4999);
    long_path[4999] = 0;
    touch("file");
    NEED(mkdir("dir", 0755) == 0 && symlink("file", "link") == 0 &&
         symlink("nowhere", "dangling") == 0);
    NEED(symlink("loop", "loop") == 0 && symlink("dir", "dirlink") == 0);

    OPEN("none", O_RDONLY);
    OPEN("", O_RDONLY);
    OPEN("none/x", O_RDWR | O_CREAT, 0600);
    OPEN("file/x", O_RDONLY);
    OPEN("file/", O_RDONLY);
    OPEN("file/.", O_RDONLY);
    OPEN("dir", O_RDONLY);
    OPEN("dir", O_WRONLY);
    OPEN("dir", O_RDWR);
    OPEN("dir", O_RDONLY | O_CREAT, 0600);
    OPEN("dir/", O_RDONLY | O_DIRECTORY);
    OPEN("dir/.", O_RDONLY);
    OPEN("new/", O_RDWR | O_CREAT, 0600);
    OPEN("file", O_RDONLY | O_DIRECTORY);
    OPEN("file", O_RDWR | O_CREAT | O_EXCL, 0600);
    OPEN("dir", O_RDWR | O_CREAT | O_EXCL, 0600);
    OPEN("link", O_RDWR | O_CREAT | O_EXCL, 0600);
    OPEN("dangling", O_RDWR | O_CREAT | O_EXCL, 0600);
    OPEN("dangling", O_RDONLY);
    OPEN("link", O_RDONLY | O_NOFOLLOW);
    OPEN("dirlink", O_RDONLY | O_NOFOLLOW);
    OPEN("dirlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
    OPEN("dirlink/", O_RDONLY | O_NOFOLLOW);
    OPEN("link", O_PATH | O_NOFOLLOW);
    OPEN("loop", O_RDONLY);
    OPEN("loop/x", O_RDONLY);
    OPEN(long_name, O_RDONLY);
    OPEN(long_path, O_RDONLY);
    OPEN((char *)8, O_RDONLY);
    OPEN("dangling", O_RDWR | O_CREAT, 0600);
    OPEN("nowhere", O_RDONLY);
    OPEN("file", O_RDONLY | O_TRUNC);
    struct stat st;
    stat("file", &st);
    say("size after O_TRUNC: %ld", (long)st.st_size);
    OPEN("dir", O_RDONLY | O_TRUNC);
    OPEN(".", O_TMPFILE | O_RDWR, 0600);
    OPEN(".", O_TMPFILE | O_RDONLY, 0600);
    OPEN("file", O_RDONLY | O_CREAT | O_DIRECTORY, 0600);

    /* What a descriptor may do is decided when it is opened. */
    int ro = open("file", O_RDONLY), wo = open("file", O_WRONLY), path = open("file", O_PATH);
    SHOW(write(ro, "x", 1));
    SHOW(read(wo, &byte, 1));
    SHOW(read(path, &byte, 1));
    SHOW(fstat(path, &st));
    SHOW(syscall(SYS_fchmod, path, 0600));
    SHOW(ftruncate(ro, 0));
    SHOW(ftruncate(path, 0));
    int dir = open("dir", O_RDONLY);
    SHOW(read(dir, &byte, 1));
    SHOW(write(dir, "x", 1));
    SHOW(ftruncate(dir, 0));
    SHOW(lseek(path, 0, SEEK_SET));
    say("flags: %x %x %x", fcntl(ro, F_GETFL) & ~O_LARGEFILE, fcntl(wo, F_GETFL) & ~O_LARGEFILE,
        fcntl(path, F_GETFL) & ~O_LARGEFILE);
    /* The lowest free descriptor. */
    close(ro);
    CHECK(open("file", O_RDONLY) == ro);
    SHOW(chmod("file", 0));
    SHOW(unlink("file"));
    SHOW(unlink("link"));
    SHOW(unlink("loop"));
    SHOW(unlink("dangling"));
    SHOW(unlink("dirlink"));
    SHOW(unlink("nowhere"));
    SHOW(rmdir("dir"));
    return done();
}
