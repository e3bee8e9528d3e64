/* execve(2) from a thread that is not the first, while others sleep and spin: they are gone
 * afterwards, the process number stays, descriptors marked for it are closed, handlers are reset
 * and ignored signals stay ignored. */
#include <dirent.h>
#include <sys/prctl.h>

#include "abi.h"

static char *self;
static int kept, closed;

static void *spin(void *unused)
{
    for (volatile int i = 0;; i++)
        ;
    return unused;
}

static void *sleep_long(void *unused)
{
    pause();
    return unused;
}

static void on_signal(int sig)
{
    (void)sig;
}

static void *exec_here(void *unused)
{
    char a[16], b[16], pid[16];
    snprintf(a, sizeof(a), "%d", kept);
    snprintf(b, sizeof(b), "%d", closed);
    snprintf(pid, sizeof(pid), "%d", getpid());
    char *argv[] = {"second", pid, a, b, NULL}, *envp[] = {"ONE=1", "TWO=2", NULL};
    usleep(20000);
    execve(self, argv, envp);
    return unused;
}

static int second(char **argv)
{
    struct sigaction sa;
    sigset_t set;
    char name[16], *stack = NULL;
    stack_t ss;
    say("same process: %d, first thread: %d", getpid() == atoi(argv[1]),
        syscall(SYS_gettid) == getpid());
    say("kept: %d, closed: %d", fcntl(atoi(argv[2]), F_GETFD), fcntl(atoi(argv[3]), F_GETFD));
    sigaction(SIGUSR1, NULL, &sa);
    say("handler default: %d", sa.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &sa);
    say("ignored stays: %d", sa.sa_handler == SIG_IGN);
    sigprocmask(SIG_BLOCK, NULL, &set);
    say("mask stays: %d", sigismember(&set, SIGHUP));
    sigpending(&set);
    say("pending stays: %d", sigismember(&set, SIGHUP));
    sigaltstack(NULL, &ss);
    say("no alternate stack: %d", ss.ss_flags == SS_DISABLE && ss.ss_sp == stack);
    say("environment: %s %s", getenv("ONE"), getenv("TWO"));
    prctl(PR_GET_NAME, name);
    say("name is the file's: %d", strncmp(name, strrchr(self, '/') + 1, 15) == 0);
    int threads = 0;
    DIR *d = opendir("/proc/self/task");
    for (struct dirent *e; d && (e = readdir(d));)
        threads += e->d_name[0] != '.';
    say("threads: %d", threads);
    return done();
}

int main(int argc, char **argv)
{
    static char path[4096], stack[65536];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    self = len > 0 ? path : argv[0];
    if (argc > 1)
        return second(argv);

    pthread_t t;
    sigset_t set;
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, SIG_IGN);
    sigaltstack(&ss, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGHUP);
    kept = open("/dev/null", O_RDONLY);
    closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 3; i++) {
        pthread_create(&t, NULL, sleep_long, NULL);
        pthread_create(&t, NULL, spin, NULL);
    }
    pthread_create(&t, NULL, exec_here, NULL);
    pthread_join(t, NULL);
    say("not reached");
    return 1;
}
