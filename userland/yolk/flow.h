/* What a register holds at a place in machine code, as far as its function alone can tell.
 *
 * Values are followed through registers and the function's own stack from its beginning on, over every path.  A value
 * is a few constants, what a register or a word of the stack held when the function was called, or unknown. */
#pragma once

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_REGISTERS \
    16 /* rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15: the machine's own numbers */
#define FLOW_RAX   0
#define FLOW_RSP   4
#define FLOW_ITEMS 6

enum flow_kind {
    FLOW_CONSTANT,
    FLOW_REGISTER, /* what register `n` held at the function's entry */
    FLOW_SLOT,     /* the word that was `n` bytes above the stack pointer then */
    FLOW_FRAME,    /* an address: that stack pointer plus n */
};

struct flow_item {
    enum flow_kind kind;
    int64_t n;
};

struct flow_value {
    unsigned nr;     /* of the possible ones; 0 with !is_unknown: the place is not reached */
    bool is_unknown; /* or anything else */
    struct flow_item item[FLOW_ITEMS];
};

/* Code that is looked at. */
struct flow_code {
    ZydisDecoder decoder;
    unsigned word;      /* bytes: 4 or 8 */
    bool keeps_nothing; /* a called function may change every register: Go */
    uint64_t budget;    /* instructions that may yet be looked at; 0: the answer is "unknown" */
    const uint8_t *(*bytes)(void *owner, uint64_t address, size_t *len); /* NULL: no code there */
    void *owner;
};

/* The place `at` of the function [start, end). */
struct flow_place {
    uint64_t start, end, at;
};
/* What register `reg`, or with FLOW_SLOT in `kind` the word `n` above the stack pointer, holds before the instruction
 * there. */
void flow_value_at(struct flow_code *code, const struct flow_place *place, struct flow_item what,
                   struct flow_value *value);
/* One instruction; false: there is none. */
bool flow_decode(const struct flow_code *code, uint64_t address,
                 ZydisDecodedInstruction *instruction, ZydisDecodedOperand *operands);
/* Where a direct jump or call leads; false: it is none. */
bool flow_target(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands,
                 uint64_t address, uint64_t *target);
