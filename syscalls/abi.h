/* Who calls: the layouts of structures depend on it, and nothing else in the bodies of calls should.
 *
 * The abi_*.c files translate structures; a body that only i386 has is in an i386_*.c file.  <i386/layout.h> has i386's
 * structures. */
#pragma once

#include <i386/layout.h>
#include <proc/process.h>

/* The call came through int 0x80. */
static inline bool caller_is_i386(void)
{
    return unlikely(current_task()->is_i386);
}

/* Such a call whose times have 32 bits. */
static inline bool caller_has_time32(void)
{
    return caller_is_i386() && !current_task()->is_time64;
}

/* From here to the end of this call, times have 64 bits whoever calls. */
static inline void caller_use_time64(void)
{
    if (caller_is_i386())
        current_task()->is_time64 = true;
}

/* The bytes of the caller's pointers and longs. */
static inline size_t caller_word(void)
{
    return caller_is_i386() ? sizeof(uint32_t) : sizeof(uint64_t);
}

/* One of them.  0 or -EFAULT. */
must_check static inline int user_get_word(struct uptr p, uint64_t *word)
{
    *word = 0;
    return user_read(word, p, caller_word());
}
must_check static inline int user_put_word(struct uptr p, uint64_t word)
{
    return user_write(p, &word, caller_word());
}
