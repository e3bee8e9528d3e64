/* i386's calls that are many: socketcall(2) and ipc(2) are shown as the call behind them, as strace shows them, and so are
 * the select and mmap that take a pointer to their arguments. */
#include <i386/layout.h>
#include <syscalls/custom.h>

#include "decode.h"

/* Where each argument of the call behind ipc is among ipc's own. */
static const struct {
    uint16_t row;
    uint8_t from[5];
} ipc_calls[] = {
    [1] = {ROW_semop, {1, 4, 2}},         [2] = {ROW_semget, {1, 2, 3}},
    [3] = {ROW_semctl_32, {1, 2, 3, 4}},  [4] = {ROW_semtimedop, {1, 4, 2, 5}},
    [11] = {ROW_msgsnd_32, {1, 4, 2, 3}}, [12] = {ROW_msgrcv_32, {1, 4, 2, 5, 3}},
    [13] = {ROW_msgget, {1, 2}},          [14] = {ROW_msgctl_32, {1, 2, 4}},
    [21] = {ROW_shmat, {1, 4, 2}},        [22] = {ROW_shmdt, {4}},
    [23] = {ROW_shmget, {1, 2, 3}},       [24] = {ROW_shmctl_32, {1, 2, 4}},
};

unsigned trace_row(enum abi abi, uint64_t nr, uint64_t first)
{
    unsigned row = syscall_find_row(abi, nr), behind = row;
    uint32_t call = (uint32_t)first;

    if (row == ROW_socketcall_32)
        behind = syscall_of_socketcall(call);
    else if (row == ROW_ipc_32 && (call & 0xffff) < sizeof(ipc_calls) / sizeof(*ipc_calls))
        behind = ipc_calls[call & 0xffff].row;
    return behind == ROW_UNKNOWN ? row : behind;
}

/* Arguments of 32 bits in memory; false: they are not there. */
static bool take_words(struct trace *t, uint64_t addr, enum row row)
{
    uint32_t word[SYSCALL_MAX_ARGS];
    uint64_t reg[SYSCALL_MAX_ARGS] = {0};
    unsigned n = syscalls[row].argc;

    if (!trace_fetch_quietly(t, addr, word, n * sizeof(*word)))
        return false;
    for (unsigned i = 0; i < n; i++)
        reg[i] = word[i];
    t->sc = &syscalls[row];
    syscall_args_32(t->sc, reg, t->arg);
    return true;
}

static void take_ipc(struct trace *t, enum row row)
{
    uint64_t reg[SYSCALL_MAX_ARGS] = {0};
    const uint8_t *from = ipc_calls[(uint32_t)t->arg[0] & 0xffff].from;
    uint32_t version = (uint32_t)t->arg[0] >> 16;
    union i386_ipc_kludge both;

    for (unsigned i = 0; i < syscalls[row].argc; i++)
        reg[i] = (uint32_t)t->arg[from[i]];
    if (row == ROW_msgrcv_32 && !version && trace_fetch_quietly(t, reg[1], &both, sizeof(both))) {
        reg[1] = both.msgp;
        reg[3] = (uint32_t)both.msgtyp;
    }
    t->result_at = row == ROW_shmat ? t->arg[3] : 0;
    t->is_indirect = true;
    t->sc = &syscalls[row];
    syscall_args_32(t->sc, reg, t->arg);
}

void trace_unfold(struct trace *t)
{
    if (t->abi != ABI_I386)
        return;
    enum row row = (enum row)trace_row(ABI_I386, t->nr, t->arg[0]);
    switch (syscall_row(ABI_I386, t->nr)) {
    case ROW_socketcall_32:
        if (row != ROW_socketcall_32)
            (void)take_words(t, t->arg[1], row);
        break;
    case ROW_ipc_32:
        if (row != ROW_ipc_32)
            take_ipc(t, row);
        break;
    case ROW_select_32:
        (void)take_words(t, t->arg[0], ROW_select);
        break;
    case ROW_mmap_32:
        (void)take_words(t, t->arg[0], ROW_mmap);
        break;
    default:
        break;
    }
}

void trace_take_result(struct trace *t)
{
    uint32_t addr;

    if (t->result_at && t->ret >= 0 && trace_fetch_quietly(t, t->result_at, &addr, sizeof(addr)))
        t->ret = addr;
}

/* --- rows that differ in name and layout alone -------------------------------------------------------------- */

static const struct {
    uint16_t row, like;
} alike[] = {
    {ROW__newselect_32, ROW_select},
    {ROW_pselect6_time64_32, ROW_pselect6},
    {ROW_ppoll_time64_32, ROW_ppoll},
    {ROW_fcntl64_32, ROW_fcntl},
    {ROW_recvmmsg_time64_32, ROW_recvmmsg},
    {ROW_sendfile64_32, ROW_sendfile},
    {ROW_rt_sigtimedwait_time64_32, ROW_rt_sigtimedwait},
    {ROW_clock_adjtime64_32, ROW_clock_adjtime},
};

bool trace_is(const struct trace *t, enum row row)
{
    const struct syscall *sc = t->sc;

    for (unsigned i = 0; i < sizeof(alike) / sizeof(*alike); i++)
        if (sc == &syscalls[alike[i].row])
            sc = &syscalls[alike[i].like];
    return sc == &syscalls[row];
}
