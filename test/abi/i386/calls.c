/* The calls that only i386 has, and those whose structures have two or three generations there. */
#include "../abi.h"

#include <asm/ldt.h>
#include <asm/unistd.h>
#include <sys/resource.h>

static char page[PAGE] __attribute__((aligned(PAGE)));

/* How far a call wrote into a buffer of 0xa5. */
static int written(void)
{
    int n = PAGE;
    while (n > 0 && (unsigned char)page[n - 1] == 0xa5)
        n--;
    return n;
}

static void *fresh(void)
{
    return memset(page, 0xa5, PAGE);
}

static void stats(void)
{
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0640);
    NEED(fd >= 0);
    NEED(pwrite(fd, "12345", 5, 0) == 5);
    fresh();
    SHOW(syscall(__NR_stat, "file", page));
    say("stat wrote up to %d, size %u", written() <= 64, *(uint32_t *)(page + 20));
    fresh();
    SHOW(syscall(__NR_fstat64, fd, page));
    say("fstat64 wrote %d, size %llu, inodes agree %d", written() <= 96,
        *(unsigned long long *)(page + 44), *(uint32_t *)(page + 12) == *(uint32_t *)(page + 88));
    SHOW(syscall(__NR_lstat64, "nothing", page));
    SHOW(syscall(__NR_fstatat64, AT_FDCWD, "file", page, 0));
    SHOW(syscall(__NR_fstatat64, AT_FDCWD, "file", page, 0x8000));

    /* A size beyond 2 GiB is too large for the older ones. */
    SHOW(syscall(__NR_ftruncate64, fd, 0, 1)); /* 4 GiB */
    SHOW(syscall(__NR_fstat, fd, page));
    SHOW(syscall(__NR_fstat64, fd, page));
    say("size %llu", *(unsigned long long *)(page + 44));
    uint64_t pos = 7;
    SHOW(syscall(__NR__llseek, fd, 0, 0xfffffff0, &pos, SEEK_SET));
    say("position %llu", (unsigned long long)pos);
    SHOW(syscall(__NR__llseek, fd, 0, 0, &pos, 9));
    SHOW(syscall(__NR__llseek, fd, 0xffffffff, 0xffffffff, &pos, SEEK_SET));
    SHOW(syscall(__NR_truncate64, "file", 100, 0));
    SHOW(syscall(__NR_lseek, fd, -10, SEEK_END));
    SHOW(syscall(__NR_pwrite64, fd, "x", 1, 0x10, 1));
    SHOW(syscall(__NR_fstat64, fd, page));
    say("size %llx", *(unsigned long long *)(page + 44));
    close(fd);
    unlink("file");

    fresh();
    SHOW(syscall(__NR_statfs64, "/dev", 84, page));
    say("statfs64 wrote %d", written() <= 84);
    SHOW(syscall(__NR_statfs64, "/dev", 88, page));
    SHOW(syscall(__NR_fstatfs64, -1, 84, page));
}

static void locks(void)
{
    struct small {
        short type, whence;
        int32_t start, len, pid;
    } small = {F_WRLCK, SEEK_SET, 1, 2, 0};
    struct __attribute__((packed)) large {
        short type, whence;
        int64_t start, len;
        int32_t pid;
    } large = {F_WRLCK, SEEK_SET, 1ll << 40, 2, 0};
    int fd = open("locked", O_RDWR | O_CREAT, 0600), other = open("locked", O_RDWR);

    SHOW(syscall(__NR_fcntl, fd, 6, &small));
    SHOW(syscall(__NR_fcntl64, fd, 13, &large));
    SHOW(syscall(__NR_fcntl, fd, 13, &large));
    SHOW(syscall(__NR_fcntl, fd, 36, &large));
    large = (struct large){F_WRLCK, SEEK_SET, 0, 0, 0};
    SHOW(syscall(__NR_fcntl64, other, 36, &large)); /* F_OFD_GETLK: ours are in its way */
    say("type %d start %lld len %lld", large.type, (long long)large.start, (long long)large.len);
    small = (struct small){F_UNLCK, SEEK_SET, 0, 0, 0};
    SHOW(syscall(__NR_fcntl64, fd, 6, &small));
    close(fd);
    close(other);
    unlink("locked");
}

static void ids(void)
{
    uint16_t r[3] = {9, 9, 9}, groups[4] = {1, 2, 65534, 3};
    uint32_t wide[4] = {0};

    SHOW(syscall(__NR_getuid));
    SHOW(syscall(__NR_setgroups, 4, groups));
    SHOW(syscall(__NR_getgroups32, 4, wide));
    say("groups %u %u %u %u", wide[0], wide[1], wide[2], wide[3]);
    groups[2] = 65535; /* -1 */
    SHOW(syscall(__NR_setgroups, 4, groups));
    wide[0] = UINT32_MAX;
    SHOW(syscall(__NR_setgroups32, 1, wide));
    wide[0] = 70000;
    SHOW(syscall(__NR_setgroups32, 1, wide));
    SHOW(syscall(__NR_getgroups, 4, groups));
    say("a large one: %u", groups[0]);
    SHOW(syscall(__NR_setgroups32, 0, wide));
    SHOW(syscall(__NR_setresgid, 65535, 5, 65535));
    SHOW(syscall(__NR_getresgid, r, r + 1, r + 2));
    say("gids %u %u %u", r[0], r[1], r[2]);
    SHOW(syscall(__NR_setresgid32, 70000, 0, -1));
    SHOW(syscall(__NR_getgid));
    SHOW(syscall(__NR_getgid32));
    SHOW(syscall(__NR_setresgid32, 0, 0, 0));
    int fd = open("owned", O_CREAT | O_RDWR, 0600);
    SHOW(syscall(__NR_chown, "owned", 65535, 70003 & 0xffff));
    SHOW(syscall(__NR_fchown32, fd, 100000, -1));
    SHOW(syscall(__NR_stat, "owned", page));
    say("owner %u, group %u", *(uint16_t *)(page + 12), *(uint16_t *)(page + 14));
    close(fd);
    unlink("owned");
}

static void signals(void)
{
    uint32_t set = 1 << (SIGUSR1 - 1), old = 77;
    sigset_t all;

    sigemptyset(&all);
    sigaddset(&all, 40);
    sigprocmask(SIG_SETMASK, &all, NULL);
    SHOW(syscall(__NR_sigprocmask, SIG_SETMASK, &set, &old));
    sigprocmask(SIG_SETMASK, NULL, &all);
    say("old %#x, 40 still: %d", old, sigismember(&all, 40));
    SHOW(syscall(__NR_sigprocmask, 5, &set, NULL));
    SHOW(syscall(__NR_sgetmask));
    raise(SIGUSR1);
    SHOW(syscall(__NR_sigpending, &old));
    say("pending %#x", old);
    SHOW(syscall(__NR_signal, SIGUSR1, SIG_IGN));
    SHOW(syscall(__NR_ssetmask, 0));
    sigprocmask(SIG_SETMASK, NULL, &all);
    say("40 now: %d", sigismember(&all, 40));
    struct {
        void *handler;
        uint32_t mask, flags;
        void *restorer;
    } action;
    SHOW(syscall(__NR_sigaction, SIGUSR1, NULL, &action));
    say("ignored: %d flags %#x", action.handler == (void *)SIG_IGN, action.flags & 0xf0000000);
    SHOW(syscall(__NR_sigaction, SIGKILL, &action, NULL));
}

static void times32(void)
{
    struct {
        int32_t sec, nsec;
    } t = {0, 1000}, bad = {0, 1000000000};
    struct {
        int64_t sec, nsec;
    } t64 = {0, 1000 | 1ll << 32}; /* the upper half is padding */

    SHOW(syscall(__NR_nanosleep, &t, NULL));
    SHOW(syscall(__NR_nanosleep, &bad, NULL));
    SHOW(syscall(__NR_clock_nanosleep_time64, CLOCK_MONOTONIC, 0, &t64, NULL));
    fresh();
    SHOW(syscall(__NR_clock_gettime, CLOCK_MONOTONIC, page));
    say("wrote %d", written() <= 8);
    fresh();
    SHOW(syscall(__NR_clock_getres_time64, CLOCK_MONOTONIC, page));
    say("resolution %llu %llu", ((unsigned long long *)page)[0], ((unsigned long long *)page)[1]);
    int fd = (int)syscall(__NR_timerfd_create, CLOCK_MONOTONIC, 0);
    int32_t its[4] = {5, 6, 100, 7}, now[4];
    SHOW(syscall(__NR_timerfd_settime, fd, 0, its, NULL));
    SHOW(syscall(__NR_timerfd_gettime, fd, now));
    say("interval %d %d, left %d", now[0], now[1], now[2] >= 90 && now[2] <= 100);
    int64_t its64[4];
    SHOW(syscall(__NR_timerfd_gettime64, fd, its64));
    say("interval %lld %lld, left %d", (long long)its64[0], (long long)its64[1],
        its64[2] >= 90 && its64[2] <= 100);
    close(fd);
    uint32_t word = 1;
    SHOW(syscall(__NR_futex, &word, 0, 1, &t, NULL, 0));
    SHOW(syscall(__NR_futex_time64, &word, 0, 1, &t64, NULL, 0));
    SHOW(syscall(__NR_ppoll, NULL, 0, &t, NULL, 8));
    SHOW(syscall(__NR_ppoll_time64, NULL, 0, &t64, NULL, 8));
    fresh();
    SHOW(syscall(__NR_getitimer, ITIMER_REAL, page));
    say("wrote %d", written());
    SHOW(syscall(__NR_utimensat, AT_FDCWD, "nothing", NULL, 0));
}

static void memory(void)
{
    struct {
        uint32_t addr, len, prot, flags, fd, offset;
    } args = {0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0};
    void *p = (void *)syscall(__NR_mmap, &args);
    say("old mmap: %d", p != MAP_FAILED && *(char *)p == 0);
    args.offset = 1;
    SHOW(syscall(__NR_mmap, &args));
    int fd = memfd_create("far", 0);
    SHOW(ftruncate(fd, (1ll << 33) + PAGE));
    SHOW(pwrite(fd, "far", 3, 1ll << 33) == 3);
    p = (void *)syscall(__NR_mmap2, NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1 << 21);
    say("mmap2 beyond 8 GiB: %.3s", p == MAP_FAILED ? "no" : (char *)p);
    close(fd);
    /* All of 4 GiB is there but for the last 8 KiB. */
    say("the highest page: %d",
        mmap((void *)0xffffc000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
             -1, 0) != MAP_FAILED ||
            errno == EEXIST);
    say("beyond: %d", mmap((void *)0xffffe000, PAGE, PROT_READ,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    SHOW(munmap((void *)0xffffe000, PAGE));
    size_t big = 0xb0000000;
    p = mmap(NULL, big, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    say("2.75 GiB at once: %d", p != MAP_FAILED);
}

static void segments(void)
{
    struct user_desc d = {.entry_number = -1,
                          .base_addr = (uint32_t)(uintptr_t)page,
                          .limit = 0xfffff,
                          .seg_32bit = 1,
                          .limit_in_pages = 1,
                          .useable = 1};
    uint32_t value;

    *(uint32_t *)page = 0x51ab51ab;
    SHOW(syscall(__NR_set_thread_area, &d));
    say("entry in range: %d", d.entry_number >= 12 && d.entry_number <= 14);
    __asm__ volatile("movl %1, %%fs; movl %%fs:0, %0" : "=r"(value) : "r"(d.entry_number * 8 + 3));
    say("through fs: %#x", value);
    struct user_desc got = {.entry_number = d.entry_number};
    SHOW(syscall(__NR_get_thread_area, &got));
    say("same: %d limit %#x flags %d%d%d%d%d", got.base_addr == d.base_addr, got.limit,
        got.seg_32bit, got.limit_in_pages, got.useable, got.read_exec_only, got.seg_not_present);
    got.entry_number = 3;
    SHOW(syscall(__NR_get_thread_area, &got));
    got.entry_number = d.entry_number;
    got.contents = 2;
    SHOW(syscall(__NR_set_thread_area, &got));
    SHOW(syscall(__NR_set_thread_area, (void *)8));
    struct user_desc last = d;
    last.entry_number = -1;
    SHOW(syscall(__NR_set_thread_area, &last));
    last.entry_number = -1;
    SHOW(syscall(__NR_set_thread_area, &last)); /* all three are taken: libc has one */
    struct user_desc none = {
        .entry_number = d.entry_number, .read_exec_only = 1, .seg_not_present = 1};
    __asm__ volatile("movl %0, %%fs" ::"r"(0));
    SHOW(syscall(__NR_set_thread_area, &none));
    SHOW(syscall(__NR_arch_prctl, 0x1002, page));
}

static void others(void)
{
    int32_t fds[2];
    uint32_t args[6] = {0};
    off_t offset = 0;

    SHOW(syscall(__NR_socketcall, 0, args));
    SHOW(syscall(__NR_socketcall, 21, args));
    SHOW(syscall(__NR_socketcall, 2, (void *)8));
    SHOW(syscall(__NR_waitpid, -1, NULL, 0));
    SHOW(syscall(__NR_nice, 3));
    SHOW(syscall(__NR_getpriority, PRIO_PROCESS, 0));
    uint32_t limit[2];
    struct rlimit64 huge = {5ll << 32, 6ll << 32};
    SHOW(syscall(__NR_prlimit64, 0, RLIMIT_CORE, &huge, NULL));
    SHOW(syscall(__NR_getrlimit, RLIMIT_CORE, limit));
    say("%#x %#x", limit[0], limit[1]);
    SHOW(syscall(__NR_ugetrlimit, RLIMIT_CORE, limit));
    say("%#x %#x", limit[0], limit[1]);
    fresh();
    SHOW(syscall(__NR_olduname, page));
    say("%s, wrote %d", page, written() <= 325);
    fresh();
    SHOW(syscall(__NR_oldolduname, page));
    say("wrote %d", written());
    fresh();
    SHOW(syscall(__NR_sysinfo, page));
    say("sysinfo wrote %d", written() <= 64);
    fresh();
    SHOW(syscall(__NR_getrusage, 0, page));
    say("rusage wrote %d", written());
    NEED(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
    uint32_t in = 1u << fds[0];
    int32_t tv[2] = {0, 0};
    uint32_t select_args[5] = {(uint32_t)fds[0] + 1, (uint32_t)(uintptr_t)&in, 0, 0,
                               (uint32_t)(uintptr_t)tv};
    SHOW(syscall(__NR_select, select_args));
    SHOW(syscall(__NR__newselect, fds[0] + 1, &in, NULL, NULL, tv));
    int file = open("sent", O_RDWR | O_CREAT, 0600);
    NEED(write(file, "sendfile\n", 9) == 9);
    int32_t from = 4;
    SHOW(syscall(__NR_sendfile, fds[1], file, &from, 4));
    say("offset %d", from);
    int64_t from64 = 4;
    SHOW(syscall(__NR_sendfile64, fds[1], file, &from64, 4));
    say("offset %lld", (long long)from64);
    close(file);
    unlink("sent");
    SHOW(syscall(__NR_umount, "nothing"));
    SHOW(syscall(__NR_break));
    (void)offset;
}

int main(void)
{
    stats();
    locks();
    ids();
    signals();
    times32();
    memory();
    segments();
    others();
    return done();
}
