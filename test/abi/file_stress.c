/* Many threads on the same names and files: what must never be seen is not seen. */
#include "file_test.h"

#include <dirent.h>

enum { THREADS = 6 };

static volatile bool stop;
static unsigned long bad[16];

static void note(unsigned what)
{
    __atomic_fetch_add(&bad[what], 1, __ATOMIC_RELAXED);
}

/* A name that is replaced all the time is never missing, and has one of the contents. */
static void *replace(void *arg)
{
    unsigned n = (unsigned)(uintptr_t)arg;
    char mine[32], text[8192];
    snprintf(mine, sizeof mine, "tmp%u", n);
    memset(text, 'a' + (int)n, sizeof text);
    while (!stop) {
        int fd = open(mine, O_CREAT | O_TRUNC | O_WRONLY, 0644);
        if (fd < 0 || write(fd, text, sizeof text) != sizeof text)
            note(0);
        close(fd);
        if (rename(mine, "target") < 0)
            note(1);
    }
    return NULL;
}

static void *look(void *arg)
{
    char text[8192];
    (void)arg;
    while (!stop) {
        int fd = open("target", O_RDONLY);
        if (fd < 0) {
            note(2);
            continue;
        }
        ssize_t n = read(fd, text, sizeof text);
        if (n != sizeof text || memcmp(text, text + 1, sizeof text - 1) != 0)
            note(3);
        close(fd);
    }
    return NULL;
}

/* Directories that move into each other never make a loop, and nothing is lost. */
static void *move_dirs(void *arg)
{
    static const char *const places[] = {"da", "db", "da/x", "db/x", "da/x/y", "db/x/y"};
    unsigned seed = (unsigned)(uintptr_t)arg;
    while (!stop) {
        const char *from = places[rand_r(&seed) % NR(places)],
                   *to = places[rand_r(&seed) % NR(places)];
        rename(from, to); /* most of them fail */
    }
    return NULL;
}

static void *walk_dirs(void *arg)
{
    struct stat st;
    (void)arg;
    while (!stop) {
        stat("da/x/y/../../x/y/../..", &st);
        stat("db/x/y/../../../da/x", &st);
        int fd = open("da/x", O_RDONLY | O_DIRECTORY);
        if (fd >= 0) {
            char buf[512];
            while (syscall(SYS_getdents64, fd, buf, sizeof buf) > 0)
                ;
            close(fd);
        }
    }
    return NULL;
}

/* Create, link, unlink, make and remove directories under few names. */
static void *churn(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    char a[32], b[32];
    while (!stop) {
        snprintf(a, sizeof a, "churn/%d", rand_r(&seed) % 4);
        snprintf(b, sizeof b, "churn/%d", rand_r(&seed) % 4);
        switch (rand_r(&seed) % 8) {
        case 0:
        case 1: {
            int fd = open(a, O_CREAT | O_RDWR, 0644);
            if (fd >= 0) {
                if (write(fd, a, sizeof a) != sizeof a)
                    note(4);
                ftruncate(fd, rand_r(&seed) % 10000);
                close(fd);
            }
            break;
        }
        case 2:
            link(a, b);
            break;
        case 3:
            unlink(a);
            break;
        case 4:
            mkdir(a, 0755);
            break;
        case 5:
            rmdir(a);
            break;
        case 6:
            rename(a, b);
            break;
        case 7:
            symlink(a, b);
            break;
        }
    }
    return NULL;
}

/* A file that grows, shrinks and is mapped at the same time. */
static void *resize(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    int fd = open("sized", O_RDWR);
    static __thread char block[20000];
    while (!stop)
        switch (rand_r(&seed) % 4) {
        case 0:
            ftruncate(fd, rand_r(&seed) % 40000);
            break;
        case 1:
            pwrite(fd, block, sizeof block, rand_r(&seed) % 20000);
            break;
        case 2:
            pread(fd, block, sizeof block, rand_r(&seed) % 20000);
            break;
        case 3: {
            char *volatile p = mmap(NULL, 40960, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (p == MAP_FAILED) {
                note(5);
                break;
            }
            for (volatile int n = 0; n < 10; n++)
                if (sigsetjmp(abi_fault_exit, 1) == 0)
                    p[4096 * n] = 0;
            munmap(p, 40960);
            break;
        }
        }
    close(fd);
    return NULL;
}

/* A new page is zero wherever nobody has written: the other threads only write zeros. */
static void check_zeros(void)
{
    static char block[65536], zero[65536];
    int fd = open("sized", O_RDWR);
    ftruncate(fd, 0);
    ftruncate(fd, sizeof block);
    CHECK(read(fd, block, sizeof block) == sizeof block && memcmp(block, zero, sizeof block) == 0);
    close(fd);
}

static void run(const char *what, void *(*const body[])(void *), unsigned kinds)
{
    pthread_t t[THREADS];
    stop = false;
    for (size_t n = 0; n < THREADS; n++)
        NEED(pthread_create(&t[n], NULL, body[n % kinds], (void *)n) == 0);
    sleep_ms(1500);
    stop = true;
    for (size_t n = 0; n < THREADS; n++)
        pthread_join(t[n], NULL);
    say("%s: done", what);
}

int main(void)
{
    enter_test_dir("file_stress");
    mkdir("da", 0755);
    mkdir("db", 0755);
    mkdir("da/x", 0755);
    mkdir("da/x/y", 0755);
    mkdir("churn", 0755);
    make_file("sized", "");
    char text[8192];
    memset(text, 'z', sizeof text);
    int fd = open("target", O_CREAT | O_WRONLY, 0644);
    write(fd, text, sizeof text);
    close(fd);
    run("replace", (void *(*[])(void *)){replace, look}, 2);
    run("directories", (void *(*[])(void *)){move_dirs, move_dirs, walk_dirs}, 3);
    run("churn", (void *(*[])(void *)){churn}, 1);
    handle(SIGBUS, abi_on_fault, 0); /* behind the end of the file */
    run("sizes", (void *(*[])(void *)){resize}, 1);
    check_zeros();
    for (unsigned n = 0; n < NR(bad); n++)
        if (bad[n])
            say("%u: %lu times", n, bad[n]);
    return done();
}
