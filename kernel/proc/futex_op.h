/* FUTEX_WAKE_OP's operand: an operation on a word and a comparison of what it was, in 32 bits.
 *
 *     31     28 27   24 23         12 11          0
 *     | op    | cmp   | arg         | cmp_arg     |     both arguments are signed; bit 31: arg is a bit number
 */
#pragma once

#include <base/types.h>

struct futex_op {
    unsigned op, cmp;
    int arg, cmp_arg;
};

struct futex_op futex_op_decode(uint32_t encoded);
/* 0, or -ENOSYS: no such operation. */
must_check int futex_op_apply(const struct futex_op *o, uint32_t old, uint32_t *new);
/* 0 or 1, or -ENOSYS: no such comparison. */
must_check int futex_op_compare(const struct futex_op *o, int old);
