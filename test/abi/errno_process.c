/* Which error comes first: processes, identities, scheduling and limits. */
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "matrix.h"

#define NOBODY N_(0x3fffffff)
#define OUT    NULL_, READABLE_, WRITABLE_

static const struct matrix_call calls[] = {
    {"wait4",
     SYS_wait4,
     {{N_(-1), N_(0), NOBODY, N_(INT_MIN), N_(-0x3fffffff)},
      {NULL_, WILD_},
      {N_(0), N_(1), N_(0x10), N_(0x40000000), N_(-1)},
      {NULL_, WILD_}}},
    {"waitid",
     SYS_waitid,
     {{N_(-1), N_(0), N_(1), N_(2), N_(3), N_(4)},
      {N_(-1), N_(0), NOBODY},
      {NULL_, WILD_},
      {N_(0), N_(4), N_(1), N_(5), N_(0x04000000), N_(-1)},
      {NULL_}}},
    {"getpgid", SYS_getpgid, {{N_(-1), NOBODY}}},
    {"getsid", SYS_getsid, {{N_(-1), NOBODY}}},
    {"setpgid", SYS_setpgid, {{N_(-1), NOBODY}, {N_(-1), N_(0), NOBODY}}},
    {"getpriority", SYS_getpriority, {{N_(-1), N_(0), N_(1), N_(2), N_(3)}, {N_(-1), NOBODY}}},
    {"setpriority", SYS_setpriority, {{N_(-1), N_(0), N_(1), N_(3)}, {N_(-1), NOBODY}, {N_(0)}}},
    {"ioprio_get", SYS_ioprio_get, {{N_(-1), N_(0), N_(1), N_(2), N_(4)}, {N_(-1), NOBODY}}},
    {"ioprio_set",
     SYS_ioprio_set,
     {{N_(-1), N_(0), N_(1), N_(4)},
      {N_(-1), NOBODY},
      {N_(0), N_(0x6000), N_(0x8000), N_(0x4008)}}},
    {"sched_getscheduler", SYS_sched_getscheduler, {{N_(-1), N_(0), NOBODY}}},
    {"sched_getparam", SYS_sched_getparam, {{N_(-1), N_(0), NOBODY}, {OUT}}},
    {"sched_setparam",
     SYS_sched_setparam,
     {{N_(-1), N_(0), NOBODY}, {NULL_, WILD_, {"zero", 0x10011000}, {"five", 0x10011100}}}},
    {"sched_setscheduler",
     SYS_sched_setscheduler,
     {{N_(-1), N_(0), NOBODY},
      {N_(-1), N_(0), N_(1), N_(4), N_(7), N_(3)},
      {NULL_, WILD_, {"zero", 0x10011000}, {"hundred", 0x10011200}}}},
    {"sched_get_priority_max",
     SYS_sched_get_priority_max,
     {{N_(-1), N_(0), N_(1), N_(2), N_(3), N_(4), N_(5), N_(6), N_(7), N_(8)}}},
    {"sched_get_priority_min",
     SYS_sched_get_priority_min,
     {{N_(-1), N_(0), N_(1), N_(2), N_(3), N_(4), N_(5), N_(6), N_(8)}}},
    {"sched_rr_get_interval", SYS_sched_rr_get_interval, {{N_(-1), N_(0), NOBODY}, {OUT}}},
    {"sched_getaffinity",
     SYS_sched_getaffinity,
     {{N_(-1), N_(0), NOBODY}, {N_(0), N_(4), N_(128), N_(8191)}, {OUT}}},
    {"sched_setaffinity",
     SYS_sched_setaffinity,
     {{N_(-1), N_(0), NOBODY}, {N_(0), N_(8)}, {NULL_, {"none", 0x10011000}}}},
    {"sched_getattr",
     SYS_sched_getattr,
     {{N_(-1), N_(0), NOBODY}, {OUT}, {N_(0), N_(47), N_(48), N_(4096), N_(4097)}, {N_(0), N_(1)}}},
    {"sched_setattr",
     SYS_sched_setattr,
     {{N_(-1), N_(0), NOBODY},
      {NULL_,
       WILD_,
       {"size 47", 0x10011300},
       {"size 5000", 0x10011400},
       {"more", 0x10011500},
       {"policy 99", 0x10011600}},
      {N_(0), N_(1)}}},
    {"prlimit64",
     SYS_prlimit64,
     {{N_(-1), N_(0), NOBODY},
      {N_(-1), N_(7), N_(15), N_(16)},
      {NULL_, WILD_, {"soft above hard", 0x10011700}},
      {OUT}}},
    {"getrlimit", SYS_getrlimit, {{N_(-1), N_(0), N_(15), N_(16)}, {OUT}}},
    {"setrlimit",
     SYS_setrlimit,
     {{N_(-1), N_(7), N_(16)}, {NULL_, {"soft above hard", 0x10011700}}}},
    {"getgroups", SYS_getgroups, {{N_(-1), N_(0)}, {NULL_, WILD_}}},
    {"setgroups", SYS_setgroups, {{N_(-1), N_(1), N_(65537)}, {NULL_, WILD_}}},
    {"getresuid", SYS_getresuid, {{OUT}, {OUT}, {OUT}}},
    {"capget",
     SYS_capget,
     {{NULL_,
       {"version 0", 0x10011000},
       {"version 3", 0x10011800},
       {"nobody", 0x10011900},
       {"negative", 0x10011a00}},
      {NULL_, WILD_, WRITABLE_}}},
    {"capset",
     SYS_capset,
     {{NULL_, {"version 0", 0x10011000}, {"version 3", 0x10011800}, {"nobody", 0x10011900}},
      {NULL_, WILD_}}},
    {"personality", SYS_personality, {{N_(0xffffffff)}}},
    {"getcpu", SYS_getcpu, {{OUT}, {OUT}, {NULL_, WILD_}}},
    {"getrandom", SYS_getrandom, {{OUT}, {N_(0), N_(8)}, {N_(0), N_(1), N_(4), N_(6), N_(8)}}},
    {"uname", SYS_uname, {{OUT}}},
    {"sysinfo", SYS_sysinfo, {{OUT}}},
    {"sethostname", SYS_sethostname, {{NULL_, WILD_}, {N_(-1), N_(65), N_(4)}}},
    {"unshare", SYS_unshare, {{N_(1), N_(0x00010000), N_(0x800000000)}}},
    {"set_robust_list", SYS_set_robust_list, {{NULL_}, {N_(0), N_(23), N_(25)}}},
    {"get_robust_list", SYS_get_robust_list, {{N_(-1), N_(0), NOBODY}, {OUT}, {OUT}}},
    {"kcmp", SYS_kcmp, {{NOBODY}, {NOBODY}, {N_(-1), N_(0), N_(8)}, {N_(0)}, {N_(0)}}},
    {"process_vm_readv",
     SYS_process_vm_readv,
     {{N_(-1), NOBODY},
      {NULL_, WILD_},
      {N_(0), N_(1), N_(1025)},
      {NULL_, WILD_},
      {N_(0), N_(1), N_(1025)},
      {N_(0), N_(1)}}},
    {"rseq", SYS_rseq, {{NULL_, {"odd", 0x10011001}}, {N_(31), N_(32)}, {N_(1), N_(0)}, {N_(0)}}},
    {"futex",
     SYS_futex,
     {{NULL_, WILD_, {"odd", 0x10010001}, WRITABLE_},
      {N_(1), N_(3), N_(4), N_(5), N_(6), N_(7), N_(8), N_(10), N_(14), N_(255)},
      {N_(1)},
      {NULL_, N_(-1)},
      {NULL_, WRITABLE_, {"odd", 0x10010002}},
      {N_(0), N_(1)}}},
};

static const struct matrix_call controls[] = {
    {"prctl",
     SYS_prctl,
     {{N_(0), N_(5), N_(6), N_(9), N_(10), N_(11), N_(12), N_(17), N_(18), N_(20), N_(29), N_(31),
       N_(99)},
      {NULL_}}},
    {"PR_SET_PDEATHSIG", SYS_prctl, {{N_(PR_SET_PDEATHSIG)}, {N_(-1), N_(0), N_(64), N_(65)}}},
    {"PR_GET_PDEATHSIG", SYS_prctl, {{N_(PR_GET_PDEATHSIG)}, {OUT}}},
    {"PR_SET_DUMPABLE", SYS_prctl, {{N_(PR_SET_DUMPABLE)}, {N_(-1), N_(0), N_(1), N_(2), N_(3)}}},
    {"PR_SET_NAME", SYS_prctl, {{N_(PR_SET_NAME), N_(PR_GET_NAME)}, {NULL_, WILD_}}},
    {"PR_SET_KEEPCAPS", SYS_prctl, {{N_(PR_SET_KEEPCAPS)}, {N_(0), N_(1), N_(2)}}},
    {"PR_SET_NO_NEW_PRIVS",
     SYS_prctl,
     {{N_(PR_SET_NO_NEW_PRIVS), N_(PR_GET_NO_NEW_PRIVS)},
      {N_(0), N_(2)},
      {N_(0), N_(1)},
      {N_(0)},
      {N_(0), N_(1)}}},
    {"PR_CAPBSET",
     SYS_prctl,
     {{N_(PR_CAPBSET_READ), N_(PR_CAPBSET_DROP)}, {N_(-1), N_(41), N_(64)}}},
    {"PR_CAP_AMBIENT",
     SYS_prctl,
     {{N_(PR_CAP_AMBIENT)},
      {N_(0), N_(1), N_(2), N_(3), N_(4)},
      {N_(0), N_(99)},
      {N_(0), N_(1)},
      {N_(0), N_(1)}}},
    {"PR_SET_CHILD_SUBREAPER", SYS_prctl, {{N_(PR_SET_CHILD_SUBREAPER)}, {N_(0), N_(1), N_(7)}}},
    {"PR_GET_CHILD_SUBREAPER", SYS_prctl, {{N_(PR_GET_CHILD_SUBREAPER)}, {OUT}}},
    {"PR_SET_TIMERSLACK", SYS_prctl, {{N_(PR_SET_TIMERSLACK)}, {N_(0), N_(1), N_(-1)}}},
    {"PR_GET_TID_ADDRESS", SYS_prctl, {{N_(PR_GET_TID_ADDRESS)}, {NULL_, READABLE_}}},
    {"PR_SET_THP_DISABLE",
     SYS_prctl,
     {{N_(PR_SET_THP_DISABLE), N_(PR_GET_THP_DISABLE)},
      {N_(0), N_(1)},
      {N_(0), N_(1)},
      {N_(0)},
      {N_(0)}}},
    {"PR_MCE_KILL_GET",
     SYS_prctl,
     {{N_(PR_MCE_KILL_GET)}, {N_(0), N_(1)}, {N_(0)}, {N_(0)}, {N_(0), N_(1)}}},
    {"PR_MCE_KILL",
     SYS_prctl,
     {{N_(PR_MCE_KILL)},
      {N_(0), N_(1), N_(2)},
      {N_(0), N_(1), N_(2), N_(3)},
      {N_(0), N_(1)},
      {N_(0)}}},
    {"PR_SET_MM", SYS_prctl, {{N_(PR_SET_MM)}, {N_(0), N_(99)}, {NULL_}, {N_(0)}, {N_(1)}}},
    {"PR_SET_UNALIGN",
     SYS_prctl,
     {{N_(PR_SET_UNALIGN), N_(PR_SET_FPEMU), N_(PR_SET_FPEXC), N_(PR_SET_ENDIAN)}, {N_(0)}}},
};

#ifdef __x86_64__
static const struct matrix_call machine[] = {
    {"arch_prctl", SYS_arch_prctl, {{N_(0x1003), N_(0x1004)}, {OUT}}},
    {"arch_prctl",
     SYS_arch_prctl,
     {{N_(0x1001)},
      {N_(-1), {"end", (long)0x7ffffffff000}, {"kernel", (long)0xffff800000000000ull}}}},
    {"arch_prctl", SYS_arch_prctl, {{N_(0), N_(0x1000), N_(0x1005), N_(-1)}, {NULL_}}},
};
#endif

static void make_arguments(void)
{
    *(int *)0x10011100 = 5;
    *(int *)0x10011200 = 100;
    *(uint32_t *)0x10011300 = 47;
    *(uint32_t *)0x10011400 = 5000;
    *(uint32_t *)0x10011500 = 60;
    ((uint32_t *)0x10011500)[14] = 1;
    *(uint32_t *)0x10011600 = 48;
    ((uint32_t *)0x10011600)[1] = 99;
    *(struct rlimit *)0x10011700 = (struct rlimit){10, 9};
    *(uint32_t *)0x10011800 = 0x20080522;
    *(uint32_t *)0x10011900 = 0x20080522;
    ((int *)0x10011900)[1] = 0x3fffffff;
    *(uint32_t *)0x10011a00 = 0x20080522;
    ((int *)0x10011a00)[1] = -1;
}

int main(void)
{
    matrix_fds();
    matrix_memory();
    make_arguments();
    MATRIX(calls, NULL);
    MATRIX(controls, NULL);
#ifdef __x86_64__
    MATRIX(machine, NULL);
#endif
    return done();
}
