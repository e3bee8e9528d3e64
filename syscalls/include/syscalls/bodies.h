/* Prototypes of every sys_ function, made from the table, so that a body which disagrees with its row does not
 * compile.  Results are >= 0 or minus an errno. */
#pragma once

#include <base/types.h>
#include <syscalls/syscall.h>

#define KIND(name, type, how, when, show, names) typedef type ARG_##name;
#include "../../kinds.def"
#undef KIND

#define DECLARE(i, k, n) ARG_##k n
#define DECLARE_NONE     void
#define ROW(id, str, result, support, missing, argc, ...) \
    long sys_##id(EACH_##argc(DECLARE, ##__VA_ARGS__));
#include <syscalls/table.h>
#undef DECLARE
#undef DECLARE_NONE

/* A row's body with arguments as an i386 program has them, for calls that are many in one (socketcall, ipc); -ENOSYS
 * when it has none. */
long syscall_call_32(enum row row, const uint64_t reg[SYSCALL_MAX_ARGS]);
