/* What a process is told about itself and may change: ids, limits, capabilities, prctl, the
 * auxiliary vector. */
#define _GNU_SOURCE
#include <errno.h>
#include <elf.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __i386__
typedef Elf32_auxv_t auxv_entry;
#else
typedef Elf64_auxv_t auxv_entry;
#endif

extern char **environ;

static void result(const char *what, long r)
{
    if (r < 0)
        printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: %ld\n", what, r);
}

static void initial_stack(char **argv)
{
    long *sp = (long *)argv - 1;
    char **env = environ;
    printf("argc %ld, aligned %d, envp behind argv %d\n", *sp, (long)sp % 16 == 0,
           argv + *sp + 1 == environ);
    while (*env)
        env++;
    auxv_entry *aux = (auxv_entry *)(env + 1);
    printf("auxv:");
    for (; aux->a_type != AT_NULL; aux++)
        if (aux->a_type != 27 && aux->a_type != 28) /* newer than 6.1: rseq's */
            printf(" %lu", aux->a_type);
    printf("\nstrings in order: %d, random aligned %lu, name \"%s\", platform %s\n",
           argv[0] < (char *)getauxval(AT_EXECFN), getauxval(AT_RANDOM) % 1,
           strrchr((char *)getauxval(AT_EXECFN), '/') != NULL ? "path" : "",
           (char *)getauxval(AT_PLATFORM));
    char *end = (char *)getauxval(AT_EXECFN);
    end += strlen(end) + 1;
    printf("end of the stack: %lx zeros %d\n", ((unsigned long)end + 8) % 4096,
           !memcmp(end, "\0\0\0\0\0\0\0", 8));
    printf("pagesz %lu clktck %lu phent %lu base %lu flags %lu secure %lu phdr %d entry %d\n",
           getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), getauxval(AT_PHENT), getauxval(AT_BASE),
           getauxval(AT_FLAGS), getauxval(AT_SECURE), getauxval(AT_PHDR) != 0,
           getauxval(AT_ENTRY) != 0);
}

static void users(void)
{
    uid_t r, e, s;
    gid_t list[3] = {7, 3, 5}, got[4];
    puts("users:");
    getresuid(&r, &e, &s);
    printf("%u %u %u\n", r, e, s);
    result("setgroups", setgroups(3, list));
    result("getgroups 0", getgroups(0, NULL));
    result("getgroups 2", getgroups(2, got));
    result("getgroups 4", getgroups(4, got));
    printf("sorted %u %u %u\n", got[0], got[1], got[2]);
    result("setgroups fault", setgroups(3, (gid_t *)8));
    result("setgroups many", syscall(SYS_setgroups, 70000, NULL));
    result("setuid -1", syscall(SYS_setuid, -1));
    result("setresgid", syscall(SYS_setresgid, 10, 11, 12));
    result("setresuid", syscall(SYS_setresuid, 1000, 1001, 0));
    result("setfsuid", syscall(SYS_setfsuid, 5));
    result("getfsuid", syscall(SYS_setfsuid, -1));
    result("geteuid", geteuid());
    result("setgroups without", syscall(SYS_setgroups, 0, NULL));
    result("back to root", syscall(SYS_setresuid, -1, 0, -1));
    result("setgroups again", syscall(SYS_setgroups, 0, NULL));
    result("setreuid", syscall(SYS_setreuid, 1000, 1000));
    getresuid(&r, &e, &s);
    printf("%u %u %u\n", r, e, s);
    result("setuid 0", syscall(SYS_setuid, 0));
    result("setreuid 0", syscall(SYS_setreuid, 0, -1));
    result("setgid 12", syscall(SYS_setgid, 12));
    result("setgid 99", syscall(SYS_setgid, 99));
    result("sethostname", sethostname("x", 1));
    result("kill self", syscall(SYS_kill, getpid(), 0));
    result("prctl dumpable", prctl(PR_GET_DUMPABLE));
}

static void capabilities(void)
{
    struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct d[2];
    puts("capabilities:");
    result("capget", syscall(SYS_capget, &h, d));
    printf("effective %x %x permitted %x inheritable %x\n", d[0].effective & 1, d[1].effective & 1,
           d[0].permitted & 1, d[0].inheritable);
    h.version = 5;
    result("bad version", syscall(SYS_capget, &h, d));
    printf("version now %x\n", h.version);
    h.version = 5;
    result("bad version, no data", syscall(SYS_capget, &h, NULL));
    h.version = _LINUX_CAPABILITY_VERSION_3;
    h.pid = -1;
    result("bad pid", syscall(SYS_capget, &h, d));
    h.pid = 32001;
    result("no such", syscall(SYS_capget, &h, d));
    h.pid = 0;
    result("bounding", prctl(PR_CAPBSET_READ, 0));
    result("bounding bad", prctl(PR_CAPBSET_READ, 99));
    d[0].effective &= ~2u;
    d[0].permitted &= ~2u;
    result("capset drop", syscall(SYS_capset, &h, d));
    d[0].permitted |= 2;
    result("capset regain", syscall(SYS_capset, &h, d));
}

static void limits(void)
{
    struct rlimit l;
    puts("limits:");
    result("bad resource", getrlimit(99, &l));
    getrlimit(RLIMIT_STACK, &l);
    printf("stack %lu\n", (unsigned long)l.rlim_cur);
    l.rlim_cur = 100;
    l.rlim_max = 50;
    result("cur > max", setrlimit(RLIMIT_NOFILE, &l));
    l.rlim_max = 1L << 40;
    result("nofile too high", setrlimit(RLIMIT_NOFILE, &l));
    result("prlimit nobody", prlimit(32002, RLIMIT_NOFILE, NULL, &l));
    result("prlimit fault", syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 8L, NULL));
    l.rlim_cur = l.rlim_max = 64;
    result("nofile 64", setrlimit(RLIMIT_NOFILE, &l));
    result("dup beyond", dup2(1, 64));
    result("dup within", dup2(1, 63));
    struct rusage u;
    result("getrusage", getrusage(RUSAGE_SELF, &u));
    printf("maxrss %d\n", u.ru_maxrss > 10);
    result("getrusage bad", getrusage(7, &u));
}

static void switches(void)
{
    char name[17] = "";
    int value = 9;
    puts("prctl:");
    result("set name", prctl(PR_SET_NAME, "a-name-that-is-too-long"));
    result("get name", prctl(PR_GET_NAME, name));
    printf("%s\n", name);
    result("name fault", prctl(PR_SET_NAME, 8L));
    result("dumpable 2", prctl(PR_SET_DUMPABLE, 2));
    result("pdeathsig 99", prctl(PR_SET_PDEATHSIG, 99));
    result("pdeathsig", prctl(PR_SET_PDEATHSIG, 9));
    prctl(PR_GET_PDEATHSIG, &value);
    printf("%d\n", value);
    result("no_new_privs 2", prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
    result("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    result("get", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    result("subreaper", prctl(PR_SET_CHILD_SUBREAPER, 1));
    prctl(PR_GET_CHILD_SUBREAPER, &value);
    printf("%d\n", value);
    result("keepcaps 2", prctl(PR_SET_KEEPCAPS, 2));
    result("timerslack", prctl(PR_GET_TIMERSLACK));
    result("unknown", prctl(9999));
    result("personality", syscall(SYS_personality, 0xffffffff));
}

static void others(void)
{
    char buf[16];
    int status;
    struct utsname u;
    puts("others:");
    uname(&u);
    printf("%s %s\n", u.sysname, u.machine);
    result("uname fault", syscall(SYS_uname, 8L));
    result("getrandom", getrandom(buf, 16, 0));
    result("getrandom flags", getrandom(buf, 16, 0x80));
    result("getrandom both", getrandom(buf, 16, 6));
    result("getrandom fault", syscall(SYS_getrandom, 8L, 16, 0));
    result("wait", waitpid(-1, &status, 0));
    result("wait options", syscall(SYS_wait4, -1, &status, 0x100, NULL));
    result("waitid none", syscall(SYS_waitid, P_ALL, 0, NULL, WEXITED, NULL));
    result("waitid options", syscall(SYS_waitid, P_ALL, 0, NULL, 0, NULL));
    result("waitid which", syscall(SYS_waitid, 9, 0, NULL, WEXITED, NULL));
    result("waitid pid 0", syscall(SYS_waitid, P_PID, 0, NULL, WEXITED, NULL));
    result("getpgid nobody", getpgid(32003));
    result("getsid nobody", getsid(32003));
    result("setpgid nobody", setpgid(32003, 0));
    result("setpgid negative", setpgid(0, -5));
    result("tid is pid", syscall(SYS_gettid) == getpid());
    result("reboot magic", syscall(SYS_reboot, 1, 2, 3, NULL));
}

static void refused_clones(void)
{
    long args[12] = {0};
    puts("clone:");
    result("thread alone", syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    result("sighand alone", syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    result("newns and fs", syscall(SYS_clone, CLONE_NEWNS | CLONE_FS, 0, 0, 0, 0));
    result("clone3 small", syscall(SYS_clone3, args, 32));
    result("clone3 huge", syscall(SYS_clone3, args, 8192));
    result("clone3 fault", syscall(SYS_clone3, 8L, 64));
    args[11] = 1;
    result("clone3 unknown field", syscall(SYS_clone3, args, 96));
    args[11] = 0;
    args[0] = 1L << 40;
    result("clone3 unknown flag", syscall(SYS_clone3, args, 88));
    args[0] = 0x11;
    result("clone3 signal in flags", syscall(SYS_clone3, args, 88));
    args[0] = 0;
    args[4] = 100;
    result("clone3 exit signal", syscall(SYS_clone3, args, 88));
    args[4] = 0;
    args[5] = 4096;
    result("clone3 stack without size", syscall(SYS_clone3, args, 88));
    args[5] = 0;
    args[6] = 4096;
    result("clone3 size without stack", syscall(SYS_clone3, args, 88));
}

int main(int argc, char **argv)
{
    (void)argc;
    setvbuf(stdout, NULL, _IONBF, 0);
    initial_stack(argv);
    refused_clones();
    limits();
    switches();
    others();
    capabilities();
    users();
    return 0;
}
