/* umask, chmod, chown and access, as root has them in a container. */
#include "abi.h"

static void mode(const char *path)
{
    struct stat st;

    NEED(stat(path, &st) == 0);
    say("%s: %o %d %d", path, st.st_mode & 07777, (int)st.st_uid - (int)getuid(),
        (int)st.st_gid - (int)getgid());
}

int main(void)
{
    umask(027);
    close(open("f", O_CREAT | O_WRONLY, 0777));
    mode("f");
    NEED(mkdir("d", 0777) == 0);
    mode("d");
    mkfifo("p", 0666);
    mode("p");
    say("umask was %o", umask(0));
    SHOW(chmod("f", 0640));
    mode("f");
    SHOW(chmod("f", 07777));
    mode("f");
    SHOW(chmod("f", 0170644));
    mode("f");
    int fd = open("f", O_RDONLY);
    SHOW(fchmod(fd, 0600));
    mode("f");
    SHOW(chown("f", (uid_t)-1, (gid_t)-1));
    SHOW(chown("f", getuid(), getgid()));
    mode("f");
    SHOW(chmod("none", 0));
    SHOW(chown("none", 0, 0));
    SHOW(fchmod(99, 0));
    SHOW(access("f", F_OK));
    SHOW(access("f", R_OK | W_OK));
    SHOW(access("f", X_OK)); /* not even root, without any x bit */
    SHOW(chmod("f", 0100));
    SHOW(access("f", X_OK));
    SHOW(access("d", X_OK));
    SHOW(access("none", F_OK));
    SHOW(access("f/x", F_OK));
    SHOW(access("f", 8));
    SHOW(access((char *)8, F_OK));
    SHOW(faccessat(AT_FDCWD, "f", F_OK, AT_EACCESS));
    unlink("f");
    unlink("p");
    rmdir("d");
    return done();
}
