/* One C program for every way to link it: arguments, environment, auxiliary vector, thread-local data, threads,
 * constructors, memory in all sizes, a signal, floating point, time, printf of everything. */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

static __thread int own = 42;
static int constructed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long total;
static sigjmp_buf back;

__attribute__((constructor)) static void construct(void)
{
    constructed = 1;
}

static void at_exit(void)
{
    puts("at exit");
}

static void *work(void *arg)
{
    unsigned long n = 0;
    unsigned seed = (unsigned)(size_t)arg;

    own += (int)(size_t)arg;
    for (int i = 0; i < 40; i++) { /* musl has one lock for all memory */
        size_t size = (size_t)rand_r(&seed) % 5000 + 1;
        unsigned char *p = malloc(size);
        memset(p, (int)(size & 0xff), size);
        n += p[size / 2];
        p = realloc(p, size * 2);
        n += p[size - 1];
        free(p);
    }
    pthread_mutex_lock(&lock);
    total += n;
    pthread_mutex_unlock(&lock);
    return (void *)(size_t)own;
}

static void on_segv(int sig)
{
    siglongjmp(back, sig);
}

int main(void)
{
    pthread_t t[8];
    struct timespec a, b;

    printf("ABI_TEST=%s\n", getenv("ABI_TEST"));
    printf("constructed %d, page %lu, phdr %d, vdso %d, random %d, secure %lu\n", constructed,
           getauxval(AT_PAGESZ), getauxval(AT_PHDR) != 0, getauxval(AT_SYSINFO_EHDR) != 0,
           getauxval(AT_RANDOM) != 0, getauxval(AT_SECURE));
    for (size_t i = 0; i < 8; i++)
        if (pthread_create(&t[i], NULL, work, (void *)i))
            return 1;
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(t[i], &result);
        printf("thread %d: %zu\n", i, (size_t)result);
    }
    printf("total %lu, own %d\n", total, own);
    char *big = malloc(40 << 20);
    memset(big, 1, 40 << 20);
    printf("big %d\n", big[(40 << 20) - 1]);
    free(big);
    signal(SIGSEGV, on_segv);
    int sig = sigsetjmp(back, 1);
    if (sig == 0)
        *(volatile int *)(size_t)8 = 1;
    printf("signal %d\n", sig);
    clock_gettime(CLOCK_MONOTONIC, &a);
    usleep(2000);
    clock_gettime(CLOCK_MONOTONIC, &b);
    printf("time passes: %d\n",
           (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec >= 2000000);
    printf("%.17g %a %s %08lx %+d %c\n", sin(1.0), 1.0 / 3, "text", 0xbeefUL, 7, 'c');
    atexit(at_exit);
    return 0;
}
