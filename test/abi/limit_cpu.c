/* RLIMIT_CPU: SIGXCPU once a second from the soft limit on, SIGKILL at the hard one.  Arguments: what to do. */
#include <sys/resource.h>

#include "abi.h"

static volatile sig_atomic_t told;
static volatile int code;

static void on_xcpu(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    code = info->si_code;
    told++;
}

static void limit(rlim_t soft, rlim_t hard)
{
    struct rlimit r = {soft, hard};
    NEED(setrlimit(RLIMIT_CPU, &r) == 0);
}

/* Linux goes by ticks here, this clock does not: a tenth apart is nothing. */
static long used_ms(void)
{
    struct timespec t;
    NEED(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void burn_until_told(int times)
{
    while (told < times)
        ;
}

static void *burn(void *arg)
{
    (void)arg;
    burn_until_told(1);
    return NULL;
}

static void show_limit(void)
{
    struct rlimit r;
    NEED(getrlimit(RLIMIT_CPU, &r) == 0);
    say("soft %lld, hard %lld", (long long)r.rlim_cur, (long long)r.rlim_max);
}

/* The signal comes at the soft limit, which then is a second higher. */
static void soft(void)
{
    handle(SIGXCPU, on_xcpu, 0);
    limit(0, 100); /* less than what was used */
    burn_until_told(1);
    say("code %d", code);
    show_limit();
    CHECK(used_ms() < 700);
    burn_until_told(2);
    show_limit();
    CHECK(used_ms() >= 700);
    limit(50, 100);
    told = 0;
    while (used_ms() < 2500)
        ;
    say("with a higher limit told %d", told);
    show_limit();
}

/* All threads count. */
static void threads(void)
{
    pthread_t t[3];
    handle(SIGXCPU, on_xcpu, 0);
    limit(1, 100);
    for (size_t i = 0; i < NR(t); i++)
        NEED(pthread_create(&t[i], NULL, burn, NULL) == 0);
    for (size_t i = 0; i < NR(t); i++)
        pthread_join(t[i], NULL);
    CHECK(used_ms() >= 700);
    say("code %d", code);
    show_limit();
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!strcmp(what, "soft"))
        soft();
    else if (!strcmp(what, "threads"))
        threads();
    else if (!strcmp(what, "killed")) { /* the hard limit cannot be caught */
        handle(SIGXCPU, on_xcpu, 0);
        limit(0, 1);
        burn_until_told(100);
    } else if (!strcmp(what, "default")) {
        limit(0, 1);
        burn_until_told(1);
    } else if (!strcmp(what, "hard")) { /* no word before */
        limit(0, 0);
        handle(SIGXCPU, on_xcpu, 0);
        burn_until_told(100);
    }
    return done();
}
