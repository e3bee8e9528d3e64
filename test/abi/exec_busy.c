/* ETXTBSY: a file is either written to or run, and the second comer is told. */
#include "file_test.h"

#include <sys/syscall.h>

static int copy_of_self(const char *name)
{
    static char buf[1 << 16];
    int from = open("/proc/self/exe", O_RDONLY), to = open(name, O_CREAT | O_RDWR, 0755);
    ssize_t n;

    NEED(from >= 0 && to >= 0);
    while ((n = read(from, buf, sizeof buf)) > 0)
        NEED(write(to, buf, (size_t)n) == n);
    close(from);
    return to;
}

static void test_running(void)
{
    say("-- the program that runs");
    SHOW(open("/proc/self/exe", O_WRONLY));
    SHOW(open("/proc/self/exe", O_RDWR));
    SHOW(open("/proc/self/exe", O_RDWR | O_APPEND));
    SHOW(open("/proc/self/exe", O_RDONLY | O_TRUNC));
    SHOW(truncate("/proc/self/exe", 0));
    SHOW_OK(open("/proc/self/exe", O_RDONLY));
    SHOW_OK(open("/proc/self/exe", O_PATH));
    SHOW(chmod("/proc/self/exe", 0755));
    SHOW(open("/proc/self/exe", O_WRONLY | O_DIRECTORY));
}

static void test_written(void)
{
    char *argv[] = {"copy", "again", NULL}, *envp[] = {NULL};
    say("-- a file that is written to");
    int fd = copy_of_self("copy"), second = open("copy", O_WRONLY);
    SHOW(execve("copy", argv, envp));
    close(fd);
    SHOW(execve("copy", argv, envp));
    SHOW(chmod("copy", 0644));
    SHOW(execve("copy", argv, envp)); /* rights come first */
    SHOW(chmod("copy", 0755));
    close(second);
    /* A shared mapping is no open file, and a writer without O_WRONLY neither. */
    fd = open("copy", O_RDONLY);
    void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    say("and then it runs");
    execve("copy", argv, envp);
    say("not: %s", strerror(errno));
}

static void test_memfd(void)
{
    char *argv[] = {"memfd", "last", NULL}, *envp[] = {NULL};
    int fd = (int)syscall(SYS_memfd_create, "program", 0);
    static char buf[1 << 16];
    ssize_t n;
    int from = open("/proc/self/exe", O_RDONLY);
    while ((n = read(from, buf, sizeof buf)) > 0)
        NEED(write(fd, buf, (size_t)n) == n);
    /* What memfd_create opens does not count as a writer. */
    syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
    say("not: %s", strerror(errno));
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "again") == 0) {
        say("-- the copy");
        SHOW(open("copy", O_WRONLY));
        SHOW(unlink("copy"));
        SHOW_OK(open("copy", O_WRONLY | O_CREAT, 0755)); /* another file */
        test_memfd();
        return 1;
    }
    if (argc > 1) {
        say("-- the memfd");
        SHOW(open("/proc/self/exe", O_WRONLY));
        return done();
    }
    enter_test_dir("exec_busy");
    test_running();
    test_written();
    return 1;
}
