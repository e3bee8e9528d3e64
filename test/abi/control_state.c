/* prctl: what is set is told back, what a thread has of its own, what execve and a change of identity leave. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include "abi.h"

static void say_name(const char *what)
{
    char name[17] = "................", path[64], comm[32] = "";

    NEED(prctl(PR_GET_NAME, name) == 0);
    name[16] = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid_of_self());
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, comm, sizeof comm - 1);
    close(fd);
    CHECK(n > 0 && comm[n - 1] == '\n' && n - 1 == (ssize_t)strlen(name) &&
          !memcmp(comm, name, (size_t)n - 1));
    say("%s: \"%s\"", what, name);
}

static void *thread_name(void *arg)
{
    say_name("a new thread");
    SHOW(prctl(PR_SET_NAME, "of its own"));
    say_name("thread");
    return arg;
}

static void names(void)
{
    pthread_t thread;

    SHOW(prctl(PR_SET_NAME, "main"));
    say_name("first");
    NEED(pthread_create(&thread, NULL, thread_name, NULL) == 0);
    pthread_join(thread, NULL);
    say_name("first again");
    SHOW(prctl(PR_SET_NAME, "longer than fifteen bytes"));
    say_name("cut");
    SHOW(prctl(PR_SET_NAME, ""));
    say_name("empty");
    char *edge = map_pages(2, PROT_READ | PROT_WRITE);
    NEED(munmap(edge + PAGE, PAGE) == 0);
    strcpy(edge + PAGE - 4, "end");
    SHOW(prctl(PR_SET_NAME, edge + PAGE - 4));
    say_name("before a hole");
    memcpy(edge + PAGE - 4, "oops", 4);
    SHOW(prctl(PR_SET_NAME, edge + PAGE - 4));
}

static void *slack(void *arg)
{
    SHOW(prctl(PR_GET_TIMERSLACK)); /* the current one of who made it is its default */
    SHOW(prctl(PR_SET_TIMERSLACK, 500));
    SHOW(prctl(PR_GET_TIMERSLACK));
    SHOW(prctl(PR_SET_TIMERSLACK, 0));
    SHOW(prctl(PR_GET_TIMERSLACK));
    return arg;
}

static void timer_slack(void)
{
    pthread_t thread;

    SHOW(prctl(PR_GET_TIMERSLACK));
    SHOW(prctl(PR_SET_TIMERSLACK, 12345));
    SHOW(prctl(PR_GET_TIMERSLACK));
    NEED(pthread_create(&thread, NULL, slack, NULL) == 0);
    pthread_join(thread, NULL);
    SHOW(prctl(PR_SET_TIMERSLACK, 0));
    SHOW(prctl(PR_GET_TIMERSLACK));
}

static void process_wide(void)
{
    int value = -1;

    SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SHOW(prctl(PR_GET_PDEATHSIG, &value));
    say("signal %d", value);
    SHOW(prctl(PR_SET_PDEATHSIG, 0));
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 5));
    SHOW(prctl(PR_GET_CHILD_SUBREAPER, &value));
    say("subreaper %d", value);
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0));
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 0));
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 1));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); /* there is no way back */
    SHOW(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    SHOW(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    SHOW(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    SHOW(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
    SHOW(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    SHOW(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
    SHOW(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
}

static void capabilities(void)
{
    SHOW(prctl(PR_CAPBSET_READ, 0));
    SHOW(prctl(PR_CAPBSET_DROP, 0));
    SHOW(prctl(PR_CAPBSET_READ, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 10, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 10, 0, 0)); /* not inheritable */
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    uint32_t caps[2][3];
    NEED(syscall(SYS_capget, &head, caps) == 0);
    caps[0][2] |= 1u << 10;
    SHOW(syscall(SYS_capset, &head, caps));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 10, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 10, 0, 0));
    caps[0][2] &= ~(1u << 10); /* no longer inheritable: no longer ambient */
    SHOW(syscall(SYS_capset, &head, caps));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 10, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    /* Another identity: who may look into the process is the machine's setting again. */
    SHOW(syscall(SYS_setresuid, 1000, 1000, 1000));
    SHOW(prctl(PR_GET_DUMPABLE) == 1);
    SHOW(prctl(PR_CAPBSET_DROP, 1));
}

int main(void)
{
    names();
    timer_slack();
    process_wide();
    capabilities();
    return done();
}
