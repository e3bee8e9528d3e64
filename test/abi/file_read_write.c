/* A thread reads what another writes at that moment: whatever it got, who reads afterwards gets what was written. */
#include <pthread.h>

#include "file_test.h"

#define SIZE   4096
#define ROUNDS 400

static pthread_barrier_t meeting;
static int fd;

static void *reader(void *arg)
{
    static char bytes[SIZE];

    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&meeting);
        if (pread(fd, bytes, SIZE, 0) != SIZE)
            say("a short read");
        pthread_barrier_wait(&meeting);
    }
    return arg;
}

int main(void)
{
    static char before[SIZE], after[SIZE], found[SIZE];
    pthread_t thread;
    int nr_old = 0;

    memset(before, 'b', SIZE);
    memset(after, 'a', SIZE);
    enter_test_dir("work");
    fd = open("f", O_CREAT | O_RDWR, 0600);
    NEED(fd >= 0 && pthread_barrier_init(&meeting, NULL, 2) == 0);
    NEED(pthread_create(&thread, NULL, reader, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        NEED(ftruncate(fd, 0) == 0 && pwrite(fd, before, SIZE, 0) == SIZE);
        pthread_barrier_wait(&meeting);
        for (volatile int spins = i % 50 * 400; spins > 0; spins--)
            ;
        NEED(pwrite(fd, after, SIZE, 0) == SIZE);
        pthread_barrier_wait(&meeting);
        NEED(pread(fd, found, SIZE, 0) == SIZE);
        nr_old += memcmp(found, after, SIZE) != 0;
    }
    NEED(pthread_join(thread, NULL) == 0);
    say("%d of %d rounds found old bytes", nr_old, ROUNDS);
    return done();
}
