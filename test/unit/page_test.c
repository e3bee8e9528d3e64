/* sources: kernel/base/tree.c */
#include "fake_kernel.h"

#include "../../kernel/core/page.c"
#include "../../kernel/core/page_grow.c"

#define MIB (1UL << 20)

/* A machine with holes: low memory, a kernel image and a module cut out, and an odd end. */
static const struct bootinfo machine = {
    .nr_ranges = 5,
    .ranges =
        {
            {{64 << 10}, (640 - 64) << 10, BOOT_RAM},
            {{0xf0000}, 64 << 10, BOOT_RESERVED},
            {{3 * MIB}, 20 * MIB + 5 * PAGE_SIZE, BOOT_RAM},
            {{24 * MIB}, 76 * MIB, BOOT_RAM},
            {{200 * MIB}, 3 * PAGE_SIZE, BOOT_RAM}, /* too small to describe itself */
        },
};

static bool is_ram(uint64_t pa)
{
    for (unsigned i = 0; i < machine.nr_ranges; i++) {
        const struct boot_range *r = &machine.ranges[i];
        if (r->kind == BOOT_RAM && pa >= r->start.pa && pa < r->start.pa + r->size)
            return true;
    }
    return false;
}

#define MAX_BLOCKS 40000
static struct page *blocks[MAX_BLOCKS];
static uint8_t owner[256 * MIB / PAGE_SIZE]; /* 1: allocated */

/* Take a block and check that it is RAM, aligned, zeroed if asked for, and nobody else's. */
static struct page *take(unsigned order, unsigned flags)
{
    struct page *p = page_alloc(order, flags | PG_MAY_FAIL);
    if (!p)
        return NULL;
    uint64_t pa = page_paddr(p).pa;
    assert_int_equal(pa % (PAGE_SIZE << order), 0);
    assert_ptr_equal(page_of((struct paddr){pa}), p);
    assert_int_equal(page_refs(p), 1);
    for (uint64_t i = 0; i < 1UL << order; i++) {
        assert_true(is_ram(pa + i * PAGE_SIZE));
        assert_int_equal(owner[pa / PAGE_SIZE + i]++, 0);
        char *bytes = direct_ptr((struct paddr){pa + i * PAGE_SIZE});
        assert_true(!(flags & PG_ZERO) || (bytes[0] == 0 && bytes[PAGE_SIZE - 1] == 0));
        bytes[0] = bytes[PAGE_SIZE - 1] = 1;
    }
    return p;
}

static void give(struct page *p, unsigned order)
{
    memset(owner + page_paddr(p).pa / PAGE_SIZE, 0, 1UL << order);
    page_put(p);
}

static void touches_little_at_boot(void **state)
{
    page_init(&machine);
    assert_true(page_count_total() > 20000);
    assert_true(page_grow_untouched() > page_count_total() - 16 * MIB / PAGE_SIZE);
    assert_null(page_of((struct paddr){1 * MIB}));
    assert_null(page_of((struct paddr){90 * MIB}));
    assert_null(page_of((struct paddr){1UL << 50}));
}

static void gives_every_page_once_and_gets_all_back(void **state)
{
    unsigned nr = 0;
    while ((blocks[nr] = take(0, nr % 2 ? PG_ZERO : 0)) && nr < MAX_BLOCKS)
        nr++;
    /* Less only what describes the rest: 32 bytes a page, and whole regions. */
    assert_true(nr > page_count_total() - 26 * 8 - 16);
    assert_int_equal(page_count_free(), 0);
    assert_in_range(page_count_describing(), 1, 26 * 8);
    assert_int_equal(page_count_total(), nr + page_count_describing() + 1); /* the page of zeros */
    for (unsigned i = 0; i < nr; i++) {
        unsigned j = i + fake_random() % (nr - i);
        struct page *p = blocks[j];
        blocks[j] = blocks[i];
        give(p, 0);
    }
    assert_int_equal(page_count_free(), nr);
    drain_own_cache();
    /* All buddies found each other again: 4 MiB blocks in every whole region but those that hold struct pages. */
    unsigned big = 0;
    while ((blocks[big] = take(PAGE_MAX_ORDER, PG_MAY_FAIL)))
        big++;
    assert_true(big >= 15);
    while (big-- > 0)
        give(blocks[big], PAGE_MAX_ORDER);
    assert_int_equal(page_count_free(), nr);
}

static void survives_random_changes(void **state)
{
    static struct {
        struct page *p;
        unsigned order;
    } held[300];
    uint64_t before = page_count_free();
    memset(held, 0, sizeof(held));
    for (int round = 0; round < 60000; round++) {
        unsigned i = fake_random() % ARRAY_LEN(held);
        if (!held[i].p) {
            held[i].order =
                fake_random() % 4 ? fake_random() % 3 : fake_random() % (PAGE_MAX_ORDER + 1);
            held[i].p = take(held[i].order, fake_random() % 8 ? 0 : PG_ZERO);
        } else if (fake_random() % 16 == 0 && held[i].order > 0) {
            page_split(held[i].p);
            for (unsigned long k = 0; k < 1UL << held[i].order; k++)
                give(held[i].p + k, 0);
            held[i].p = NULL;
        } else {
            page_get(held[i].p);
            page_put(held[i].p);
            give(held[i].p, held[i].order);
            held[i].p = NULL;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(held); i++)
        if (held[i].p)
            give(held[i].p, held[i].order);
    assert_int_equal(page_count_free(), before);
}

static void adopts_and_gets_donations(void **state)
{
    struct paddr module = {23 * MIB + 5 * PAGE_SIZE};
    uint64_t total = page_count_total(), before;
    struct page *p = page_adopt(module, 10);
    assert_non_null(p);
    assert_int_equal(page_paddr(p).pa, module.pa);
    before = page_count_free();
    page_get(p + 3); /* a mapping */
    assert_int_equal(page_count_free(), before);

    page_donate((struct paddr){module.pa - 1},
                11 * PAGE_SIZE); /* half a page too many on either side */
    assert_int_equal(page_count_total(), total + 10);
    assert_int_equal(page_count_free(), before + 9);
    page_put(p + 3);
    assert_int_equal(page_count_free(), before + 10);

    page_donate((struct paddr){110 * MIB}, 8 * MIB);
    assert_int_equal(page_count_total(), total + 10 + 8 * MIB / PAGE_SIZE);
    assert_int_equal(page_count_free(), before + 10 + 8 * MIB / PAGE_SIZE);
}

static unsigned long shrunk;
static unsigned long shrink(unsigned long wanted)
{
    if (!blocks[0])
        return 0;
    page_put(blocks[0]);
    blocks[0] = NULL;
    shrunk++;
    return 1;
}

static void shrinks_before_it_fails(void **state)
{
    unsigned nr = 0;
    while ((blocks[nr] = page_alloc(0, PG_MAY_FAIL)))
        nr++;
    page_set_shrinker(shrink);
    struct page *p = page_alloc(0, PG_MAY_FAIL);
    assert_non_null(p);
    assert_int_equal(shrunk, 1);
    assert_null(page_alloc(0, PG_MAY_FAIL));
    assert_int_equal(up_table_page_alloc().pa, 0);
    page_put(p);
}

static int set_up(void **state)
{
    fake_ram(256 * MIB);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touches_little_at_boot),
        cmocka_unit_test(gives_every_page_once_and_gets_all_back),
        cmocka_unit_test(survives_random_changes),
        cmocka_unit_test(adopts_and_gets_donations),
        cmocka_unit_test(shrinks_before_it_fails),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
