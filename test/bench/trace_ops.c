/* trace_ops: two loops of system calls, each timed by itself: what a tracer makes of them is test/bench/trace.py's to say.
 *
 *     trace_ops [CALLS] [FILES]      one line a loop on stdout: NAME NANOSECONDS-PER-CALL */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void null_calls(int n)
{
    long start = now();

    for (int i = 0; i < n; i++)
        syscall(SYS_getppid);
    printf("getppid %.1f\n", (double)(now() - start) / n);
}

/* Six calls: paths, data both ways, a structure. */
static int files(int n)
{
    static char data[200];
    struct stat st;
    long start = now();

    for (int i = 0; i < n; i++) {
        int fd = open("trace_ops.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) ||
            pread(fd, data, sizeof(data), 0) != sizeof(data) || fstat(fd, &st) || close(fd) ||
            unlink("trace_ops.tmp"))
            return 1;
    }
    printf("files %.1f\n", (double)(now() - start) / n / 6);
    return 0;
}

int main(int argc, char **argv)
{
    null_calls(argc > 1 ? atoi(argv[1]) : 20000);
    return files(argc > 2 ? atoi(argv[2]) : 2000);
}
