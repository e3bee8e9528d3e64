/* What the files of i386's own calls share. */
#pragma once

#include <base/types.h>

/* An id of 16 bits, of which -1 means what -1 means in 32. */
static inline uint32_t id_from_16(unsigned id)
{
    return (uint16_t)id == UINT16_MAX ? UINT32_MAX : (uint16_t)id;
}
