/* Generated from arch/x86/i386/layout.c: structures as i386 programs have them.
 *
 * A union i386_NAME has each field at its place, whatever the compiler of the kernel would have done.  Set and read
 * single fields: an initialiser of two would keep the last.  `bytes` is the whole. */
#pragma once

#include <stdint.h>

#define I386_INT_1_0 uint8_t
#define I386_INT_1_1 int8_t
#define I386_INT_2_0 uint16_t
#define I386_INT_2_1 int16_t
#define I386_INT_4_0 uint32_t
#define I386_INT_4_1 int32_t
#define I386_INT_8_0 uint64_t
#define I386_INT_8_1 int64_t
#define I386_AT(offset, member)                \
    struct {                                   \
        uint8_t I386_GAP(__COUNTER__)[offset]; \
        member;                                \
    } __attribute__((packed));
#define I386_GAP(n)      I386_GAP_(n)
#define I386_GAP_(n)     gap_##n
#define I386_BEGIN(name) union i386_##name {
#define I386_FIELD(field, offset, size, is_signed) \
    I386_AT(offset, I386_INT_##size##_##is_signed field)
#define I386_BYTES(field, offset, size) I386_AT(offset, uint8_t field[size])
#define I386_END(size)   \
    uint8_t bytes[size]; \
    }                    \
    ;
#define I386_CONSTANT(name, value) enum { I386_##name = value };
