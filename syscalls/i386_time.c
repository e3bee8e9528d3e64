/* The calls of i386 whose times have 64 bits: their older namesakes, told so. */
#include <syscalls/bodies.h>

#include "abi.h"

#define WITH_TIME64(call)    \
    do {                     \
        caller_use_time64(); \
        return call;         \
    } while (0)

long sys_clock_gettime64_32(int clockid, struct uptr tp)
{
    WITH_TIME64(sys_clock_gettime(clockid, tp));
}

long sys_clock_settime64_32(int clockid, struct uptr tp)
{
    WITH_TIME64(sys_clock_settime(clockid, tp));
}

long sys_clock_adjtime64_32(int clk_id, struct uptr buf)
{
    WITH_TIME64(sys_clock_adjtime(clk_id, buf));
}

long sys_clock_getres_time64_32(int clockid, struct uptr res)
{
    WITH_TIME64(sys_clock_getres(clockid, res));
}

long sys_clock_nanosleep_time64_32(int clockid, int flags, struct uptr request, struct uptr remain)
{
    WITH_TIME64(sys_clock_nanosleep(clockid, flags, request, remain));
}

long sys_timer_gettime64_32(int timerid, struct uptr curr_value)
{
    WITH_TIME64(sys_timer_gettime(timerid, curr_value));
}

long sys_timer_settime64_32(int timerid, int flags, struct uptr new_value, struct uptr old_value)
{
    WITH_TIME64(sys_timer_settime(timerid, flags, new_value, old_value));
}

long sys_timerfd_gettime64_32(int fd, struct uptr curr_value)
{
    WITH_TIME64(sys_timerfd_gettime(fd, curr_value));
}

long sys_timerfd_settime64_32(int fd, int flags, struct uptr new_value, struct uptr old_value)
{
    WITH_TIME64(sys_timerfd_settime(fd, flags, new_value, old_value));
}

long sys_utimensat_time64_32(int dirfd, struct uptr pathname, struct uptr times, int flags)
{
    WITH_TIME64(sys_utimensat(dirfd, pathname, times, flags));
}

long sys_pselect6_time64_32(int nfds, struct uptr readfds, struct uptr writefds,
                            struct uptr exceptfds, struct uptr timeout, struct uptr sigmask)
{
    WITH_TIME64(sys_pselect6(nfds, readfds, writefds, exceptfds, timeout, sigmask));
}

long sys_ppoll_time64_32(struct uptr fds, unsigned nfds, struct uptr tmo_p, struct uptr sigmask,
                         size_t sigsetsize)
{
    WITH_TIME64(sys_ppoll(fds, nfds, tmo_p, sigmask, sigsetsize));
}

long sys_rt_sigtimedwait_time64_32(struct uptr set, struct uptr info, struct uptr timeout,
                                   size_t sigsetsize)
{
    WITH_TIME64(sys_rt_sigtimedwait(set, info, timeout, sigsetsize));
}

long sys_futex_time64_32(struct uptr uaddr, int futex_op, unsigned val, unsigned long timeout,
                         struct uptr uaddr2, unsigned val3)
{
    WITH_TIME64(sys_futex(uaddr, futex_op, val, timeout, uaddr2, val3));
}

long sys_sched_rr_get_interval_time64_32(int pid, struct uptr tp)
{
    WITH_TIME64(sys_sched_rr_get_interval(pid, tp));
}

long sys_recvmmsg_time64_32(int sockfd, struct uptr msgvec, unsigned vlen, int flags,
                            struct uptr timeout)
{
    WITH_TIME64(sys_recvmmsg(sockfd, msgvec, vlen, flags, timeout));
}
