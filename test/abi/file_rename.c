/* rename: over files, over directories, into itself, hard links of one file, and renameat2's flags.
 */
#include "abi.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

static void make(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void look(const char *path)
{
    char text[20] = "";
    struct stat st;

    if (lstat(path, &st)) {
        say("  %s: %s", path, strerror(errno));
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        say("  %s: a directory, %lu links", path, (unsigned long)st.st_nlink);
        return;
    }
    int fd = open(path, O_RDONLY);
    if (read(fd, text, sizeof text - 1) < 0)
        text[0] = 0;
    close(fd);
    say("  %s: \"%s\", %lu links", path, text, (unsigned long)st.st_nlink);
}

static int rename2(const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

int main(void)
{
    char byte;

    make("a", "A");
    make("b", "B");
    int b = open("b", O_RDONLY);
    SHOW(rename("a", "b"));
    look("a");
    look("b");
    SHOW(read(b, &byte, 1));
    say("an open file that was replaced still reads %c", byte);
    SHOW(rename("b", "b"));
    SHOW(link("b", "hard"));
    SHOW(rename("b", "hard")); /* two names of one file: nothing happens */
    look("b");
    look("hard");
    SHOW(mkdir("d1", 0755));
    SHOW(mkdir("d2", 0755));
    SHOW(mkdir("d2/sub", 0755));
    make("d1/f", "F");
    SHOW(rename("b", "d1"));
    SHOW(rename("d1", "b"));
    SHOW(rename("d1", "d2"));
    SHOW(rmdir("d2/sub"));
    SHOW(rename("d1", "d2"));
    look("d1");
    look("d2");
    look("d2/f");
    SHOW(rename("d2", "d2/inside"));
    SHOW(rename("none", "x"));
    SHOW(rename("b", "none/x"));
    SHOW(rename("b", "hard/x"));
    SHOW(rename("", "x"));
    SHOW(rename("b", ""));
    SHOW(rename("d2/.", "x"));
    SHOW(rename("d2", "."));
    SHOW(rename("b/", "x"));
    SHOW(rename("b", "x/"));
    SHOW(rename("d2/", "d3/"));
    look("d3");
    SHOW(symlink("b", "link"));
    SHOW(rename("link", "moved"));
    SHOW(readlink("moved", &byte, 1));
    make("c", "C");
    SHOW(rename2("c", "b", RENAME_NOREPLACE));
    SHOW(rename2("c", "e", RENAME_NOREPLACE));
    SHOW(rename2("e", "b", RENAME_EXCHANGE));
    look("e");
    look("b");
    SHOW(rename2("e", "d3", RENAME_EXCHANGE));
    look("e");
    look("d3");
    SHOW(rename2("e", "none", RENAME_EXCHANGE));
    SHOW(rename2("e", "x", RENAME_EXCHANGE | RENAME_NOREPLACE));
    SHOW(rename2("e", "x", 0x80));
    SHOW(unlink("b"));
    SHOW(unlink("hard"));
    SHOW(unlink("moved"));
    SHOW(unlink("e/f"));
    SHOW(rmdir("e"));
    SHOW(unlink("d3"));
    return done();
}
