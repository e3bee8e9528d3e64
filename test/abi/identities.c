/* The ids of a process: what root and others may set, which of the three follow, what becomes of the capabilities, and
 * PR_SET_KEEPCAPS. */
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#include "abi.h"

struct caps {
    uint32_t effective, permitted, inheritable;
};

/* Each attempt is a thread of its own: the raw calls change one thread only. */
static void say_ids(const char *what)
{
    unsigned r, e, s, gr, ge, gs;
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    struct caps c[2];

    NEED(syscall(SYS_getresuid, &r, &e, &s) == 0 && syscall(SYS_getresgid, &gr, &ge, &gs) == 0);
    NEED(syscall(SYS_capget, &head, c) == 0);
    say("%s: uids %u %u %u, fs %u, gids %u %u %u, permitted %d, effective %d", what, r, e, s,
        (unsigned)syscall(SYS_setfsuid, -1), gr, ge, gs, !!(c[0].permitted & 1),
        !!(c[0].effective & 1));
}

#define TRY(call) (SHOW(call), say_ids("  now"))

static void *setuid_as_root(void *arg)
{
    TRY(syscall(SYS_setuid, 1000)); /* all three */
    TRY(syscall(SYS_setuid, 0));
    TRY(syscall(SYS_setuid, 1000));
    SHOW(syscall(SYS_setgroups, 0, NULL));
    return arg;
}

static void *effective_only(void *arg)
{
    TRY(syscall(SYS_setreuid, -1, 1000)); /* like seteuid: the way back is kept */
    TRY(syscall(SYS_setuid, 2000));
    TRY(syscall(SYS_setresuid, -1, 2000, -1));
    TRY(syscall(SYS_setreuid, -1, 0));
    TRY(syscall(SYS_setreuid, 1000,
                -1)); /* the real id is set: the saved one follows the effective */
    TRY(syscall(SYS_setreuid, 0, 1000));
    TRY(syscall(SYS_setuid, 0));
    return arg;
}

static void *all_three(void *arg)
{
    TRY(syscall(SYS_setresuid, 1000, 2000, 3000));
    TRY(syscall(SYS_setresuid, 3000, 1000, 2000));
    TRY(syscall(SYS_setresuid, 4000, -1, -1));
    TRY(syscall(SYS_setuid, 2000)); /* the saved one: only the effective changes */
    TRY(syscall(SYS_setreuid, 2000, 3000));
    TRY(syscall(SYS_setreuid, -1, -1));
    return arg;
}

static void *file_ids(void *arg)
{
    SHOW(syscall(SYS_setfsuid, 1234));
    say_ids("  now");
    SHOW(syscall(SYS_setfsuid, -1));
    SHOW(syscall(SYS_setfsgid, 77));
    SHOW(syscall(SYS_setfsgid, -1));
    TRY(syscall(SYS_setresuid, -1, 1000, -1)); /* it follows the effective one */
    SHOW(syscall(SYS_setfsuid, 5000));         /* not one of ours: nothing happens */
    SHOW(syscall(SYS_setfsuid, 0));
    SHOW(syscall(SYS_setfsuid, -1));
    return arg;
}

static void *groups(void *arg)
{
    gid_t set[3] = {30, 10, 20}, got[4] = {0};

    TRY(syscall(SYS_setgid, 50));
    TRY(syscall(SYS_setresgid, 1, 2, 3));
    TRY(syscall(SYS_setregid, -1, 4));
    TRY(syscall(SYS_setregid, 5, -1));
    SHOW(syscall(SYS_setgroups, 3, set));
    SHOW(syscall(SYS_getgroups, 0, NULL));
    SHOW(syscall(SYS_getgroups, 2, got));
    SHOW(syscall(SYS_getgroups, 4, got));
    say("in order: %u %u %u", got[0], got[1], got[2]);
    TRY(syscall(SYS_setresuid, 1000, 1000, 1000));
    TRY(syscall(SYS_setgid, 5));
    TRY(syscall(SYS_setgid, 99));
    TRY(syscall(SYS_setresgid, 10, -1, -1)); /* a supplementary group is no right to be it */
    SHOW(syscall(SYS_setgroups, 3, set));
    return arg;
}

static void *keeping_capabilities(void *arg)
{
    SHOW(prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    TRY(syscall(SYS_setresuid, 1000, 1000, 1000));
    SHOW(prctl(PR_GET_KEEPCAPS));
    struct {
        uint32_t version;
        int pid;
    } head = {0x20080522, 0};
    struct caps c[2];
    NEED(syscall(SYS_capget, &head, c) == 0);
    c[0].effective = c[0].permitted = 0x80; /* CAP_SETUID alone */
    c[1].effective = c[1].permitted = 0;
    SHOW(syscall(SYS_capset, &head, c));
    TRY(syscall(SYS_setresuid, 0, 2000, 0)); /* allowed by it */
    c[0].permitted = 0xc0;
    SHOW(syscall(SYS_capset, &head, c)); /* more than there was */
    c[0].permitted = 0;
    SHOW(syscall(SYS_capset, &head, c)); /* effective without permitted */
    c[0].effective = 0;
    SHOW(syscall(SYS_capset, &head, c));
    TRY(syscall(SYS_setresuid, 5, -1, -1));
    return arg;
}

static void in_thread(const char *name, void *(*run)(void *))
{
    pthread_t thread;

    say("%s", name);
    NEED(pthread_create(&thread, NULL, run, NULL) == 0);
    pthread_join(thread, NULL);
}

int main(void)
{
    say_ids("at first");
    in_thread("setuid", setuid_as_root);
    in_thread("setreuid", effective_only);
    in_thread("setresuid", all_three);
    in_thread("setfsuid", file_ids);
    in_thread("groups", groups);
    in_thread("PR_SET_KEEPCAPS", keeping_capabilities);
    say_ids("the first thread has kept everything");
    return done();
}
