/* What the tests of the command line run in the guest: one small thing for each first argument. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
}

/* stdin to stdout, byte for byte. */
static int copy(void)
{
    static char buffer[65536];
    ssize_t n;

    while ((n = read(0, buffer, sizeof buffer)) > 0)
        for (ssize_t done = 0, w; done < n; done += w)
            if ((w = write(1, buffer + done, (size_t)(n - done))) < 0)
                return 1;
    return n < 0;
}

/* Page protections that change in a process which runs on several CPUs, each change waiting for the others, until the
 * input ends. */
#define CHURNERS 4
static volatile sig_atomic_t churn_ends;

static void *churn_thread(void *page)
{
    int failures = 0;

    while (!churn_ends) {
        failures += mprotect(page, 4096, PROT_READ) != 0;
        failures += mprotect(page, 4096, PROT_READ | PROT_WRITE) != 0;
        ++*(volatile char *)page;
    }
    return failures ? page : NULL;
}

static int churn(void)
{
    pthread_t threads[CHURNERS];
    void *result;
    int failures = 0;
    char *pages =
        mmap(NULL, CHURNERS * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        return 1;
    for (int i = 0; i < CHURNERS; i++)
        if (pthread_create(&threads[i], NULL, churn_thread, pages + i * 4096) != 0)
            return 1;
    copy();
    churn_ends = 1;
    for (int i = 0; i < CHURNERS; i++)
        failures += pthread_join(threads[i], &result) != 0 || result != NULL;
    return failures;
}

static int wait_for_signal(int number)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(number, on_signal);
    puts("ready");
    fflush(stdout);
    sigsuspend(&none);
    printf("caught %d\n", (int)caught);
    return 0;
}

/* Every size that the terminal takes, until it is 20 columns wide. */
static int window(void)
{
    struct winsize size = {0};
    sigset_t set;
    int number;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (ioctl(0, TIOCGWINSZ, &size) == 0) {
        printf("size %d %d\n", size.ws_row, size.ws_col);
        fflush(stdout);
        if (size.ws_col == 20)
            return 0;
        sigwait(&set, &number);
    }
    return 1;
}

static int flood(void)
{
    static char text[10000];

    memset(text, 'y', sizeof text);
    while (write(1, text, sizeof text) > 0)
        ;
    return 7; /* not reached: SIGPIPE */
}

/* Stores into a shared mapping and leaves the rest to the kernel. */
static int store_mapped(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDWR);

    if (fd < 0 || fstat(fd, &st))
        return 1;
    char *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED)
        return 1;
    for (off_t at = 0; at < st.st_size; at += 4096)
        bytes[at] = 'M';
    return 0;
}

/* Fills a file through mappings that come and go while it grows, as linkers do: each round stores its number into every
 * page that is there. */
static int store_growing(const char *path, int rounds)
{
    const size_t step = 1 << 20;
    int fd = open(path, O_RDWR | O_CREAT, 0644);

    for (int round = 1; round <= rounds; round++) {
        size_t size = (size_t)round * step;
        char *bytes;

        if (ftruncate(fd, (off_t)size) ||
            (bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED)
            return 1;
        for (size_t at = 0; at < size; at += 4096)
            bytes[at + (size_t)round] = (char)round;
        if (munmap(bytes, size))
            return 1;
    }
    return 0;
}

static int copy_times(const char *from, const char *to)
{
    struct stat st;
    int fd = open(to, O_WRONLY | O_CREAT, 0644);

    if (fd < 0 || stat(from, &st))
        return 1;
    return futimens(fd, (struct timespec[2]){st.st_atim, st.st_mtim});
}

static void show_error(const char *what, long result)
{
    printf("%s: error %d\n", what, result < 0 ? errno : 0);
}

/* What a shared folder does not offer. */
static int lacking(const char *folder)
{
    if (chdir(folder))
        return 1;
    show_error("O_TMPFILE", open(".", O_TMPFILE | O_RDWR, 0600));
    int fd = open("a", O_RDWR | O_CREAT, 0600), other = open("b", O_RDWR | O_CREAT, 0600);
    show_error("fallocate", fallocate(fd, 0, 0, 4096));
    show_error("RENAME_EXCHANGE", syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 2));
    show_error("RENAME_NOREPLACE", syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "c", 1));
    return fd < 0 || other < 0;
}

/* For each line of stdin: what the file has then. */
static int reread(const char *path)
{
    char line[256], text[256];

    while (fgets(line, sizeof line, stdin)) {
        FILE *file = fopen(path, "r");
        printf("%s", file && fgets(text, sizeof text, file) ? text : "(none)\n");
        fflush(stdout);
        if (file)
            fclose(file);
    }
    return 0;
}

/* For each line of stdin: appended to the file, which stays open, or for an empty line its first bytes. */
static int use_open(const char *path)
{
    char line[256], text[64];
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT, 0644);

    while (fd >= 0 && fgets(line, sizeof line, stdin)) {
        if (line[0] != '\n' && write(fd, line, strlen(line)) != (ssize_t)strlen(line))
            show_error("write", -1);
        ssize_t n = pread(fd, text, sizeof text, 0);
        for (ssize_t i = 0; i < n; i++)
            text[i] = text[i] == '\n' ? '.' : text[i] ? text[i] : '0';
        printf("%.*s\n", (int)n, text);
        fflush(stdout);
    }
    return fd < 0;
}

/* How many milliseconds after its start the machine has begun the program, and whether a server can be reached: the name
 * of the error. */
static int try_connect(const char *address, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    printf("%ld ms: ", (long)t.tv_sec * 1000 + t.tv_nsec / 1000000);
    inet_pton(AF_INET, address, &to.sin_addr);
    if (connect(s, (struct sockaddr *)&to, sizeof to) == 0)
        return puts("connected") < 0;
    return puts(errno == ENETUNREACH ? "ENETUNREACH" : strerror(errno)) < 0;
}

/* For each NAME=VALUE what setting it says, for each NAME its value; then all names that PATH has. */
static int attributes(const char *path, char **words)
{
    char data[4096];
    ssize_t n;

    for (; *words; words++) {
        char *equals = strchr(*words, '=');
        if (equals)
            *equals++ = '\0';
        n = equals ? setxattr(path, *words, equals, strlen(equals), 0)
                   : getxattr(path, *words, data, sizeof data);
        if (n < 0)
            printf("%s: error %d\n", *words, errno);
        else
            printf("%s: %.*s\n", *words, equals ? 3 : (int)n, equals ? "set" : data);
    }
    n = listxattr(path, data, sizeof data);
    for (char *p = data; n > 0 && p < data + n; p += strlen(p) + 1)
        printf("has %s\n", p);
    return n < 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!strcmp(what, "copy"))
        return copy();
    if (!strcmp(what, "exit"))
        return atoi(argv[2]);
    if (!strcmp(what, "raise"))
        return raise(atoi(argv[2]));
    if (!strcmp(what, "wait"))
        return wait_for_signal(atoi(argv[2]));
    if (!strcmp(what, "churn"))
        return churn();
    if (!strcmp(what, "window"))
        return window();
    if (!strcmp(what, "flood"))
        return flood();
    if (!strcmp(what, "spin"))
        for (;;)
            ;
    if (!strcmp(what, "env"))
        return puts(getenv(argv[2]) ? getenv(argv[2]) : "(unset)") < 0;
    if (!strcmp(what, "cwd"))
        return puts(getcwd(NULL, 0)) < 0;
    if (!strcmp(what, "cpus"))
        return printf("%ld\n", sysconf(_SC_NPROCESSORS_ONLN)) < 0;
    if (!strcmp(what, "cat") && argc > 2) {
        if (!freopen(argv[2], "r", stdin))
            return 1;
        return copy();
    }
    if (!strcmp(what, "store-mapped") && argc > 2)
        return store_mapped(argv[2]);
    if (!strcmp(what, "copy-times") && argc > 3)
        return copy_times(argv[2], argv[3]);
    if (!strcmp(what, "lacking") && argc > 2)
        return lacking(argv[2]);
    if (!strcmp(what, "store-growing") && argc > 3)
        return store_growing(argv[2], atoi(argv[3]));
    if (!strcmp(what, "attributes") && argc > 2)
        return attributes(argv[2], argv + 3);
    if (!strcmp(what, "reread") && argc > 2)
        return reread(argv[2]);
    if (!strcmp(what, "use-open") && argc > 2)
        return use_open(argv[2]);
    if (!strcmp(what, "connect") && argc > 3)
        return try_connect(argv[2], argv[3]);
    if (!strcmp(what, "tty"))
        return printf("%d %d %d\n", isatty(0), isatty(1), isatty(2)) < 0;
    if (!strcmp(what, "reboot")) {
        for (int i = 0; i < 1000; i++)
            printf("line %d\n", i);
        fflush(stdout);
        return reboot(argc > 2 ? RB_AUTOBOOT : RB_POWER_OFF);
    }
    if (!strcmp(what, "both")) {
        for (int i = 0; i < 50; i++) {
            printf("out %d\n", i);
            fflush(stdout);
            fprintf(stderr, "err %d\n", i);
        }
        return 0;
    }
    for (int i = 0; i < argc; i++)
        printf("[%s]", argv[i]);
    putchar('\n');
    return 0;
}
