/* sources: */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../vfs/byte_ring.h"
#include "../../vfs/pipe_ring.h"

/* --- bytes ------------------------------------------------------------------------------------ */

static void bytes_wrap_around(void **state)
{
    (void)state;
    uint8_t buf[8], out[8];
    struct byte_ring r = {.buf = buf, .size = sizeof(buf), .read = 0xfffffffd, .head = 0xfffffffd};
    assert_int_equal(ring_put(&r, "abcdef", 6), 6);
    assert_int_equal(ring_used(&r), 6);
    assert_int_equal(ring_put(&r, "ghij", 4), 2); /* no more room */
    assert_int_equal(ring_get(&r, out, 5), 5);
    assert_memory_equal(out, "abcde", 5);
    assert_int_equal(ring_put(&r, "XY", 2), 2);
    assert_int_equal(ring_get(&r, out, 8), 5);
    assert_memory_equal(out, "fghXY", 5);
    assert_int_equal(ring_get(&r, out, 1), 0);
}

static void front_is_in_one_piece(void **state)
{
    (void)state;
    uint8_t buf[4];
    const uint8_t *front;
    struct byte_ring r = {.buf = buf, .size = sizeof(buf), .read = 3, .head = 3};
    assert_int_equal(ring_put(&r, "abc", 3), 3);
    assert_int_equal(ring_front(&r, &front), 1);
    assert_ptr_equal(front, buf + 3);
    r.read++;
    assert_int_equal(ring_front(&r, &front), 2);
    assert_ptr_equal(front, buf);
}

/* --- slots of a pipe -------------------------------------------------------------------------- */

static void sizes_round_up_to_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(pipe_round_slots(0), 1);
    assert_int_equal(pipe_round_slots(4096), 1);
    assert_int_equal(pipe_round_slots(4097), 2);
    assert_int_equal(pipe_round_slots(65536), 16);
    assert_int_equal(pipe_round_slots(200000), 64);
    assert_int_equal(pipe_round_slots(1UL << 31), 1U << 19);
    assert_int_equal(pipe_round_slots((1UL << 31) + 1), 0);
}

static void slots_count_not_bytes(void **state)
{
    (void)state;
    struct pipe_buf ring[4];
    struct pipe p = {.ring = ring, .nr_slots = 4, .head = 0xfffffffe, .tail = 0xfffffffe};
    assert_true(pipe_is_empty(&p));
    for (unsigned i = 0; i < 4; i++) {
        assert_false(pipe_is_full(&p));
        pipe_push(&p, NULL, i, 1, 0);
    }
    assert_true(pipe_is_full(&p));
    assert_int_equal(pipe_used(&p), 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pipe_slot(&p, p.tail + i)->offset, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_wrap_around),
        cmocka_unit_test(front_is_in_one_piece),
        cmocka_unit_test(sizes_round_up_to_powers_of_two),
        cmocka_unit_test(slots_count_not_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
