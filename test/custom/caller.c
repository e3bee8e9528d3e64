/* Makes the calls of calls/probe.def; prints what they answer.  Built for both ABIs. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "probe.h"

#define SHOW(call)                                                                                 \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long r_ = (call);                                                                          \
        printf("%s = %ld%s%s\n", #call, r_, r_ < 0 ? " " : "", r_ < 0 ? strerrorname(errno) : ""); \
    } while (0)

static const char *strerrorname(int e)
{
    static char text[16];

    switch (e) {
    case EFAULT:
        return "EFAULT";
    case EINTR:
        return "EINTR";
    case ERANGE:
        return "ERANGE";
    case ENOENT:
        return "ENOENT";
    case EBADF:
        return "EBADF";
    case ENOSYS:
        return "ENOSYS";
    case ETIMEDOUT:
        return "ETIMEDOUT";
    case EDOM:
        return "EDOM";
    default:
        snprintf(text, sizeof(text), "%d", e);
        return text;
    }
}

static const int is_32 = sizeof(long) == 4;

static void arguments(void)
{
    char to[8] = "";
    long word = 1000;

    SHOW(probe_add(-5, 8));
    SHOW(probe_wide(0x123456789abcdef0, -2, 0xfffffffe));
    SHOW(probe_copy("seven..", 8, to, sizeof(to)));
    printf("%s\n", to);
    SHOW(probe_copy("seven..", 8, to, 4));
    SHOW(probe_copy((void *)16, 8, to, 8));
    SHOW(probe_copy("seven..", 8, (void *)16, 8));
    SHOW(probe_word(&word));
    printf("word %s\n", word == (is_32 ? 1032 : 1064) ? "good" : "bad");
    printf("own %s\n", probe_own(-1) == (is_32 ? 31 : 63) ? "good" : "bad");
    SHOW(syscall(0x4abc));
    SHOW(syscall(is_32 ? 0x400a : 0x4fff, 1)); /* the other ABI's */
    SHOW(syscall(0x5000));
    SHOW(syscall(0x3fff));
}

static void files(void)
{
    char buf[16] = "";
    struct stat st;

    int fd = open("/f", O_RDWR | O_CREAT, 0600);
    SHOW(write(fd, "abc", 3));
    SHOW(probe_file("/f", buf, sizeof(buf)));
    printf("%s\n", buf);
    SHOW(probe_file("/none", buf, sizeof(buf)));
    SHOW(probe_fd(99, "x"));
    int other = (int)probe_fd(fd, "defgh");
    SHOW(fcntl(other, F_GETFD));
    SHOW(close(fd));
    SHOW(lseek(other, 0, SEEK_CUR));
    fstat(other, &st);
    printf("size %d\n", (int)st.st_size);
    SHOW(close(other));
}

static void wraps(void)
{
    printf("getppid %ld\n", syscall(SYS_getppid));
    SHOW(umask(0));
    SHOW(umask(0)); /* what was really set */
    int fd = open("/dev/null", O_WRONLY);
    long before = write(fd, "?", 1);
    long n = write(fd, "12345", 5);
    printf("write %ld, seen %ld\n", n, write(fd, "?", 1) - before);
    SHOW(write(-1, "12345", 5));
    SHOW(syscall(SYS_ptrace, 7, 0, 0, 0));
    SHOW(syscall(SYS_ptrace, 8, 0, 0, 0));
    bool is_wrapped = !is_32 || (syscall(SYS_lchown, "/f", 0, 0) == -1 && errno == EDOM);
    printf("i386's own row %s\n", is_wrapped ? "good" : "bad");
}

/* --- sleeping ---------------------------------------------------------------------------------------------- */

static volatile int nr_signals;
static volatile unsigned rung;

static void on_signal(int sig)
{
    (void)sig;
    nr_signals++;
}

static void handle(int flags)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = flags};

    sigaction(SIGUSR1, &sa, NULL);
    nr_signals = 0;
}

struct waiting {
    pthread_t thread;
    long result;
    int error;
    volatile int tid; /* known when it runs */
};

static void *wait_for_bell(void *arg)
{
    struct waiting *w = arg;

    w->tid = (int)syscall(SYS_gettid);
    w->result = probe_wait(rung, -1);
    w->error = errno;
    return NULL;
}

static void *pause_there(void *arg)
{
    struct waiting *w = arg;

    w->tid = (int)syscall(SYS_gettid);
    w->result = syscall(SYS_pause);
    w->error = errno;
    return NULL;
}

/* /proc tells, so nobody has to guess how long a thread takes to fall asleep. */
static void until_asleep(const struct waiting *w)
{
    char path[64], state = 0;

    while (!w->tid)
        sched_yield();
    snprintf(path, sizeof(path), "/proc/self/task/%d/stat", w->tid);
    while (state != 'S') {
        FILE *f = fopen(path, "r");
        if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1) {
            printf("%s cannot be read\n", path);
            exit(9);
        }
        fclose(f);
    }
}

static void begin(struct waiting *w, void *(*fn)(void *))
{
    w->tid = 0;
    pthread_create(&w->thread, NULL, fn, w);
    until_asleep(w);
}

static void signals(void)
{
    struct waiting w;

    handle(0);
    begin(&w, wait_for_bell);
    pthread_kill(w.thread, SIGUSR1);
    pthread_join(w.thread, NULL);
    printf("without SA_RESTART: %ld %s, %d signals\n", w.result, strerrorname(w.error), nr_signals);

    handle(SA_RESTART);
    begin(&w, wait_for_bell);
    pthread_kill(w.thread, SIGUSR1);
    while (!nr_signals)
        sched_yield();
    until_asleep(&w);
    rung = (unsigned)probe_ring();
    pthread_join(w.thread, NULL);
    printf("with SA_RESTART: %s, %d signals\n", w.result == (long)rung ? "woken" : "not woken",
           nr_signals);

    begin(&w, pause_there);
    pthread_kill(w.thread, SIGUSR1);
    pthread_join(w.thread, NULL);
    printf("pause, wrapped: %ld %s\n", w.result, strerrorname(w.error));
}

static void sleeping(void)
{
    struct waiting w[8];
    int nr_woken = 0;

    SHOW(probe_wait(rung, 20));
    for (int i = 0; i < 8; i++)
        begin(&w[i], wait_for_bell);
    rung = (unsigned)probe_ring();
    for (int i = 0; i < 8; i++) {
        pthread_join(w[i].thread, NULL);
        nr_woken += w[i].result == (long)rung;
    }
    printf("%d woken\n", nr_woken);
    SHOW(probe_wait(rung - 1, -1) == (long)rung);
}

static void *count(void *arg)
{
    probe_count(25);
    return arg;
}

static void locking(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, count, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    SHOW(probe_count(0));
}

/* Ping-pong through the bell: a lost wake-up would hang it. */
static void *answer(void *arg)
{
    for (unsigned i = 0; i < 2000; i++) {
        while ((unsigned)probe_wait(rung + 2 * i, -1) != rung + 2 * i + 1)
            ;
        probe_ring();
    }
    return arg;
}

static void ping_pong(void)
{
    pthread_t t;

    pthread_create(&t, NULL, answer, NULL);
    for (unsigned i = 0; i < 2000; i++) {
        probe_ring();
        while ((unsigned)probe_wait(rung + 2 * i + 1, -1) != rung + 2 * i + 2)
            ;
    }
    pthread_join(t, NULL);
    printf("4000 rings\n");
}

static void faults(void)
{
    int mine = 5;

    SHOW(probe_fault(0, (void *)16));
    SHOW(probe_fault(0, &mine));
    SHOW(probe_fault(0, NULL));
    SHOW(probe_fault(1, &mine));
    SHOW(probe_fault(2, &mine));
    SHOW(probe_fault(6, &mine));
    printf("mine is %d, still here\n", mine);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 2 && !strcmp(argv[1], "fault")) {
        int mine = 5;
        SHOW(probe_fault(atoi(argv[2]), &mine));
        return 0;
    }
    if (argc > 1 && !strcmp(argv[1], "leave")) { /* another thread is asleep in a call */
        struct waiting w;
        begin(&w, wait_for_bell);
        return 3;
    }
    if (argc > 1 && !strcmp(argv[1], "arguments")) {
        arguments();
        files();
        return 0;
    }
    arguments();
    files();
    wraps();
    signals();
    sleeping();
    locking();
    ping_pong();
    faults();
    return 0;
}
