/* Symbolic links: reading, following, chains, loops, and what does not follow. */
#include "abi.h"

int main(void)
{
    char text[100] = "", name[20], target[20];
    struct stat st;

    NEED(mkdir("d", 0755) == 0 && close(open("d/f", O_CREAT | O_WRONLY, 0600)) == 0);
    SHOW(symlink("d/f", "l"));
    SHOW(readlink("l", text, sizeof text));
    say("%s", text);
    memset(text, '.', 10);
    SHOW(readlink("l", text, 2));
    say("%.4s", text);
    SHOW(syscall(SYS_readlink, "l", text, 0));
    SHOW(readlink("d", text, sizeof text));
    SHOW(readlink("none", text, sizeof text));
    SHOW(readlink("l/x", text, sizeof text));
    SHOW(readlink("l", (char *)8, 10));
    SHOW(symlink("x", "l"));
    SHOW(symlink("", "empty"));
    SHOW(symlink("x", ""));
    SHOW(symlink("x", "none/l"));
    SHOW(lstat("l", &st));
    say("size %ld, mode %o", (long)st.st_size, st.st_mode);
    SHOW(stat("l", &st));
    say("size %ld, a file: %d", (long)st.st_size, S_ISREG(st.st_mode));
    /* Relative to where the link is, not to where we are. */
    SHOW(symlink("f", "d/rel"));
    SHOW(stat("d/rel", &st));
    SHOW(symlink("../d/./rel", "d/long"));
    SHOW(stat("d/long", &st));
    SHOW(symlink("d", "dl"));
    SHOW(stat("dl/../d/f", &st));
    SHOW(stat("dl/f", &st));
    SHOW(lstat("dl/", &st));
    say("with a slash it is the directory: %d", S_ISDIR(st.st_mode));
    SHOW(stat("l/", &st));
    /* A chain of 40 is followed, one of 41 is not. */
    for (int i = 0; i < 42; i++) {
        snprintf(name, sizeof name, "c%d", i);
        snprintf(target, sizeof target, i ? "c%d" : "d/f", i - 1);
        NEED(symlink(target, name) == 0);
    }
    SHOW(stat("c39", &st));
    SHOW(stat("c40", &st));
    SHOW(lstat("c41", &st));
    for (int i = 0; i < 42; i++) {
        snprintf(name, sizeof name, "c%d", i);
        unlink(name);
    }
    SHOW(symlink("loop2", "loop1"));
    SHOW(symlink("loop1", "loop2"));
    SHOW(stat("loop1", &st));
    SHOW(mkdir("loop1", 0700));
    SHOW(chmod("loop1", 0700));
    /* What follows and what does not. */
    SHOW(chmod("l", 0640));
    stat("d/f", &st);
    say("mode of the target: %o", st.st_mode & 07777);
    SHOW(unlink("l"));
    SHOW(access("d/f", F_OK));
    SHOW(rmdir("dl"));
    SHOW(mkdir("dl/new", 0700));
    SHOW(rmdir("d/new"));
    unlink("loop1");
    unlink("loop2");
    unlink("dl");
    unlink("d/f");
    unlink("d/rel");
    unlink("d/long");
    SHOW(rmdir("d"));
    return done();
}
