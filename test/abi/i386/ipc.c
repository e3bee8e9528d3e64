/* ipc(2): System V IPC behind one number, with structures of two generations; and the calls by numbers of their own. */
#include "../abi.h"

#include <asm/unistd.h>

enum {
    SEMOP = 1,
    SEMGET,
    SEMCTL,
    SEMTIMEDOP,
    MSGSND = 11,
    MSGRCV,
    MSGGET,
    MSGCTL,
    SHMAT = 21,
    SHMDT,
    SHMGET,
    SHMCTL
};
enum { RMID, SET, STAT, INFO };
#define IPC_64   0x100
#define CREATE   01600
#define ipc(...) syscall(__NR_ipc, __VA_ARGS__)
#define NOWAIT   04000

static uint8_t page[PAGE] __attribute__((aligned(PAGE)));

static void *fresh(void)
{
    return memset(page, 0xa5, PAGE);
}

/* How far a call wrote, in words. */
static int written(void)
{
    int n = PAGE;
    while (n > 0 && page[n - 1] == 0xa5)
        n--;
    return (n + 3) / 4;
}

static unsigned half(int at)
{
    return *(uint16_t *)(page + at);
}

static unsigned word(int at)
{
    return *(uint32_t *)(page + at);
}

/* Permissions: the first of every structure. */
static void show_perm(const char *what, bool is_old)
{
    if (is_old)
        say("%s: %d words, key %u, ids %u %u %u %u, mode %o", what, written(), word(0), half(4),
            half(6), half(8), half(10), half(12));
    else
        say("%s: %d words, key %u, ids %u %u %u %u, mode %o", what, written(), word(0), word(4),
            word(8), word(12), word(16), half(20));
}

static void semaphores(void)
{
    uint32_t arg = (uint32_t)(uintptr_t)page, value = 7, null = 0, bad = 8;
    uint16_t values[3] = {1, 2, 3};
    uint32_t array = (uint32_t)(uintptr_t)values;
    struct {
        uint16_t nr;
        int16_t op, flags;
    } ops[2] = {{0, -1, NOWAIT}, {1, 5, 0}};
    int32_t tenth[2] = {0, 1000000};
    int id = (int)ipc(SEMGET, 0, 3, CREATE, 0, 0);
    NEED(id >= 0);
    SHOW(ipc(SEMCTL, id, 0, 17 | IPC_64, &array, 0)); /* SETALL */
    SHOW(ipc(SEMCTL, id, 2, 16, &value, 0));          /* SETVAL */
    SHOW(ipc(SEMCTL, id, 2, 12, &value, 0));          /* GETVAL */
    SHOW(ipc(SEMOP, id, 2, 0, ops, 0));
    SHOW(ipc(SEMOP, id, 2, 0, ops, 0));
    SHOW(ipc(SEMOP, id, 0, 0, ops, 0));
    SHOW(ipc(SEMOP, id, 1, 0, 8, 0));
    SHOW(ipc(SEMCTL, id, 1, 12, &null, 0));
    ops[0].flags = 0;
    SHOW(ipc(SEMTIMEDOP, id, 1, 0, ops, tenth));
    SHOW(ipc(SEMTIMEDOP, id, 1, 0, ops, 8));
    int64_t tenth64[2] = {0, 1000000};
    SHOW(syscall(__NR_semtimedop_time64, id, ops, 1, tenth64));
    tenth64[1] = -1;
    SHOW(syscall(__NR_semtimedop_time64, id, ops, 1, tenth64));
    fresh();
    SHOW(ipc(SEMCTL, id, 0, STAT | IPC_64, &arg, 0));
    show_perm("set", false);
    say("semaphores %u, times %d %d, high %u %u", word(52), word(36) != 0, word(44) != 0, word(40),
        word(48));
    fresh();
    SHOW(ipc(SEMCTL, id, 0, STAT, &arg, 0));
    show_perm("old set", true);
    say("semaphores %u", half(40));
    *(uint16_t *)(page + 4) = 5;
    *(uint16_t *)(page + 12) = 0644;
    SHOW(ipc(SEMCTL, id, 0, SET, &arg, 0));
    fresh();
    SHOW(syscall(__NR_semctl, id, 0, STAT, page));
    show_perm("changed", false);
    SHOW(ipc(SEMCTL, id, 0, STAT, &bad, 0));
    SHOW(ipc(SEMCTL, id, 0, STAT, 0, 0));
    SHOW(ipc(SEMCTL, id, 0, STAT, 8, 0));
    SHOW(ipc(SEMCTL, id, 0, 99, &arg, 0));
    SHOW(ipc(SEMCTL, id, 0, RMID, &arg, 0));
    SHOW(ipc(SEMOP, id, 1, 0, ops, 0));
}

static void messages(void)
{
    struct {
        int32_t type;
        char text[16];
    } m = {3, "three"};
    struct {
        uint32_t buffer;
        int32_t type;
    } both = {(uint32_t)(uintptr_t)page, 0};
    int id = (int)ipc(MSGGET, 0, CREATE, 0, 0, 0);
    NEED(id >= 0);
    SHOW(ipc(MSGSND, id, 6, NOWAIT, &m, 0));
    m.type = 9;
    SHOW(ipc(MSGSND, id, 6, NOWAIT, &m, 0));
    SHOW(syscall(__NR_msgsnd, id, &m, 2, NOWAIT));
    m.type = 0;
    SHOW(ipc(MSGSND, id, 6, NOWAIT, &m, 0));
    SHOW(ipc(MSGSND, id, -1, NOWAIT, &m, 0));
    fresh();
    SHOW(ipc(MSGCTL, id, STAT | IPC_64, 0, page, 0));
    show_perm("queue", false);
    say("bytes %u, messages %u, room %u, times %d %d %d", word(60), word(64), word(68),
        word(36) != 0, word(44) != 0, word(52) != 0);
    fresh();
    SHOW(ipc(MSGCTL, id, STAT, 0, page, 0));
    show_perm("old queue", true);
    say("bytes %u, messages %u, room %u", half(44), half(46), half(48));
    *(uint16_t *)(page + 48) = 100;
    SHOW(ipc(MSGCTL, id, SET, 0, page, 0));
    fresh();
    SHOW(syscall(__NR_msgctl, id, STAT, page));
    say("room %u", word(68));
    fresh();
    SHOW(ipc(MSGRCV, id, 16, NOWAIT, &both, 0)); /* version 0 */
    say("type %u, text %s", word(0), page + 4);
    SHOW(ipc(MSGRCV | 1 << 16, id, 16, NOWAIT, page, -20));
    say("type %u, text %s", word(0), page + 4);
    SHOW(syscall(__NR_msgrcv, id, page, 16, 9, NOWAIT));
    SHOW(syscall(__NR_msgrcv, id, page, -1, 9, NOWAIT));
    SHOW(ipc(MSGRCV, id, 16, NOWAIT, 0, 0));
    SHOW(ipc(MSGRCV, id, 16, NOWAIT, 8, 0));
    SHOW(ipc(MSGRCV, -1, 16, NOWAIT, &both, 0));
    SHOW(ipc(MSGRCV, id, -1, NOWAIT, &both, 0));
    SHOW(ipc(MSGCTL, id, STAT, 0, 8, 0));
    SHOW(ipc(MSGCTL, id, 99, 0, page, 0));
    SHOW(ipc(MSGCTL, id, RMID, 0, 0, 0));
}

static void memory(void)
{
    uint32_t at = 0;
    int id = (int)ipc(SHMGET, 0, 5000, CREATE, 0, 0);
    NEED(id >= 0);
    SHOW(ipc(SHMAT, id, 0, &at, 0, 0));
    NEED(at);
    *(uint32_t *)(uintptr_t)at = 77;
    void *again = (void *)syscall(__NR_shmat, id, 0, 0);
    NEED(again != MAP_FAILED);
    say("there too: %u", *(uint32_t *)again);
    SHOW(ipc(SHMAT | 1 << 16, id, 0, &at, 0, 0));
    SHOW(ipc(SHMAT, id, 0, &at, 4097, 0));
    fresh();
    SHOW(ipc(SHMCTL, id, STAT | IPC_64, 0, page, 0));
    show_perm("segment", false);
    say("size %u, attached %u", word(36), word(72));
    fresh();
    SHOW(ipc(SHMCTL, id, STAT, 0, page, 0));
    show_perm("old segment", true);
    say("size %u, attached %u", word(16), half(36));
    *(uint16_t *)(page + 6) = 65535;
    SHOW(ipc(SHMCTL, id, SET, 0, page, 0));
    fresh();
    SHOW(syscall(__NR_shmctl, id, STAT, page));
    show_perm("changed", false);
    SHOW(syscall(__NR_shmctl, id, STAT | IPC_64, page));
    fresh();
    CHECK(ipc(SHMCTL, 0, INFO | IPC_64, 0, page, 0) >= 0);
    say("limits: %d words, %#x %u, all %#x", written(), word(0), word(4), word(16));
    fresh();
    CHECK(ipc(SHMCTL, 0, INFO, 0, page, 0) >= 0);
    say("old limits: %d words, %#x %u, all %#x", written(), word(0), word(4), word(16));
    fresh();
    CHECK(ipc(SHMCTL, 0, 14, 0, page, 0) >= 0);
    say("use: %d words", written());
    SHOW(ipc(SHMDT, 0, 0, 0, again, 0));
    SHOW(ipc(SHMDT, 0, 0, 0, again, 0));
    SHOW(ipc(SHMDT, 0, 0, 0, at, 0));
    SHOW(ipc(SHMCTL, id, STAT | IPC_64, 0, 8, 0));
    SHOW(ipc(SHMAT, id, 0, 8, 0, 0));
    SHOW(ipc(SHMCTL, id, RMID, 0, 0, 0));
    SHOW(ipc(SHMAT, -1, 0, &at, 0, 0));
}

int main(void)
{
    semaphores();
    messages();
    memory();
    SHOW(ipc(0, 0, 0, 0, 0, 0));
    SHOW(ipc(5, 0, 0, 0, 0, 0));
    SHOW(ipc(25, 0, 0, 0, 0, 0));
    return 0;
}
