/* One instruction's effect on what is known: see flow_state.h.  What is not understood makes what it writes unknown. */
#include "flow_state.h"

#include <string.h>

static const struct flow_value unknown = {.is_unknown = true};

static struct flow_value single(enum flow_kind kind, int64_t n)
{
    return (struct flow_value){.nr = 1, .item = {{kind, n}}};
}

static bool is_single(const struct flow_value *v, enum flow_kind kind)
{
    return !v->is_unknown && v->nr == 1 && v->item[0].kind == kind;
}

static bool has_item(const struct flow_value *v, struct flow_item item)
{
    for (unsigned i = 0; i < v->nr; i++)
        if (v->item[i].kind == item.kind && v->item[i].n == item.n)
            return true;
    return false;
}

static bool value_join(struct flow_value *v, const struct flow_value *other)
{
    bool is_new = other->is_unknown && !v->is_unknown;

    v->is_unknown |= other->is_unknown;
    for (unsigned i = 0; i < other->nr; i++) {
        if (has_item(v, other->item[i]))
            continue;
        if (v->nr == FLOW_ITEMS) {
            is_new |= !v->is_unknown;
            v->is_unknown = true;
        } else {
            v->item[v->nr++] = other->item[i];
            is_new = true;
        }
    }
    return is_new;
}

/* --- the stack --- */

static struct flow_value slot_get(const struct flow_state *s, int64_t at, unsigned word)
{
    for (unsigned i = 0; i < s->nr_slots; i++)
        if (s->slot[i].at == at)
            return s->slot[i].value;
    return at >= (int64_t)word ? single(FLOW_SLOT, at) : unknown;
}

static void slot_set(struct flow_state *s, int64_t at, const struct flow_value *value)
{
    unsigned i = 0;

    while (i < s->nr_slots && s->slot[i].at != at)
        i++;
    if (i == FLOW_SLOTS) {
        /* The oldest makes room: it is read as unknown, or as the caller's. */
        memmove(&s->slot[0], &s->slot[1], (FLOW_SLOTS - 1) * sizeof s->slot[0]);
        i = FLOW_SLOTS - 1;
    } else if (i == s->nr_slots) {
        s->nr_slots++;
    }
    s->slot[i].at = at;
    s->slot[i].value = *value;
}

void flow_state_forget(struct flow_state *s)
{
    s->nr_slots = 0;
    for (int i = 0; i < FLOW_REGISTERS; i++)
        s->reg[i] = unknown;
}

void flow_state_enter(struct flow_state *s)
{
    s->nr_slots = 0;
    for (int i = 0; i < FLOW_REGISTERS; i++)
        s->reg[i] = single(FLOW_REGISTER, i);
    s->reg[FLOW_RSP] = single(FLOW_FRAME, 0);
}

bool flow_state_join(struct flow_state *s, const struct flow_state *other, unsigned word)
{
    bool is_new = false;

    for (int i = 0; i < FLOW_REGISTERS; i++)
        is_new |= value_join(&s->reg[i], &other->reg[i]);
    for (unsigned i = 0; i < s->nr_slots; i++) {
        struct flow_value there = slot_get(other, s->slot[i].at, word);
        is_new |= value_join(&s->slot[i].value, &there);
    }
    for (unsigned i = 0; i < other->nr_slots; i++) {
        struct flow_value here = slot_get(s, other->slot[i].at, word);
        bool has_room = s->nr_slots < FLOW_SLOTS; /* what falls out would come in again, for ever */
        if (has_room && value_join(&here, &other->slot[i].value)) {
            slot_set(s, other->slot[i].at, &here);
            is_new = true;
        }
    }
    return is_new;
}

void flow_state_read(const struct flow_state *s, struct flow_item what, unsigned word,
                     struct flow_value *value)
{
    const struct flow_value *sp = &s->reg[FLOW_RSP];

    if (what.kind == FLOW_REGISTER)
        *value = s->reg[what.n];
    else if (is_single(sp, FLOW_FRAME))
        *value = slot_get(s, sp->item[0].n + what.n, word);
    else
        *value = unknown;
}

/* --- operands --- */

/* The number of a register of any width; -1: none that is followed. */
static int reg_of(const ZydisDecodedOperand *op)
{
    if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
        return -1;
    ZydisRegister full =
        ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, op->reg.value);
    return full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15
               ? (int)(full - ZYDIS_REGISTER_RAX)
               : -1;
}

/* The address that a memory operand has, if the function's stack or a constant leads to it. */
static struct flow_value address_of(const struct flow_state *s, const ZydisDecodedOperand *op,
                                    uint64_t next)
{
    if (op->mem.index != ZYDIS_REGISTER_NONE || op->mem.segment == ZYDIS_REGISTER_FS ||
        op->mem.segment == ZYDIS_REGISTER_GS)
        return unknown;
    if (op->mem.base == ZYDIS_REGISTER_NONE)
        return single(FLOW_CONSTANT, op->mem.disp.value);
    if (op->mem.base == ZYDIS_REGISTER_RIP)
        return single(FLOW_CONSTANT, (int64_t)next + op->mem.disp.value);
    ZydisRegister full = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, op->mem.base);
    if (full < ZYDIS_REGISTER_RAX || full > ZYDIS_REGISTER_R15)
        return unknown;
    struct flow_value v = s->reg[full - ZYDIS_REGISTER_RAX];
    if (v.is_unknown || v.nr != 1 ||
        (v.item[0].kind != FLOW_FRAME && v.item[0].kind != FLOW_CONSTANT))
        return unknown;
    v.item[0].n += op->mem.disp.value;
    return v;
}

static struct flow_value operand_get(const struct flow_state *s, const ZydisDecodedOperand *op,
                                     uint64_t next, unsigned word)
{
    int reg = reg_of(op);

    if (reg >= 0)
        return op->size >= 32 ? s->reg[reg] : unknown;
    if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return single(FLOW_CONSTANT, op->imm.value.s);
    if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->size >= 32) {
        struct flow_value at = address_of(s, op, next);
        if (is_single(&at, FLOW_FRAME))
            return slot_get(s, at.item[0].n, word);
    }
    return unknown;
}

static void operand_set(struct flow_state *s, const ZydisDecodedOperand *op, uint64_t next,
                        struct flow_value value)
{
    int reg = reg_of(op);

    if (op->size < 32)
        value = unknown;
    if (reg >= 0) {
        s->reg[reg] = value;
    } else if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->mem.type == ZYDIS_MEMOP_TYPE_MEM) {
        struct flow_value at = address_of(s, op, next);
        if (is_single(&at, FLOW_FRAME))
            slot_set(s, at.item[0].n, &value);
    }
}

/* --- instructions --- */

static void stack_move(struct flow_state *s, int64_t by)
{
    struct flow_value *sp = &s->reg[FLOW_RSP];

    if (is_single(sp, FLOW_FRAME))
        sp->item[0].n += by;
    else
        *sp = unknown;
}

static void push(struct flow_state *s, unsigned word, const struct flow_value *value)
{
    stack_move(s, -(int64_t)word);
    if (is_single(&s->reg[FLOW_RSP], FLOW_FRAME))
        slot_set(s, s->reg[FLOW_RSP].item[0].n, value);
}

static struct flow_value pop(struct flow_state *s, unsigned word)
{
    struct flow_value v = unknown;

    if (is_single(&s->reg[FLOW_RSP], FLOW_FRAME))
        v = slot_get(s, s->reg[FLOW_RSP].item[0].n, word);
    stack_move(s, word);
    return v;
}

/* In the SysV ABI of x86-64 and of i386 alike rbx, rsp, rbp (and r12 to r15, rsi and rdi of i386) survive. */
static void call(struct flow_state *s, const struct flow_code *code)
{
    static const bool survives_64[FLOW_REGISTERS] = {
        [3] = 1, [4] = 1, [5] = 1, [12] = 1, [13] = 1, [14] = 1, [15] = 1};
    static const bool survives_32[FLOW_REGISTERS] = {[3] = 1, [4] = 1, [5] = 1, [6] = 1, [7] = 1};

    for (int i = 0; i < FLOW_REGISTERS; i++) {
        bool survives = code->word == 8 ? survives_64[i] : survives_32[i];
        if (code->keeps_nothing)
            survives = i == FLOW_RSP || i == FLOW_RSP + 1;
        if (!survives)
            s->reg[i] = unknown;
    }
}

/* i386 code learns where it is by calling `mov (%esp), %reg; ret`. */
static bool call_for_pc(struct flow_state *s, const struct flow_code *code, uint64_t next,
                        uint64_t target)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];

    if (code->word != 4 || !flow_decode(code, target, &in, op) ||
        in.mnemonic != ZYDIS_MNEMONIC_MOV || op[1].type != ZYDIS_OPERAND_TYPE_MEMORY ||
        op[1].mem.base != ZYDIS_REGISTER_ESP || op[1].mem.disp.value || reg_of(&op[0]) < 0)
        return false;
    s->reg[reg_of(&op[0])] = single(FLOW_CONSTANT, (int64_t)next);
    return true;
}

static struct flow_value arithmetic(ZydisMnemonic mnemonic, struct flow_value a,
                                    struct flow_value b)
{
    if (a.is_unknown || a.nr != 1 || !is_single(&b, FLOW_CONSTANT))
        return unknown;
    int64_t n = b.item[0].n;
    bool is_address = a.item[0].kind == FLOW_FRAME, is_number = a.item[0].kind == FLOW_CONSTANT;
    /* Aligning the stack only moves it to where nothing has been stored. */
    if (is_address && mnemonic == ZYDIS_MNEMONIC_AND)
        return a;
    if (!is_number &&
        !(is_address && (mnemonic == ZYDIS_MNEMONIC_ADD || mnemonic == ZYDIS_MNEMONIC_SUB)))
        return unknown;
    uint64_t x = (uint64_t)a.item[0].n, y = (uint64_t)n;
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_ADD:
        x += y;
        break;
    case ZYDIS_MNEMONIC_SUB:
        x -= y;
        break;
    case ZYDIS_MNEMONIC_AND:
        x &= y;
        break;
    case ZYDIS_MNEMONIC_OR:
        x |= y;
        break;
    default:
        x ^= y;
        break;
    }
    a.item[0].n = (int64_t)x;
    return a;
}

/* Everything that the instruction writes is unknown behind it. */
static void clobber(struct flow_state *s, const ZydisDecodedInstruction *in,
                    const ZydisDecodedOperand *op, uint64_t next)
{
    for (unsigned i = 0; i < in->operand_count; i++)
        if (op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
            operand_set(s, &op[i], next, unknown);
}

/* `mov $n, %al` behind a constant, as hand-written code has it. */
static bool set_low_byte(struct flow_state *s, const ZydisDecodedOperand *op)
{
    int reg = reg_of(&op[0]);

    if (reg < 0 || op[0].size != 8 || op[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
        (op[0].reg.value >= ZYDIS_REGISTER_AH && op[0].reg.value <= ZYDIS_REGISTER_BH) ||
        !is_single(&s->reg[reg], FLOW_CONSTANT))
        return false;
    int64_t *n = &s->reg[reg].item[0].n;
    *n = (*n & ~(int64_t)0xff) | (int64_t)(op[1].imm.value.u & 0xff);
    return true;
}

/* Moves; false: it is none. */
static bool step_move(struct flow_state *s, unsigned word, const ZydisDecodedInstruction *in,
                      const ZydisDecodedOperand *op, uint64_t next)
{
    struct flow_value v, w;

    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        if (set_low_byte(s, op))
            return true;
        /* fall through */
    case ZYDIS_MNEMONIC_MOVSXD:
        operand_set(s, &op[0], next, operand_get(s, &op[1], next, word));
        return true;
    case ZYDIS_MNEMONIC_LEA:
        operand_set(s, &op[0], next, address_of(s, &op[1], next));
        return true;
    case ZYDIS_MNEMONIC_PUSH:
        v = operand_get(s, &op[0], next, word);
        push(s, word, &v);
        return true;
    case ZYDIS_MNEMONIC_POP:
        v = pop(s, word);
        operand_set(s, &op[0], next, v);
        return true;
    case ZYDIS_MNEMONIC_LEAVE:
        s->reg[FLOW_RSP] = s->reg[FLOW_RSP + 1];
        s->reg[FLOW_RSP + 1] = pop(s, word);
        return true;
    case ZYDIS_MNEMONIC_XCHG:
        v = operand_get(s, &op[0], next, word);
        w = operand_get(s, &op[1], next, word);
        operand_set(s, &op[0], next, w);
        operand_set(s, &op[1], next, v);
        return true;
    default:
        return false;
    }
}

static void step_compute(struct flow_state *s, unsigned word, const ZydisDecodedInstruction *in,
                         const ZydisDecodedOperand *op, uint64_t next)
{
    struct flow_value v = operand_get(s, &op[0], next, word), w = unknown;

    if (in->operand_count > 1)
        w = operand_get(s, &op[1], next, word);
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_SUB:
        if (reg_of(&op[0]) >= 0 && op[1].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            op[0].reg.value == op[1].reg.value) {
            operand_set(s, &op[0], next, single(FLOW_CONSTANT, 0));
            return;
        }
        /* fall through */
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
        operand_set(s, &op[0], next,
                    in->mnemonic == ZYDIS_MNEMONIC_OR && is_single(&w, FLOW_CONSTANT) &&
                            w.item[0].n == -1
                        ? w
                        : arithmetic(in->mnemonic, v, w));
        return;
    default:
        if (in->meta.category == ZYDIS_CATEGORY_CMOV) {
            value_join(&v, &w);
            operand_set(s, &op[0], next, v);
            return;
        }
        clobber(s, in, op, next);
    }
}

void flow_state_step(struct flow_state *s, const struct flow_code *code, uint64_t address,
                     const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op)
{
    uint64_t target, next = address + in->length;
    bool is_kernel_call = op[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
                          op[0].mem.segment == ZYDIS_REGISTER_GS && code->word == 4;

    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_CALL:
        if (is_kernel_call)
            s->reg[FLOW_RAX] = unknown;
        else if (!flow_target(in, op, address, &target) || !call_for_pc(s, code, next, target))
            call(s, code);
        return;
    case ZYDIS_MNEMONIC_INT:
        s->reg[FLOW_RAX] = unknown;
        return;
    default:
        if (!step_move(s, code->word, in, op, next))
            step_compute(s, code->word, in, op, next);
    }
}
