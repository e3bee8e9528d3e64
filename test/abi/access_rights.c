/* Who may do what: every right of owner, group and others against the calls that need it, and what root may all the
 * same; access asks for the real ids. */
#include <sys/fsuid.h>

#include "file_test.h"

#define OWNER 1000
#define GROUP 2000

static void say_rights(const char *who, const char *path)
{
    int read = open(path, O_RDONLY), e1 = errno, write = open(path, O_WRONLY), e2 = errno;

    say("%s, %s: read %s, write %s, access %d%d%d, eaccess %d%d%d", who, path,
        read < 0 ? strerror(e1) : "good", write < 0 ? strerror(e2) : "good",
        access(path, R_OK) == 0, access(path, W_OK) == 0, access(path, X_OK) == 0,
        faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0,
        faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0,
        faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0);
    if (read >= 0)
        close(read);
    if (write >= 0)
        close(write);
}

struct who {
    const char *name;
    unsigned uid, gid, extra;
};

static void *as(void *arg)
{
    static const unsigned modes[] = {0,    0400, 0200, 0100, 0040, 0020,
                                     0010, 0004, 0002, 0001, 0077, 0770};
    const struct who *w = arg;
    char name[16];

    NEED(syscall(SYS_setgroups, 1, &w->extra) == 0);
    NEED(syscall(SYS_setresgid, w->gid, w->gid, w->gid) == 0);
    NEED(syscall(SYS_setresuid, w->uid, w->uid, w->uid) == 0);
    for (size_t i = 0; i < NR(modes); i++) {
        snprintf(name, sizeof name, "mode%04o", modes[i]);
        say_rights(w->name, name);
    }
    SHOW(chmod("mode0770", 0770));
    SHOW(chown("mode0770", -1, GROUP));
    SHOW(chown("mode0770", OWNER, -1));
    SHOW(chown("mode0770", 5, -1));
    SHOW(truncate("mode0400", 0));
    SHOW(utimensat(AT_FDCWD, "mode0400", NULL, 0)); /* who owns it may, or who may write */
    SHOW(utimensat(AT_FDCWD, "mode0400", (struct timespec[]){{1, 0}, {1, 0}}, 0));
    SHOW(open("noexec/file", O_RDONLY));
    SHOW(access("noexec/file", F_OK));
    SHOW(open("noexec", O_RDONLY | O_DIRECTORY) >= 0);
    SHOW(access("noread/file", F_OK));
    SHOW(open("noread", O_RDONLY | O_DIRECTORY) >= 0);
    SHOW(mkdir("noread/new", 0755));
    SHOW(rename("noread/file", "noread/file"));
    SHOW(unlink("sticky/of owner"));
    SHOW(unlink("sticky/of root"));
    SHOW(rename("sticky/of root", "sticky/other"));
    return NULL;
}

/* Set-id bits go when others write or the owner changes. */
static void *set_id_bits(void *arg)
{
    struct stat st;
    int fd = open("setid", O_RDWR);

    NEED(fd >= 0 && syscall(SYS_setresuid, -1, OWNER, -1) == 0);
    NEED(fstat(fd, &st) == 0);
    say("before: %o", st.st_mode & 07777);
    SHOW(write(fd, "x", 1));
    NEED(fstat(fd, &st) == 0);
    say("written by its owner: %o", st.st_mode & 07777);
    SHOW(fchmod(fd, 06775));
    NEED(fstat(fd, &st) == 0);
    say("set again, not in its group: %o", st.st_mode & 07777);
    SHOW(fchown(fd, -1, -1));
    NEED(fstat(fd, &st) == 0);
    say("no new owner: %o", st.st_mode & 07777);
    SHOW(fchmod(fd, 06775));
    SHOW(ftruncate(fd, 0));
    NEED(fstat(fd, &st) == 0);
    say("cut: %o", st.st_mode & 07777);
    return arg;
}

static void make_files(void)
{
    static const unsigned modes[] = {0,    0400, 0200, 0100, 0040, 0020,
                                     0010, 0004, 0002, 0001, 0077, 0770};
    char name[16];

    for (size_t i = 0; i < NR(modes); i++) {
        snprintf(name, sizeof name, "mode%04o", modes[i]);
        make_file(name, "");
        NEED(chown(name, OWNER, GROUP) == 0 && chmod(name, modes[i]) == 0);
    }
    NEED(mkdir("noexec", 0666) == 0 && mkdir("noread", 0333) == 0 && mkdir("sticky", 0755) == 0);
    NEED(chmod("noexec", 0666) == 0 && chmod("noread", 0333) == 0 && chmod("sticky", 01777) == 0);
    make_file("noexec/file", "");
    make_file("noread/file", "");
    make_file("setid", "");
    NEED(chown("setid", OWNER, GROUP) == 0 && chmod("setid", 06775) == 0);
}

static void make_sticky(void)
{
    make_file("sticky/of owner", "");
    make_file("sticky/of root", "");
    NEED(chown("sticky/of owner", OWNER, GROUP) == 0);
    rmdir("noread/new");
    NEED(chown("mode0770", OWNER, GROUP) == 0 && chmod("mode0770", 0770) == 0);
}

int main(void)
{
    static const struct who people[] = {{"owner", OWNER, 1, 1},
                                        {"group", 3000, GROUP, 1},
                                        {"supplementary", 3000, 1, GROUP},
                                        {"other", 3000, 1, 1},
                                        {"root", 0, 0, 0}};
    pthread_t thread;

    enter_test_dir("rights");
    NEED(chmod(".", 0777) == 0);
    make_files();
    for (size_t i = 0; i < NR(people); i++) {
        make_sticky();
        NEED(pthread_create(&thread, NULL, as, (void *)&people[i]) == 0);
        pthread_join(thread, NULL);
    }
    NEED(pthread_create(&thread, NULL, set_id_bits, NULL) == 0);
    pthread_join(thread, NULL);
    /* The real ids count for access, the effective ones for the rest. */
    NEED(syscall(SYS_setresuid, 3000, 0, -1) == 0);
    say_rights("real 3000, effective 0", "mode0400");
    NEED(syscall(SYS_setresuid, 0, 3000, 0) == 0);
    say_rights("real 0, effective 3000", "mode0400");
    return done();
}
