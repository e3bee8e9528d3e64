/* renameat2(2) with RENAME_WHITEOUT; fchmodat2(2). */
#include "file_test.h"

#include <sys/sysmacros.h>

#ifndef RENAME_WHITEOUT
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#define RENAME_WHITEOUT  4
#endif
#define NR_fchmodat2 452

static long rename2(const char *from, const char *to, unsigned flags)
{
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void what(const char *name)
{
    struct stat st;
    if (lstat(name, &st) < 0)
        say("  %s: %s", name, strerror(errno));
    else
        say("  %s: mode %o, %u:%u, size %ld, links %lu", name, st.st_mode, major(st.st_rdev),
            minor(st.st_rdev), (long)st.st_size * !S_ISDIR(st.st_mode), (long)st.st_nlink);
}

static void test_whiteout(void)
{
    say("-- whiteout");
    make_file("a", "12345");
    make_file("victim", "x");
    mkdir("d", 0755);
    SHOW(rename2("a", "b", RENAME_WHITEOUT));
    what("a");
    what("b");
    SHOW(open("a", O_RDONLY));
    SHOW(rename2("b", "victim", RENAME_WHITEOUT));
    what("b");
    what("victim");
    SHOW(rename2("victim", "d/moved", RENAME_WHITEOUT | RENAME_NOREPLACE));
    what("victim");
    what("d/moved");
    SHOW(rename2("d/moved", "a", RENAME_WHITEOUT | RENAME_NOREPLACE));
    SHOW(rename2("d/moved", "a", RENAME_WHITEOUT | RENAME_EXCHANGE));
    SHOW(rename2("d/moved", "a", 8));
    SHOW(rename2("d", "e", RENAME_WHITEOUT));
    what("d");
    what("e");
    SHOW(rename2("d", "f", 0)); /* the whiteout itself */
    what("f");
    SHOW(unlink("f"));
    SHOW(rename2("none", "g", RENAME_WHITEOUT));
    what("none");
}

static void test_chmod(void)
{
    say("-- fchmodat2");
    make_file("m", "");
    NEED(symlink("m", "link") == 0);
    int fd = open("m", O_RDONLY), place = open("m", O_PATH), dir = open(".", O_RDONLY);
    SHOW(syscall(NR_fchmodat2, AT_FDCWD, "m", 0600, 0));
    what("m");
    SHOW(syscall(NR_fchmodat2, dir, "link", 0640, 0));
    what("m");
    SHOW(syscall(NR_fchmodat2, dir, "m", 0641, AT_SYMLINK_NOFOLLOW));
    what("m");
    SHOW(syscall(NR_fchmodat2, dir, "link", 0600, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(NR_fchmodat2, fd, "", 0604, AT_EMPTY_PATH));
    what("m");
    SHOW(syscall(NR_fchmodat2, place, "", 0664, AT_EMPTY_PATH));
    what("m");
    SHOW(syscall(NR_fchmodat2, fd, "", 0604, 0));
    SHOW(syscall(NR_fchmodat2, AT_FDCWD, "m", 0604, AT_REMOVEDIR));
    SHOW(syscall(NR_fchmodat2, 99, "m", 0604, 0));
    SHOW(syscall(NR_fchmodat2, fd, "m", 0604, 0));
    SHOW(syscall(NR_fchmodat2, AT_FDCWD, (char *)1, 0604, 0));
    SHOW(syscall(NR_fchmodat2, AT_FDCWD, "none", 0604, 0));
}

int main(void)
{
    enter_test_dir("file_whiteout");
    test_whiteout();
    test_chmod();
    return done();
}
