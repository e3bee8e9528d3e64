/* Thread-local storage: each thread's own copy, destructors, and the base that the kernel keeps for
 * each thread. */
#include <asm/prctl.h>

#include "abi.h"

#define THREADS 8

static __thread int number = 7;
static __thread char zeros[100000];
static pthread_key_t key;
static unsigned destroyed;
static pthread_barrier_t together;

static void destroy(void *value)
{
    __atomic_fetch_add(&destroyed, (unsigned)(uintptr_t)value, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
    unsigned long base = 0, self;
    int id = (int)(uintptr_t)arg;

    CHECK(number == 7 && zeros[99999] == 0);
    number = id;
    memset(zeros, id, sizeof zeros);
    pthread_setspecific(key, arg);
    for (int i = 0; i < 1000; i++) {
        if (i % 100 == 0)
            pthread_barrier_wait(&together);
        else
            sched_yield();
        CHECK(number == id && zeros[50000] == (char)id);
    }
    CHECK(syscall(SYS_arch_prctl, ARCH_GET_FS, &base) == 0);
    __asm__("mov %%fs:0, %0" : "=r"(self));
    CHECK(base == self);
    return (void *)base;
}

int main(void)
{
    pthread_t threads[THREADS];
    void *base[THREADS];
    unsigned long gs = 0, value = 0x1122334455667788, read_back = 0;

    pthread_key_create(&key, destroy);
    pthread_barrier_init(&together, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        NEED(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], &base[i]);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t j = 0; j < i; j++)
            CHECK(base[i] != base[j]);
    say("main's own copy: %d, destroyed: %u", number, destroyed);
    /* gs is the program's too, and survives a switch. */
    SHOW(syscall(SYS_arch_prctl, ARCH_SET_GS, &value));
    sleep_ms(5);
    SHOW(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
    __asm__ volatile("mov %%gs:0, %0" : "=r"(read_back));
    say("gs base kept: %d, through gs: %lx", gs == (unsigned long)&value, read_back);
    SHOW(syscall(SYS_arch_prctl, ARCH_SET_FS, 1ul << 63));
    SHOW(syscall(SYS_arch_prctl, ARCH_SET_GS, -1ul));
    SHOW(syscall(SYS_arch_prctl, ARCH_GET_FS, 8));
    SHOW(syscall(SYS_arch_prctl, 0x9999, 0));
    return done();
}
