/* Kernel addresses to names.  The table is made from the linked image itself and linked in at its end, sorted by
 * address: two parallel arrays and a block of NUL-terminated names (cmake/symbols.sh writes it). */
#include <arch/layout.h>
#include <base/string.h>
#include <core/console.h>

extern const uint32_t symbol_count;
extern const uint32_t symbol_offsets[]; /* from IMAGE_BASE */
extern const uint32_t symbol_names[];   /* offsets into symbol_text */
extern const char symbol_text[];

bool symbol_name(uint64_t addr, char *buf, size_t size)
{
    uint32_t low = 0, high = symbol_count;

    if (addr < IMAGE_BASE || addr - IMAGE_BASE > UINT32_MAX)
        return false;
    uint32_t offset = (uint32_t)(addr - IMAGE_BASE);
    while (low < high) { /* the first symbol above the address */
        uint32_t mid = low + (high - low) / 2;
        if (symbol_offsets[mid] <= offset)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return false;
    snprintf(buf, size, "%s+%#x", symbol_text + symbol_names[low - 1],
             offset - symbol_offsets[low - 1]);
    return true;
}
