/* mount(2), umount2(2), chroot(2) and what they do to names. */
#include "file_test.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

int main(void)
{
    struct statfs fs;
    struct stat st, st2;
    char buf[64];
    enter_test_dir("file_mounts");
    char base[PATH_MAX];
    NEED(getcwd(base, sizeof base));
    if (getpid() != 1) /* elsewhere than in a machine of its own */
        NEED(unshare(CLONE_NEWNS) == 0);
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mkdir("m", 0755);
    make_file("m/below", "");
    SHOW(mount("none", "m", "nosuchfs", 0, NULL));
    SHOW(mount("none", "missing", "tmpfs", 0, NULL));
    SHOW(mount("none", "m/below", "tmpfs", 0, NULL));
    SHOW(mount("none", "m", "tmpfs", 0, "size=64k,mode=0711"));
    SHOW(access("m/below", F_OK));
    stat("m", &st);
    say("mode %o", st.st_mode);
    stat(".", &st2);
    say("another device: %d", st.st_dev != st2.st_dev);
    SHOW(statfs("m", &fs));
    say("%ld blocks of %ld, %ld free", (long)fs.f_blocks, (long)fs.f_bsize, (long)fs.f_bfree);
    SHOW(chdir("m"));
    SHOW(chdir(".."));
    SHOW(stat("below", &st));
    int fd = open("m/big", O_CREAT | O_RDWR, 0644);
    static char block[100000];
    SHOW(write(fd, block, sizeof block));
    SHOW(write(fd, block, sizeof block));
    SHOW(ftruncate(fd, 100));
    SHOW(pwrite(fd, block, 4096, 8192));
    SHOW(statfs("m", &fs));
    say("%ld free", (long)fs.f_bfree);
    SHOW(rename("m/big", "big"));
    SHOW(link("m/big", "big"));
    SHOW(rename("m", "n"));
    SHOW(rmdir("m"));
    SHOW(umount("m"));
    close(fd);
    SHOW(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    SHOW(open("m/big", O_RDWR));
    SHOW(open("m/new", O_CREAT | O_RDWR, 0644));
    SHOW(mkdir("m/new", 0755));
    SHOW(unlink("m/big"));
    SHOW(unlink("m/missing"));
    SHOW(chmod("m/big", 0600));
    SHOW(truncate("m/big", 0));
    SHOW(utimensat(AT_FDCWD, "m/big", NULL, 0));
    SHOW(access("m/big", W_OK));
    SHOW(access("m/big", R_OK));
    SHOW(mkdir("m/big", 0755));
    SHOW(rename("m/big", "m/x"));
    SHOW(mount("none", "m", "tmpfs", 0, NULL));
    SHOW(access("m/big", F_OK));
    SHOW(umount("m"));
    SHOW(access("m/big", F_OK));
    SHOW(umount("m"));
    SHOW(access("m/below", F_OK));
    SHOW(umount("m"));
    SHOW(umount2("m", 0x100));
    SHOW(umount("missing"));
    mkdir("src", 0755);
    make_file("src/f", "bound");
    mkdir("dst", 0755);
    SHOW(mount("src", "dst", NULL, MS_BIND, NULL));
    SHOW(access("dst/f", F_OK));
    make_file("dst/g", "");
    SHOW(access("src/g", F_OK));
    SHOW(rename("src/f", "dst/h"));
    SHOW(mount("src/g", "m/below", NULL, MS_BIND, NULL));
    SHOW(umount("m/below"));
    SHOW(mount("src", "m/below", NULL, MS_BIND, NULL));
    SHOW(chdir("dst"));
    NEED(getcwd(buf, sizeof buf));
    say("%s", strrchr(buf, '/'));
    SHOW(umount2("../dst", 0));
    SHOW(umount2("../dst", MNT_DETACH));
    SHOW(access("f", F_OK));
    SHOW(chdir(base));
    SHOW(mkdir("jail", 0755));
    SHOW(mkdir("jail/in", 0755));
    SHOW(chroot("jail"));
    SHOW(chdir("/in"));
    SHOW(chdir("../../../.."));
    NEED(getcwd(buf, sizeof buf));
    say("%s", buf);
    SHOW(rmdir("/in"));
    return done();
}
