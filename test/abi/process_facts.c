/* Who and where we are: ids, names, limits, usage; each call with its wrong arguments. */
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

#include "abi.h"

static volatile unsigned work;

int main(void)
{
    struct utsname name;
    struct rlimit limit, set;
    struct rusage usage;
    struct sysinfo info;
    struct tms tms;
    char comm[17] = "";

    NEED(uname(&name) == 0);
    say("%s %s", name.sysname, name.machine);
    int major = atoi(name.release);
    CHECK(major >= 4 && strlen(name.nodename) > 0 && strlen(name.version) > 0);
    SHOW(syscall(SYS_uname, 8));
    CHECK(getpid() > 0 && getpid() == tid_of_self());
    CHECK(getppid() >= 0 && getpgrp() >= 0 && getsid(0) >= 0);
    SHOW(getpgid(getpid()) == getpgrp());
    SHOW(getpgid(999999));
    SHOW(getsid(999999));
    uid_t r, e, s;
    SHOW(getresuid(&r, &e, &s));
    say("one user: %d", r == e && e == s && r == getuid());
    SHOW(getgroups(0, NULL) >= 0);
    SHOW(setuid(getuid()));
    SHOW(setgid(getgid()));

    SHOW(prctl(PR_SET_NAME, "a rather long name"));
    SHOW(prctl(PR_GET_NAME, comm));
    say("%s", comm);
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(12345));

    SHOW(getrlimit(RLIMIT_STACK, &limit));
    CHECK(limit.rlim_cur >= 1 << 20 && limit.rlim_max >= limit.rlim_cur);
    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur >= 256);
    SHOW(getrlimit(99, &limit));
    SHOW(syscall(SYS_getrlimit, RLIMIT_STACK, 8));
    set = (struct rlimit){100, 200};
    SHOW(setrlimit(RLIMIT_CORE, &set));
    SHOW(getrlimit(RLIMIT_CORE, &limit));
    say("core %lu %lu", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
    set = (struct rlimit){300, 200};
    SHOW(setrlimit(RLIMIT_CORE, &set));
    SHOW(prlimit(0, RLIMIT_CORE, NULL, &limit));
    SHOW(prlimit(999999, RLIMIT_CORE, NULL, &limit));

    for (unsigned i = 0; i < 30000000; i++)
        work += i;
    SHOW(getrusage(RUSAGE_SELF, &usage));
    CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec > 1000 && usage.ru_maxrss > 0);
    SHOW(getrusage(RUSAGE_THREAD, &usage));
    SHOW(getrusage(RUSAGE_CHILDREN, &usage));
    say("children used nothing: %ld", (long)usage.ru_utime.tv_usec);
    SHOW(getrusage(99, &usage));
    SHOW_OK(times(&tms));
    CHECK(tms.tms_cutime == 0);
    SHOW(sysinfo(&info));
    CHECK(info.totalram > info.freeram && info.mem_unit >= 1 && info.procs >= 1);
    SHOW(syscall(SYS_sysinfo, 8));
    SHOW(personality(0xffffffff));
    setpriority(PRIO_PROCESS, 0, 0); /* whatever the tests run with */
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 5));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(syscall(9999));
    SHOW(syscall(SYS_wait4, -1, NULL, 0, NULL));
    SHOW(syscall(SYS_waitid, 0, 0, NULL, 4, NULL));
    SHOW(umask(022) <= 0777);
    SHOW(syscall(SYS_membarrier, 0, 0, 0) >= 0);
    return done();
}
