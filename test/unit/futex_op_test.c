/* sources: kernel/proc/futex_op.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/futex.h>

#include "../../kernel/proc/futex_op.h"
#include <base/errno.h>

static uint32_t apply(uint32_t encoded, uint32_t old)
{
    struct futex_op o = futex_op_decode(encoded);
    uint32_t new = 0;

    assert_int_equal(futex_op_apply(&o, old, &new), 0);
    return new;
}

static void operations(void **state)
{
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0), 99), 7);
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_EQ, 0), 5), 12);
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_ADD, -1, FUTEX_OP_CMP_EQ, 0), 5), 4);
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_OR, 6, FUTEX_OP_CMP_EQ, 0), 9), 15);
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_ANDN, 6, FUTEX_OP_CMP_EQ, 0), 15), 9);
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_XOR, 6, FUTEX_OP_CMP_EQ, 0), 3), 5);
    /* The argument is a bit number. */
    assert_int_equal(apply((uint32_t)FUTEX_OP(FUTEX_OP_SET, 31, FUTEX_OP_CMP_EQ, 0) | 1u << 31, 0),
                     1u << 31);
    struct futex_op unknown = futex_op_decode(5u << 28);
    uint32_t new;
    assert_int_equal(futex_op_apply(&unknown, 0, &new), -ENOSYS);
}

static int compare(unsigned cmp, int arg, int old)
{
    struct futex_op o = futex_op_decode((uint32_t)FUTEX_OP(FUTEX_OP_SET, 0, cmp, arg));

    return futex_op_compare(&o, old);
}

static void comparisons(void **state)
{
    for (int old = -2; old <= 2; old++) {
        assert_int_equal(compare(FUTEX_OP_CMP_EQ, -1, old), old == -1);
        assert_int_equal(compare(FUTEX_OP_CMP_NE, -1, old), old != -1);
        assert_int_equal(compare(FUTEX_OP_CMP_LT, -1, old), old < -1);
        assert_int_equal(compare(FUTEX_OP_CMP_LE, -1, old), old <= -1);
        assert_int_equal(compare(FUTEX_OP_CMP_GT, -1, old), old > -1);
        assert_int_equal(compare(FUTEX_OP_CMP_GE, -1, old), old >= -1);
    }
    assert_int_equal(compare(FUTEX_OP_CMP_GT, 2047, 2048), 1);
    assert_int_equal(compare(FUTEX_OP_CMP_GT, -2048, -2048), 0);
    assert_int_equal(compare(6, 0, 0), -ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations),
        cmocka_unit_test(comparisons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
