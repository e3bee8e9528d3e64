/* FUTEX_WAKE_OP's little language; see futex_op.h. */
#include "futex_op.h"

#include <base/errno.h>
#include <linux/futex.h>

static int sign_extend_12(uint32_t x)
{
    return (int)(x << 20) >> 20;
}

struct futex_op futex_op_decode(uint32_t encoded)
{
    struct futex_op o = {
        .op = encoded >> 28 & 7,
        .cmp = encoded >> 24 & 15,
        .arg = sign_extend_12(encoded >> 12 & 0xfff),
        .cmp_arg = sign_extend_12(encoded & 0xfff),
    };

    if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT)
        o.arg = (int)(1u << (o.arg & 31));
    return o;
}

int futex_op_apply(const struct futex_op *o, uint32_t old, uint32_t *new)
{
    uint32_t arg = (uint32_t)o->arg;

    switch (o->op) {
    case FUTEX_OP_SET:
        *new = arg;
        return 0;
    case FUTEX_OP_ADD:
        *new = old + arg;
        return 0;
    case FUTEX_OP_OR:
        *new = old | arg;
        return 0;
    case FUTEX_OP_ANDN:
        *new = old & ~arg;
        return 0;
    case FUTEX_OP_XOR:
        *new = old ^ arg;
        return 0;
    default:
        return -ENOSYS;
    }
}

int futex_op_compare(const struct futex_op *o, int old)
{
    switch (o->cmp) {
    case FUTEX_OP_CMP_EQ:
        return old == o->cmp_arg;
    case FUTEX_OP_CMP_NE:
        return old != o->cmp_arg;
    case FUTEX_OP_CMP_LT:
        return old < o->cmp_arg;
    case FUTEX_OP_CMP_LE:
        return old <= o->cmp_arg;
    case FUTEX_OP_CMP_GT:
        return old > o->cmp_arg;
    case FUTEX_OP_CMP_GE:
        return old >= o->cmp_arg;
    default:
        return -ENOSYS;
    }
}
