/* futex(2): priority-inheritance locks, as far as results and the word show them. */
#include <linux/futex.h>
#include <sched.h>

#include "abi.h"

static uint32_t word, other;
static volatile pid_t holder;
static volatile int release;
static long counter;

static long futex(uint32_t *at, int op, uint32_t value, void *timeout)
{
    return syscall(SYS_futex, at, op, value, timeout, NULL, 0);
}

static void say_word(const char *what, pid_t self)
{
    uint32_t w = __atomic_load_n(&word, __ATOMIC_ACQUIRE);

    say("%s: %s%s%s", what,
        (w & FUTEX_TID_MASK) == 0                ? "free"
        : (w & FUTEX_TID_MASK) == (uint32_t)self ? "mine"
                                                 : "other's",
        w & FUTEX_WAITERS ? ", waiters" : "", w & FUTEX_OWNER_DIED ? ", owner died" : "");
}

/* Takes the word, and keeps it until told otherwise; or dies with it. */
static void *hold(void *dies)
{
    NEED(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL) == 0);
    holder = tid_of_self();
    while (!release)
        sleep_ms(1);
    if (!dies)
        NEED(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL) == 0);
    return NULL;
}

static pthread_t start_holder(void *dies)
{
    pthread_t t;

    holder = release = 0;
    NEED(pthread_create(&t, NULL, hold, dies) == 0);
    while (!holder)
        sleep_ms(1);
    return t;
}

static void *release_soon(void *unused)
{
    (void)unused;
    sleep_ms(20);
    release = 1;
    return NULL;
}

static void *count(void *unused)
{
    (void)unused;
    for (int i = 0; i < 500; i++) {
        NEED(futex(&other, FUTEX_LOCK_PI_PRIVATE, 0, NULL) == 0);
        long seen = counter;
        if (i % 100 == 0)
            sched_yield();
        counter = seen + 1;
        NEED(futex(&other, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL) == 0);
    }
    return NULL;
}

int main(void)
{
    struct timespec past = {1, 0}, bad = {0, 1000000000};
    pthread_t t, u, four[4];
    pid_t self = tid_of_self();

    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    say_word("locked", self);
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    say_word("unlocked", self);
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex((uint32_t *)8, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex((uint32_t *)8, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &bad));
    word = 0x3ffffff0; /* nobody's number */
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    word = 0;

    t = start_holder(NULL);
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL));
    say_word("tried", holder);
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &past));
    SHOW(futex(&word, FUTEX_LOCK_PI2_PRIVATE, 0, &past));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    NEED(pthread_create(&u, NULL, release_soon, NULL) == 0);
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    say_word("handed over", self);
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    say_word("unlocked", self);
    pthread_join(t, NULL);
    pthread_join(u, NULL);

    t = start_holder(&word);
    NEED(pthread_create(&u, NULL, release_soon, NULL) == 0);
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL));
    say_word("inherited", self);
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL));
    pthread_join(t, NULL);
    pthread_join(u, NULL);

    for (size_t i = 0; i < NR(four); i++)
        NEED(pthread_create(&four[i], NULL, count, NULL) == 0);
    for (size_t i = 0; i < NR(four); i++)
        pthread_join(four[i], NULL);
    say("counted %ld", counter);
    return done();
}
