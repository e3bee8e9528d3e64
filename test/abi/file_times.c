/* Time stamps: set by hand, set by what is done to the file, kept where they should be. */
#include "abi.h"

static struct stat before;

static void remember(const char *path)
{
    NEED(lstat(path, &before) == 0);
    sleep_ms(15); /* coarser clocks than this are not used for stamps */
}

static void changed(const char *what, const char *path)
{
    struct stat now;

    NEED(lstat(path, &now) == 0);
#define DIFFERS(f) (memcmp(&now.f, &before.f, sizeof now.f) != 0)
    say("%-28s mtime %d, ctime %d", what, DIFFERS(st_mtim), DIFFERS(st_ctim));
}

int main(void)
{
    struct timespec set[2] = {{1000000000, 123456789}, {2000000000, 987654321}};
    struct stat st;
    int fd = open("f", O_RDWR | O_CREAT, 0600);

    NEED(fd >= 0 && mkdir("d", 0755) == 0);
    remember("f");
    NEED(write(fd, "x", 1) == 1);
    changed("write", "f");
    remember("f");
    fchmod(fd, 0640);
    changed("chmod", "f");
    remember("f");
    NEED(link("f", "g") == 0);
    changed("link", "f");
    remember("f");
    rename("g", "h");
    changed("rename", "f");
    remember("f");
    NEED(ftruncate(fd, 0) == 0);
    changed("truncate", "f");
    remember("f");
    close(open("f", O_RDONLY));
    changed("open", "f");
    remember("d");
    close(open("d/new", O_CREAT | O_WRONLY, 0600));
    changed("a file made in a directory", "d");
    remember("d");
    unlink("d/new");
    changed("a file removed", "d");
    remember("f");
    SHOW(futimens(fd, set));
    changed("futimens", "f");
    fstat(fd, &st);
    say("%ld.%09ld %ld.%09ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec);
    set[0].tv_nsec = UTIME_OMIT;
    set[1].tv_sec = 5;
    SHOW(utimensat(AT_FDCWD, "f", set, 0));
    fstat(fd, &st);
    say("%ld.%09ld %ld.%09ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec);
    set[0].tv_nsec = set[1].tv_nsec = UTIME_NOW;
    SHOW(utimensat(AT_FDCWD, "f", set, 0));
    fstat(fd, &st);
    say("now: %d", labs((long)(st.st_mtim.tv_sec - time(NULL))) <= 2);
    SHOW(utimensat(AT_FDCWD, "f", NULL, 0));
    NEED(symlink("f", "l") == 0);
    set[0] = set[1] = (struct timespec){7, 0};
    SHOW(utimensat(AT_FDCWD, "l", set, AT_SYMLINK_NOFOLLOW));
    lstat("l", &st);
    say("the link: %ld", (long)st.st_mtim.tv_sec);
    stat("l", &st);
    say("its target: %d", st.st_mtim.tv_sec > 1000000);
    set[0].tv_nsec = -1;
    SHOW(utimensat(AT_FDCWD, "f", set, 0));
    set[0].tv_nsec = 1000000000;
    SHOW(utimensat(AT_FDCWD, "f", set, 0));
    SHOW(utimensat(AT_FDCWD, "none", NULL, 0));
    SHOW(utimensat(AT_FDCWD, "f", NULL, 0x800));
    SHOW(syscall(SYS_utimensat, 99, NULL, NULL, 0));
    struct timeval tv[2] = {{100, 5}, {200, 6}};
    SHOW(utimes("f", tv));
    stat("f", &st);
    say("%ld.%09ld %ld.%09ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec);
    unlink("f");
    unlink("h");
    unlink("l");
    rmdir("d");
    return done();
}
