/* syscalls.def turned into descriptors and number maps.  Pure: no kernel, no bodies, no state. */
#include <linux/net.h>
#include <syscalls/custom.h>

#define KINDS(i, k, n) KIND_##k
#define KINDS_NONE     0
#define NAMES(i, k, n) #n
#define NAMES_NONE     NULL

/* All names behind each other.  The debugger's commands know them by this name, too. */
static const struct {
    char unknown[sizeof("unknown")];
#define ROW(id, str, ...) char of_##id[sizeof(str)];
#define GAP(id, str, ...) char of_##id[sizeof(str)];
#include <syscalls/table.h>
} syscall_names = {
    "unknown",
#define ROW(id, str, ...) str,
#define GAP(id, str, ...) str,
#include <syscalls/table.h>
};
#define NAME_AT(id) __builtin_offsetof(__typeof__(syscall_names), of_##id)
_Static_assert(sizeof(syscall_names) < SYSCALL_NAME_BEHIND, "struct syscall.name_at");

const char *syscall_name(const struct syscall *sc)
{
    if (sc->name_at == SYSCALL_NAME_BEHIND)
        return ((const struct custom_row *)sc)->name;
    return (const char *)&syscall_names + sc->name_at;
}

const struct syscall syscalls[NR_ROWS] = {
#define ROW(id, str, res, sup, miss, n, ...) \
    [ROW_##id] = {.name_at = NAME_AT(id),    \
                  .support = sup,            \
                  .result = RESULT_##res,    \
                  .argc = n,                 \
                  .kind = {EACH_##n(KINDS, ##__VA_ARGS__)}},
#define GAP(id, str, res, n, ...)          \
    [ROW_##id] = {.name_at = NAME_AT(id),  \
                  .support = SUPPORT_NONE, \
                  .result = RESULT_##res,  \
                  .argc = n,               \
                  .kind = {EACH_##n(KINDS, ##__VA_ARGS__)}},
#include <syscalls/table.h>
};

const struct syscall_text syscall_texts[NR_ROWS] = {
    [ROW_UNKNOWN] = {.missing = ""},
#define ROW(id, str, res, sup, miss, n, ...) \
    [ROW_##id] = {.missing = miss, .arg = {EACH_##n(NAMES, ##__VA_ARGS__)}},
#define GAP(id, str, res, n, ...) \
    [ROW_##id] = {.missing = "", .arg = {EACH_##n(NAMES, ##__VA_ARGS__)}},
#include <syscalls/table.h>
};

const uint16_t syscall_row_of_number[NR_ABIS][SYSCALL_NUMBERS] = {
    [ABI_X86_64] =
        {
#define NR64(nr, name, id) [nr] = ROW_##id,
#include <syscalls/table.h>
        },
    [ABI_I386] =
        {
#define NR32(nr, name, id) [nr] = ROW_##id,
#include <syscalls/table.h>
        },
};

int syscall_number(enum abi abi, enum row row)
{
    for (int nr = 0; nr < SYSCALL_NUMBERS; nr++)
        if (row != ROW_UNKNOWN && syscall_row_of_number[abi][nr] == row)
            return nr;
    return -1;
}

enum row syscall_of_socketcall(uint32_t call)
{
    static const uint16_t rows[] = {
        [SYS_SOCKET] = ROW_socket,
        [SYS_BIND] = ROW_bind,
        [SYS_CONNECT] = ROW_connect,
        [SYS_LISTEN] = ROW_listen,
        [SYS_ACCEPT] = ROW_accept,
        [SYS_GETSOCKNAME] = ROW_getsockname,
        [SYS_GETPEERNAME] = ROW_getpeername,
        [SYS_SOCKETPAIR] = ROW_socketpair,
        [SYS_SEND] = ROW_send,
        [SYS_RECV] = ROW_recv,
        [SYS_SENDTO] = ROW_sendto,
        [SYS_RECVFROM] = ROW_recvfrom,
        [SYS_SHUTDOWN] = ROW_shutdown,
        [SYS_SETSOCKOPT] = ROW_setsockopt,
        [SYS_GETSOCKOPT] = ROW_getsockopt,
        [SYS_SENDMSG] = ROW_sendmsg,
        [SYS_RECVMSG] = ROW_recvmsg,
        [SYS_ACCEPT4] = ROW_accept4,
        [SYS_RECVMMSG] = ROW_recvmmsg,
        [SYS_SENDMMSG] = ROW_sendmmsg,
    };

    return call < sizeof(rows) / sizeof(*rows) ? (enum row)rows[call] : ROW_UNKNOWN;
}

enum how { HOW_S32, HOW_U32, HOW_WORD, HOW_LONG, HOW_PAIR, HOW_UPTR };
static const uint8_t kind_how[NR_KINDS] = {
#define KIND(name, type, how, when, show, names) [KIND_##name] = HOW_##how,
#include "kinds.def"
#undef KIND
};

void syscall_args_32(const struct syscall *sc, const uint64_t reg[SYSCALL_MAX_ARGS],
                     uint64_t arg[SYSCALL_MAX_ARGS])
{
    for (unsigned i = 0, r = 0; i < sc->argc && r < SYSCALL_MAX_ARGS; i++) {
        enum how how = (enum how)kind_how[sc->kind[i]];
        uint64_t word = (uint32_t)reg[r++];

        if (how == HOW_S32 || how == HOW_LONG)
            word = (uint64_t)(int32_t)word;
        if (how == HOW_PAIR && r < SYSCALL_MAX_ARGS)
            word |= reg[r++] << 32;
        arg[i] = word;
    }
}
