/* Soak: threads, mappings, files, timers and signals come and go for a given time; the free memory of the machine ends
 * where it began.
 *
 *   soak [SECONDS]
 *
 * Each churner does its work in rounds and checks what it gets.  Memory is compared after a round of everything at the
 * start, which fills the kernel's caches, and at the end; and the kernel's own counters when the program is gone
 * (yolk.leakcheck).  Prints nothing that depends on speed. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SLACK_BYTES (4UL << 20) /* what per-CPU caches may hold */

#define NEED(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "soak: line %d: %s: %m\n", __LINE__, #condition); \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

static volatile sig_atomic_t nr_signals[65];

static void on_signal(int sig)
{
    __atomic_fetch_add(&nr_signals[sig], 1, __ATOMIC_RELAXED);
}

/* --- one round of each kind -------------------------------------------------------------------------------- */

static void *add_one(void *arg)
{
    char big[64 * 1024]; /* so that the stack's pages are touched */

    memset(big, (int)(long)arg, sizeof(big));
    __asm__ volatile("" ::"r"(big) : "memory");
    return (char *)arg + big[100] - (char)(long)arg + 1;
}

static void churn_threads(unsigned round)
{
    pthread_t threads[8];
    void *result;

    for (long i = 0; i < 8; i++)
        NEED(pthread_create(&threads[i], NULL, add_one, (void *)(i + round % 50)) == 0);
    for (long i = 0; i < 8; i++) {
        NEED(pthread_join(threads[i], &result) == 0);
        NEED((long)result == i + round % 50 + 1);
    }
}

static void churn_mappings(unsigned round)
{
    size_t size = (1 + round % 5) << 20;
    unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    NEED(p != MAP_FAILED);
    for (size_t at = 0; at < size; at += 4096) {
        NEED(p[at] == 0);
        p[at] = (unsigned char)round;
    }
    NEED(mprotect(p + 8192, 4096, PROT_READ) == 0);
    NEED(munmap(p + 16384, 8192) == 0);
    NEED(madvise(p, 4096, MADV_DONTNEED) == 0);
    NEED(p[0] == 0 && p[8192] == (unsigned char)round);
    NEED(munmap(p + 24576, size - 24576) == 0); /* what lies behind the hole */
    unsigned char *moved = mremap(p, 8192, 65536, MREMAP_MAYMOVE);
    NEED(moved != MAP_FAILED && moved[4096] == (unsigned char)round && moved[65535] == 0);
    NEED(munmap(moved, 65536) == 0);
    NEED(munmap(p + 8192, 8192) == 0);
}

static void churn_whole_mapping(unsigned round)
{
    size_t size = 3UL << 20;
    unsigned char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    NEED(p != MAP_FAILED);
    memset(p, (int)round, size);
    NEED(p[size - 1] == (unsigned char)round);
    NEED(munmap(p, size) == 0);
}

static void churn_files(unsigned round, unsigned who)
{
    char name[64], other[64], buf[5000], back[5000];
    struct stat st;

    snprintf(name, sizeof(name), "soak-%u", who);
    snprintf(other, sizeof(other), "soak-%u-other", who);
    memset(buf, (int)('a' + round % 26), sizeof(buf));
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    NEED(fd >= 0);
    for (int i = 0; i < 50; i++)
        NEED(pwrite(fd, buf, sizeof(buf), (off_t)i * 20000) == sizeof(buf));
    NEED(rename(name, other) == 0 && fstat(fd, &st) == 0 && st.st_size == 49 * 20000 + 5000);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(map != MAP_FAILED && !memcmp(map, buf, sizeof(buf)));
    map[10] = '!';
    NEED(pread(fd, back, sizeof(back), 0) == sizeof(back) && back[10] == '!');
    NEED(munmap(map, 8192) == 0 && ftruncate(fd, 100) == 0);
    NEED(unlink(other) == 0 && close(fd) == 0);
}

static void churn_waiting(void)
{
    struct itimerspec soon = {.it_value = {.tv_nsec = 200000}};
    struct epoll_event event = {.events = EPOLLIN}, got;
    uint64_t n = 1;
    int two[2], ep = epoll_create1(0), tfd = timerfd_create(CLOCK_MONOTONIC, 0),
                efd = eventfd(0, 0);

    NEED(ep >= 0 && tfd >= 0 && efd >= 0 && pipe(two) == 0);
    NEED(timerfd_settime(tfd, 0, &soon, NULL) == 0);
    NEED(epoll_ctl(ep, EPOLL_CTL_ADD, tfd, &event) == 0);
    while (epoll_wait(ep, &got, 1, -1) != 1)
        NEED(errno == EINTR);
    NEED(read(tfd, &n, 8) == 8 && n == 1);
    NEED(write(efd, &n, 8) == 8 && read(efd, &n, 8) == 8 && n == 1);
    NEED(write(two[1], "hello", 5) == 5 && read(two[0], &n, 5) == 5);
    close(ep), close(tfd), close(efd), close(two[0]), close(two[1]);
}

static void churn_signals(void)
{
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    struct itimerspec soon = {.it_value = {.tv_nsec = 100000}};
    int before = nr_signals[SIGUSR1], timed = nr_signals[SIGUSR2];
    timer_t timer;

    NEED(pthread_kill(pthread_self(), SIGUSR1) == 0 && nr_signals[SIGUSR1] > before);
    NEED(timer_create(CLOCK_MONOTONIC, &how, &timer) == 0 &&
         timer_settime(timer, 0, &soon, NULL) == 0);
    while (nr_signals[SIGUSR2] == timed)
        nanosleep(&soon.it_value, NULL);
    NEED(timer_delete(timer) == 0);
    NEED(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 5}) == 0);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static struct timespec end;

static int is_over(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec);
}

static void *churn(void *arg)
{
    unsigned who = (unsigned)(long)arg, round = 0;

    do {
        switch (who % 4) {
        case 0:
            churn_threads(round);
            break;
        case 1:
            churn_mappings(round);
            churn_whole_mapping(round);
            break;
        case 2:
            churn_files(round, who);
            break;
        default:
            churn_waiting();
            churn_signals();
        }
        round++;
    } while (!is_over());
    return NULL;
}

static void churn_all(long seconds)
{
    pthread_t threads[8];

    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (long i = 0; i < 8; i++)
        NEED(pthread_create(&threads[i], NULL, churn, (void *)i) == 0);
    for (long i = 0; i < 8; i++)
        NEED(pthread_join(threads[i], NULL) == 0);
}

/* Freed stacks and address spaces come back a moment later; wait for that, not for a time. */
static unsigned long free_memory(unsigned long wanted)
{
    struct timespec moment = {.tv_nsec = 20000000};
    struct sysinfo info;

    for (int i = 0; i < 250; i++) {
        NEED(sysinfo(&info) == 0);
        if (info.freeram >= wanted)
            break;
        nanosleep(&moment, NULL);
    }
    return info.freeram;
}

int main(int argc, char **argv)
{
    long seconds = argc > 1 ? strtol(argv[1], NULL, 0) : 10;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    for (int sig = SIGUSR1; sig <= SIGRTMIN + 1; sig++)
        if (sig == SIGUSR1 || sig == SIGUSR2 || sig == SIGRTMIN + 1)
            NEED(sigaction(sig, &action, NULL) == 0);
    churn_all(1);
    unsigned long before = free_memory(-1UL);
    churn_all(seconds);
    unsigned long after = free_memory(before - SLACK_BYTES);
    if (after + SLACK_BYTES < before) {
        printf("free memory: %lu KiB before, %lu KiB after\n", before >> 10, after >> 10);
        return 1;
    }
    puts("memory is back");
    return 0;
}
