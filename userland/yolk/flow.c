/* Following values through a function: see flow.h.
 *
 * Abstract interpretation over basic blocks: the state at the beginning of a block is the union of what its
 * predecessors leave, until nothing changes any more.  Blocks that no direct jump leads to (a switch's) begin with
 * nothing known. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "flow_state.h"
#include "yolk.h"

#define MAX_BLOCKS 4096
#define MAX_SIZE   0x40000 /* of a function; of a larger one only what is around the place */

bool flow_decode(const struct flow_code *code, uint64_t address,
                 ZydisDecodedInstruction *instruction, ZydisDecodedOperand *operands)
{
    size_t len;
    const uint8_t *bytes = code->bytes(code->owner, address, &len);

    return bytes &&
           ZYAN_SUCCESS(ZydisDecoderDecodeFull(&code->decoder, bytes, len, instruction, operands));
}

bool flow_target(const ZydisDecodedInstruction *instruction, const ZydisDecodedOperand *operands,
                 uint64_t address, uint64_t *target)
{
    if (!instruction->operand_count || operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
        !operands[0].imm.is_relative)
        return false;
    *target = address + instruction->length + operands[0].imm.value.u;
    if (instruction->machine_mode == ZYDIS_MACHINE_MODE_LONG_COMPAT_32)
        *target &= UINT32_MAX;
    return true;
}

/* --- blocks --- */

struct block {
    uint64_t address;
    bool is_reached, is_waiting;
    struct flow_state state; /* at its beginning */
};

struct function {
    struct flow_code *code;
    const struct flow_place *place;
    struct block *blocks; /* by address */
    size_t nr;
    bool jumps_anywhere; /* through a table or a pointer */
};

static int by_address(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static bool is_jump(const ZydisDecodedInstruction *in)
{
    return in->meta.category == ZYDIS_CATEGORY_COND_BR ||
           in->meta.category == ZYDIS_CATEGORY_UNCOND_BR;
}

static bool ends_path(const ZydisDecodedInstruction *in)
{
    return in->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
           in->meta.category == ZYDIS_CATEGORY_RET || in->mnemonic == ZYDIS_MNEMONIC_UD2 ||
           in->mnemonic == ZYDIS_MNEMONIC_HLT;
}

/* What compilers put between blocks, which nothing jumps to. */
static bool is_padding(const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op)
{
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_INT3:
        return true;
    case ZYDIS_MNEMONIC_LEA:
        return op[0].reg.value == op[1].mem.base && !op[1].mem.disp.value;
    case ZYDIS_MNEMONIC_XCHG:
    case ZYDIS_MNEMONIC_MOV:
        return op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
               op[1].type == ZYDIS_OPERAND_TYPE_REGISTER && op[0].reg.value == op[1].reg.value;
    default:
        return false;
    }
}

/* Addresses at which a block begins, sorted and each once. */
static size_t find_leaders(struct function *f, uint64_t *leaders)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    size_t nr = 1, kept = 0;

    leaders[0] = f->place->start;
    for (uint64_t at = f->place->start; at < f->place->end && f->code->budget;) {
        uint64_t target;
        f->code->budget--;
        if (!flow_decode(f->code, at, &in, op)) {
            at++;
            continue;
        }
        if (is_jump(&in) && flow_target(&in, op, at, &target) && target >= f->place->start &&
            target < f->place->end && nr < MAX_BLOCKS)
            leaders[nr++] = target;
        f->jumps_anywhere |=
            in.meta.category == ZYDIS_CATEGORY_UNCOND_BR && !flow_target(&in, op, at, &target);
        at += in.length;
        if ((is_jump(&in) || ends_path(&in)) && at < f->place->end && nr < MAX_BLOCKS)
            leaders[nr++] = at;
    }
    qsort(leaders, nr, sizeof *leaders, by_address);
    for (size_t i = 0; i < nr; i++)
        if (!kept || leaders[i] != leaders[kept - 1])
            leaders[kept++] = leaders[i];
    return kept;
}

static struct block *block_at(struct function *f, uint64_t address)
{
    return bsearch(&address, f->blocks, f->nr, sizeof *f->blocks, by_address);
}

/* Not only padding up to the next block. */
static bool has_code(const struct function *f, const struct block *b)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    uint64_t end = b + 1 < f->blocks + f->nr ? b[1].address : f->place->end;

    for (uint64_t at = b->address; at < end; at += in.length)
        if (!flow_decode(f->code, at, &in, op) || !is_padding(&in, op))
            return true;
    return false;
}

static void flow_into(struct function *f, uint64_t address, const struct flow_state *state)
{
    struct block *b = block_at(f, address);

    if (!b)
        return;
    if (!b->is_reached)
        b->state = *state;
    else if (!flow_state_join(&b->state, state, f->code->word))
        return;
    b->is_reached = true;
    b->is_waiting = true;
}

/* Through one block; true when the place lies in it, with the state there. */
static bool run_block(struct function *f, struct block *b, struct flow_state *state)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    bool is_found = false;
    struct flow_state found = {0};
    uint64_t at = b->address, end = b + 1 < f->blocks + f->nr ? b[1].address : f->place->end;

    *state = b->state;
    while (at < end && f->code->budget) {
        uint64_t target;
        f->code->budget--;
        if (!flow_decode(f->code, at, &in, op)) {
            at++;
            continue;
        }
        if (at == f->place->at) {
            is_found = true;
            found = *state;
        }
        if (is_jump(&in) && flow_target(&in, op, at, &target))
            flow_into(f, target, state);
        if (ends_path(&in))
            at = UINT64_MAX;
        else
            flow_state_step(state, f->code, at, &in, op);
        if (at != UINT64_MAX)
            at += in.length;
    }
    if (at != UINT64_MAX && at >= end)
        flow_into(f, at, state);
    if (is_found)
        *state = found;
    return is_found;
}

/* Until nothing changes; what is known at the place is in *result. */
static void run(struct function *f, struct flow_state *result, bool *is_found)
{
    for (bool is_busy = true; is_busy && f->code->budget;) {
        is_busy = false;
        for (size_t i = 0; i < f->nr; i++) {
            struct flow_state state;
            if (!f->blocks[i].is_waiting)
                continue;
            is_busy = true;
            f->blocks[i].is_waiting = false;
            if (run_block(f, &f->blocks[i], &state)) {
                *result = state;
                *is_found = true;
            }
        }
        /* What only an indirect jump reaches, or no jump that is known, one after the other. */
        bool are_wanted = f->jumps_anywhere || !*is_found;
        for (size_t i = 0; i < f->nr && !is_busy && are_wanted; i++) {
            if (f->blocks[i].is_reached || !has_code(f, &f->blocks[i]))
                continue;
            flow_state_forget(&f->blocks[i].state);
            f->blocks[i].is_reached = f->blocks[i].is_waiting = is_busy = true;
        }
    }
}

void flow_value_at(struct flow_code *code, const struct flow_place *place, struct flow_item what,
                   struct flow_value *value)
{
    struct flow_place near = *place;
    struct function f = {.code = code, .place = &near};
    struct flow_state result;
    bool is_found = false, is_cut = place->end - place->start > MAX_SIZE;

    if (is_cut) {
        near.start =
            place->at - place->start > MAX_SIZE / 2 ? place->at - MAX_SIZE / 2 : place->start;
        near.end = place->end - near.start > MAX_SIZE ? near.start + MAX_SIZE : place->end;
    }
    uint64_t *leaders = xmalloc(MAX_BLOCKS * sizeof *leaders);
    f.nr = find_leaders(&f, leaders);
    f.blocks = xmalloc(f.nr * sizeof *f.blocks);
    for (size_t i = 0; i < f.nr; i++)
        f.blocks[i].address = leaders[i];
    if (near.start == place->start)
        flow_state_enter(&f.blocks[0].state);
    else
        flow_state_forget(&f.blocks[0].state);
    f.blocks[0].is_reached = f.blocks[0].is_waiting = true;
    run(&f, &result, &is_found);
    *value = (struct flow_value){.is_unknown = true};
    if (is_found && code->budget)
        flow_state_read(&result, what, code->word, value);
    free(leaders);
    free(f.blocks);
}
