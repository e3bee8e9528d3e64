/* Ring-0 tests of the page allocator, the heap and kernel stacks. */
#include <base/string.h>
#include <core/heap.h>
#include <core/page.h>
#include <core/random.h>

#include "kernel_test.h"

static void pages_are_distinct_and_aligned(void)
{
    struct page *page[64];
    uint64_t free_before;

    /* The first allocation may take a section into use, whose bookkeeping is not given back. */
    page_put(page_alloc(PAGE_MAX_ORDER, 0));
    free_before = page_count_free();
    for (unsigned i = 0; i < ARRAY_LEN(page); i++) {
        unsigned order = i % 4;
        page[i] = page_alloc(order, PG_ZERO);
        CHECK(page[i]);
        CHECK(page_paddr(page[i]).pa % (PAGE_SIZE << order) == 0);
        CHECK(page_of(page_paddr(page[i])) == page[i]);
        uint64_t *word = page_ptr(page[i]);
        for (size_t w = 0; w < (PAGE_SIZE << order) / 8; w++)
            CHECK(word[w] == 0);
        memset(word, (int)i + 1, PAGE_SIZE << order);
    }
    for (unsigned i = 0; i < ARRAY_LEN(page); i++) {
        uint8_t *byte = page_ptr(page[i]);
        CHECK(byte[0] == (uint8_t)(i + 1) && byte[(PAGE_SIZE << i % 4) - 1] == (uint8_t)(i + 1));
        page_put(page[i]);
    }
    CHECK(page_count_free() == free_before);
}

static void split_blocks_can_be_freed_in_any_order(void)
{
    struct page *block = page_alloc(5, 0);
    uint64_t free_before;

    CHECK(block);
    free_before = page_count_free();
    page_split(block);
    for (unsigned i = 0; i < 32; i++)
        page_put(block + (i * 7) % 32);
    CHECK(page_count_free() == free_before + 32);
}

static void churn_heap(void *unused)
{
    void *slot[32] = {0};
    size_t size[32];

    (void)unused;
    for (int round = 0; round < 2000; round++) {
        uint64_t r = random_u64();
        unsigned i = r % 32;
        if (slot[i]) {
            uint8_t *p = slot[i];
            CHECK(p[0] == (uint8_t)i && p[size[i] - 1] == (uint8_t)i);
            heap_free(p);
            slot[i] = NULL;
        } else {
            size[i] = 1 + (r >> 8) % ((r >> 40) % 8 ? 300 : 9000);
            slot[i] = heap_alloc(size[i]);
            CHECK(slot[i]);
            CHECK((uintptr_t)slot[i] % 16 == 0);
            memset(slot[i], (int)i, size[i]);
        }
    }
    for (unsigned i = 0; i < 32; i++)
        heap_free(slot[i]);
}

static void heap_survives_threads(void)
{
    size_t before = heap_bytes_used();

    test_in_threads(8, churn_heap, NULL);
    CHECK(heap_bytes_used() <= before + 4096); /* dead threads may still wait to be reaped */
}

static void stacks_have_guards(void)
{
    void *a = kstack_alloc(), *b = kstack_alloc();

    CHECK(a && b && a != b);
    memset(a, 1, KSTACK_SIZE);
    memset(b, 2, KSTACK_SIZE);
    CHECK(*(uint8_t *)a == 1);
    CHECK(kstack_is_guard((uintptr_t)a - 1));
    CHECK(!kstack_is_guard((uintptr_t)a));
    kstack_free(a);
    kstack_free(b);
}

static uint16_t folded(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* Of every length and alignment up to some: exactly those bytes, and their sum. */
static void copies_and_sums_are_exact(void)
{
    static uint8_t from[400], to[400];

    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (uint8_t)(random_u64() | (i < 100 ? 0xff : 0)); /* many carries */
    for (size_t n = 0; n < 300; n++) {
        for (size_t at = 0; at < 16; at++) {
            uint64_t sum = 0;
            memset(to, 0x55, sizeof(to));
            arch_copy(to + 20 + at % 5, from + at, n);
            for (size_t i = 0; i < sizeof(to); i++) {
                bool is_inside = i >= 20 + at % 5 && i < 20 + at % 5 + n;
                CHECK(to[i] == (is_inside ? from[i - 20 - at % 5 + at] : 0x55));
            }
            for (size_t i = 0; i < n; i++)
                sum += (uint64_t)from[at + i] << i % 2 * 8;
            CHECK(folded(arch_sum(from + at, n)) == folded(sum));
        }
    }
}

const struct kernel_test memory_tests[] = {
    {"copies and sums are exact", copies_and_sums_are_exact},
    {"pages are distinct and aligned", pages_are_distinct_and_aligned},
    {"split blocks can be freed in any order", split_blocks_can_be_freed_in_any_order},
    {"the heap survives threads", heap_survives_threads},
    {"stacks have guards", stacks_have_guards},
    {NULL, NULL},
};
