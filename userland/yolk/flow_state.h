/* What is known before one instruction: flow.c's. */
#pragma once

#include "flow.h"

#define FLOW_SLOTS 32

struct flow_state {
    struct flow_value reg[FLOW_REGISTERS];
    /* The function's stack: words that it has written, by their distance from the stack pointer at its entry. */
    unsigned nr_slots;
    struct {
        int64_t at;
        struct flow_value value;
    } slot[FLOW_SLOTS];
};

void flow_state_enter(struct flow_state *s);  /* a function begins */
void flow_state_forget(struct flow_state *s); /* nothing is known */
/* What also may be; true when that adds something. */
bool flow_state_join(struct flow_state *s, const struct flow_state *other, unsigned word);
void flow_state_step(struct flow_state *s, const struct flow_code *code, uint64_t address,
                     const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op);
void flow_state_read(const struct flow_state *s, struct flow_item what, unsigned word,
                     struct flow_value *value);
