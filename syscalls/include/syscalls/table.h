/* How to read syscalls.def: define any of the four macros below, include this file, and they are undefined
 * again.  (So this is the one header that may be included many times.)
 *
 *   ROW(id, "name", result, support, missing, argc, kind, name, ...)   a call with a body, sys_<id>
 *   GAP(id, "name", result, argc, kind, name, ...)                     a call without one
 *   NR64(nr, name, id)   NR32(nr, name, id)                            its number in each ABI
 *
 * An id is the call's name, or name_32 for a row that only i386 has. */
#ifndef EACH_0
#define EACH_0(m)                                 m##_NONE
#define EACH_1(m, k0, n0)                         m(0, k0, n0)
#define EACH_2(m, k0, n0, k1, n1)                 EACH_1(m, k0, n0), m(1, k1, n1)
#define EACH_3(m, k0, n0, k1, n1, k2, n2)         EACH_2(m, k0, n0, k1, n1), m(2, k2, n2)
#define EACH_4(m, k0, n0, k1, n1, k2, n2, k3, n3) EACH_3(m, k0, n0, k1, n1, k2, n2), m(3, k3, n3)
#define EACH_5(m, k0, n0, k1, n1, k2, n2, k3, n3, k4, n4) \
    EACH_4(m, k0, n0, k1, n1, k2, n2, k3, n3), m(4, k4, n4)
#define EACH_6(m, k0, n0, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5) \
    EACH_5(m, k0, n0, k1, n1, k2, n2, k3, n3, k4, n4), m(5, k5, n5)
#endif
#ifndef NR64
#define NR64(nr, name, id)
#endif
#ifndef NR32
#define NR32(nr, name, id)
#endif
#ifndef GAP
#define GAP(...)
#endif
#ifndef ROW
#define ROW(...)
#endif
/* A row's support level picks the macro: only FULL and PART have bodies. */
#define ROW_FULL(id, str, res, missing, ...) ROW(id, str, res, SUPPORT_FULL, missing, __VA_ARGS__)
#define ROW_PART(id, str, res, missing, ...) ROW(id, str, res, SUPPORT_PART, missing, __VA_ARGS__)
#define ROW_NONE(id, str, res, missing, ...) GAP(id, str, res, __VA_ARGS__)
#define SYSCALL(n64, n32, name, res, sup, missing, ...) \
    NR64(n64, name, name) NR32(n32, name, name) ROW_##sup(name, #name, res, missing, __VA_ARGS__)
#define ONLY64(n64, name, res, sup, missing, ...) \
    NR64(n64, name, name) ROW_##sup(name, #name, res, missing, __VA_ARGS__)
#define ONLY32(n32, name, res, sup, missing, ...) \
    NR32(n32, name, name##_32) ROW_##sup(name##_32, #name, res, missing, __VA_ARGS__)
/* A call without a number. */
#define NAMED(name, res, ...) GAP(name, #name, res, __VA_ARGS__)
/* Nobody has written down what the arguments are. */
#define GAP_WORDS(id, str) \
    GAP(id, str, INT, 6, WORD, arg1, WORD, arg2, WORD, arg3, WORD, arg4, WORD, arg5, WORD, arg6)
#define MISSING(n64, n32, name) NR64(n64, name, name) NR32(n32, name, name) GAP_WORDS(name, #name)
#define MISS64(n64, name)       NR64(n64, name, name) GAP_WORDS(name, #name)
#define MISS32(n32, name)       NR32(n32, name, name##_32) GAP_WORDS(name##_32, #name)
#include "../../syscalls.def"
#undef SYSCALL
#undef ONLY64
#undef ONLY32
#undef MISSING
#undef NAMED
#undef MISS64
#undef MISS32
#undef GAP_WORDS
#undef ROW_FULL
#undef ROW_PART
#undef ROW_NONE
#undef NR64
#undef NR32
#undef GAP
#undef ROW
