/* The sites and their numbers: see reach.h. */
#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "yolk.h"

#define BUDGET 200000000 /* instructions; an ordinary program of 5 MB takes 3 million */

struct region {
    uint64_t address, size;
    const uint8_t *bytes;
};

struct name {
    uint64_t address;
    const char *text;
};

struct edge {
    uint64_t target, at;
    bool is_jump;
};

struct site {
    uint64_t at;
    enum abi abi;
};

/* The number that a function's caller passes as `what` is one of a system call's. */
struct demand {
    uint64_t function;
    struct flow_item what;
    enum abi abi;
};

struct reacher {
    const struct elf_image *image;
    struct reach *reach;
    struct flow_code code;
    struct region *regions;
    struct name *names;
    struct edge *edges;
    struct site *sites;
    uint64_t *starts; /* of functions */
    struct demand *demands;
    uint64_t region_bytes;
    size_t nr_regions, nr_names, nr_edges, nr_sites, nr_starts, nr_demands;
};

/* One more item at the end of an array, whose room grows by doubling. */
#define APPEND(array, nr, ...)                                                    \
    do {                                                                          \
        if (!((nr) & ((nr)-1)))                                                   \
            (array) = xrealloc((array), ((nr) ? 2 * (nr) : 1) * sizeof *(array)); \
        (array)[(nr)] = __VA_ARGS__;                                              \
        (nr)++;                                                                   \
    } while (0)

/* Of items that begin with an address. */
static int by_word(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void sort(void *items, size_t nr, size_t size)
{
    if (nr)
        qsort(items, nr, size, by_word);
}

/* The last of sorted items, each of which begins with an address, that is not above `address`. */
static size_t last_before(const void *items, size_t nr, size_t size, uint64_t address)
{
    size_t low = 0, high = nr;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (*(const uint64_t *)((const char *)items + middle * size) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1; /* SIZE_MAX: none */
}

/* --- what is code --- */

static const uint8_t *code_bytes(void *owner, uint64_t address, size_t *len)
{
    const struct reacher *r = owner;
    size_t i = last_before(r->regions, r->nr_regions, sizeof *r->regions, address);

    if (i >= r->nr_regions || address - r->regions[i].address >= r->regions[i].size)
        return NULL;
    *len = r->regions[i].size - (address - r->regions[i].address);
    return r->regions[i].bytes + (address - r->regions[i].address);
}

static void add_region(struct reacher *r, uint64_t address, uint64_t offset, uint64_t size)
{
    const uint8_t *bytes = elf_at(r->image, offset, size);

    /* Headers that show the same bytes at many places would make work without end. */
    r->region_bytes += bytes ? size : 0;
    if (bytes && size && r->region_bytes <= r->image->size && address + size > address)
        APPEND(r->regions, r->nr_regions, (struct region){address, size, bytes});
}

/* Executable sections; without sections, executable segments. */
static void find_regions(struct reacher *r, const Elf64_Ehdr *ehdr)
{
    Elf64_Shdr sh;
    Elf64_Phdr ph;

    for (unsigned i = 0; i < ehdr->e_shnum; i++)
        if (elf_section(r->image, ehdr, i, &sh) && sh.sh_type == SHT_PROGBITS &&
            (sh.sh_flags & SHF_EXECINSTR) && (sh.sh_flags & SHF_ALLOC))
            add_region(r, sh.sh_addr, sh.sh_offset, sh.sh_size);
    for (unsigned i = 0; i < ehdr->e_phnum && !r->nr_regions; i++)
        if (elf_segment(r->image, ehdr, i, &ph) && ph.p_type == PT_LOAD && (ph.p_flags & PF_X))
            add_region(r, ph.p_vaddr, ph.p_offset, ph.p_filesz);
    sort(r->regions, r->nr_regions, sizeof *r->regions);
}

static void add_names(struct reacher *r, const Elf64_Ehdr *ehdr, const Elf64_Shdr *table)
{
    Elf64_Shdr strings;
    Elf64_Sym symbol;

    if (!elf_section(r->image, ehdr, table->sh_link, &strings))
        return;
    for (uint64_t i = 0; elf_symbol(r->image, table, i, &symbol); i++) {
        const char *text = elf_at(r->image, strings.sh_offset + symbol.st_name, 1);
        size_t left = text ? r->image->size - (size_t)(text - (const char *)r->image->bytes) : 0;
        unsigned type = ELF64_ST_TYPE(symbol.st_info);
        size_t len;
        if ((type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC) &&
            code_bytes(r, symbol.st_value, &len) && memchr(text ? text : "", 0, left) && *text)
            APPEND(r->names, r->nr_names, (struct name){symbol.st_value, text});
    }
}

static void find_names(struct reacher *r, const Elf64_Ehdr *ehdr)
{
    Elf64_Shdr sh;

    for (unsigned i = 0; i < ehdr->e_shnum; i++)
        if (elf_section(r->image, ehdr, i, &sh) && sh.sh_type == SHT_SYMTAB)
            add_names(r, ehdr, &sh);
    sort(r->names, r->nr_names, sizeof *r->names);
    APPEND(r->starts, r->nr_starts, ehdr->e_entry);
    for (size_t i = 0; i < r->nr_names; i++)
        APPEND(r->starts, r->nr_starts, r->names[i].address);
}

/* --- the sites --- */

/* The old fixed page's functions: a call of one of these is a system call to us. */
static const struct {
    uint64_t address;
    uint32_t number;
} vsyscalls[] = {{0xffffffffff600000, 96}, {0xffffffffff600400, 201}, {0xffffffffff600800, 309}};

static void add_call(struct reacher *r, enum abi abi, uint64_t number, uint64_t at)
{
    struct reach *reach = r->reach;
    size_t i = last_before(r->names, r->nr_names, sizeof *r->names, at);

    for (size_t k = 0; k < reach->nr; k++)
        if (reach->calls[k].abi == abi && reach->calls[k].number == (uint32_t)number)
            return;
    APPEND(reach->calls, reach->nr,
           (struct reach_call){abi, (uint32_t)number,
                               i < r->nr_names ? xstrdup(r->names[i].text) : NULL});
}

static bool enters_kernel(const struct reacher *r, const ZydisDecodedInstruction *in,
                          const ZydisDecodedOperand *op, enum abi *abi)
{
    bool is_32 = r->code.word == 4;

    *abi = is_32 ? ABI_I386 : ABI_X86_64;
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSENTER:
        return true;
    case ZYDIS_MNEMONIC_INT:
        *abi = ABI_I386;
        return op[0].imm.value.u == 0x80;
    case ZYDIS_MNEMONIC_CALL: /* through a pointer: the C library's to the vDSO, perhaps */
        return is_32 && op[0].type == ZYDIS_OPERAND_TYPE_MEMORY &&
               op[0].mem.index == ZYDIS_REGISTER_NONE;
    default:
        return false;
    }
}

static void look_at(struct reacher *r, uint64_t at, const ZydisDecodedInstruction *in,
                    const ZydisDecodedOperand *op)
{
    uint64_t target;
    enum abi abi;
    size_t len;

    if (enters_kernel(r, in, op, &abi)) {
        APPEND(r->sites, r->nr_sites, (struct site){at, abi});
    } else if ((in->mnemonic == ZYDIS_MNEMONIC_CALL ||
                in->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
                in->meta.category == ZYDIS_CATEGORY_COND_BR) &&
               flow_target(in, op, at, &target) && code_bytes(r, target, &len)) {
        bool is_jump = in->mnemonic != ZYDIS_MNEMONIC_CALL;
        APPEND(r->edges, r->nr_edges, (struct edge){target, at, is_jump});
        if (!is_jump)
            APPEND(r->starts, r->nr_starts, target);
    } else if (in->mnemonic == ZYDIS_MNEMONIC_MOV && op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        for (size_t i = 0; i < sizeof vsyscalls / sizeof *vsyscalls; i++)
            if (op[1].imm.value.u == vsyscalls[i].address)
                add_call(r, ABI_X86_64, vsyscalls[i].number, at);
    }
}

/* All code, from one end to the other; a name puts the reading back into step. */
static void sweep(struct reacher *r, const struct region *g)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    size_t next = last_before(r->names, r->nr_names, sizeof *r->names, g->address) + 1;

    for (uint64_t at = g->address; at < g->address + g->size && r->code.budget;) {
        r->code.budget--;
        while (next < r->nr_names && r->names[next].address <= at)
            next++;
        bool is_good = flow_decode(&r->code, at, &in, op);
        uint64_t length = is_good ? in.length : 1;
        if (next < r->nr_names && at + length > r->names[next].address && is_good) {
            at = r->names[next].address;
            continue;
        }
        if (is_good)
            look_at(r, at, &in, op);
        at += length;
    }
}

static void sort_starts(struct reacher *r)
{
    size_t kept = 0;

    sort(r->starts, r->nr_starts, sizeof *r->starts);
    for (size_t i = 0; i < r->nr_starts; i++)
        if (!kept || r->starts[i] != r->starts[kept - 1])
            r->starts[kept++] = r->starts[i];
    r->nr_starts = kept;
    sort(r->edges, r->nr_edges, sizeof *r->edges);
}

/* --- the numbers --- */

static bool function_around(const struct reacher *r, uint64_t at, struct flow_place *place)
{
    size_t i = last_before(r->starts, r->nr_starts, sizeof *r->starts, at);
    size_t k = last_before(r->regions, r->nr_regions, sizeof *r->regions, at);

    if (k >= r->nr_regions)
        return false;
    uint64_t region_end = r->regions[k].address + r->regions[k].size;
    place->at = at;
    place->start = i < r->nr_starts && r->starts[i] >= r->regions[k].address
                       ? r->starts[i]
                       : r->regions[k].address;
    place->end =
        i + 1 < r->nr_starts && r->starts[i + 1] < region_end ? r->starts[i + 1] : region_end;
    return at < place->end;
}

static void add_demand(struct reacher *r, uint64_t function, struct flow_item what, enum abi abi)
{
    for (size_t i = 0; i < r->nr_demands; i++) {
        const struct demand *d = &r->demands[i];
        if (d->function == function && d->what.kind == what.kind && d->what.n == what.n &&
            d->abi == abi)
            return;
    }
    APPEND(r->demands, r->nr_demands, (struct demand){function, what, abi});
}

/* What `what` holds at a place is a call's number.  False: it may also be something that is not known. */
static bool follow(struct reacher *r, uint64_t at, struct flow_item what, enum abi abi)
{
    struct flow_place place;
    struct flow_value value;

    if (!function_around(r, at, &place))
        return false;
    flow_value_at(&r->code, &place, what, &value);
    bool is_known = !value.is_unknown;
    for (unsigned i = 0; i < value.nr; i++) {
        if (value.item[i].kind == FLOW_CONSTANT)
            add_call(r, abi, (uint32_t)value.item[i].n, at);
        else if (value.item[i].kind == FLOW_FRAME)
            is_known = false;
        else
            add_demand(r, place.start, value.item[i], abi);
    }
    return is_known;
}

/* i386: whether a call through memory leads to `int $0x80`, as the C library's pointer does before it has found the
 * vDSO, or is the thread's own (%gs:0x10). */
static bool calls_kernel(struct reacher *r, uint64_t at)
{
    ZydisDecodedInstruction in;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    struct flow_place place;
    struct flow_value base = {.nr = 1};

    if (!flow_decode(&r->code, at, &in, op))
        return false;
    if (in.mnemonic != ZYDIS_MNEMONIC_CALL)
        return true;
    if (op[0].mem.segment == ZYDIS_REGISTER_GS)
        return op[0].mem.disp.value == 0x10 && op[0].mem.base == ZYDIS_REGISTER_NONE;
    if (op[0].mem.base != ZYDIS_REGISTER_NONE) {
        int reg = (int)op[0].mem.base - ZYDIS_REGISTER_EAX;
        if (reg < 0 || reg > 7 || reg == FLOW_RSP || !function_around(r, at, &place))
            return false;
        flow_value_at(&r->code, &place, (struct flow_item){FLOW_REGISTER, reg}, &base);
    }
    if (base.is_unknown || base.nr != 1 || base.item[0].kind != FLOW_CONSTANT)
        return false;
    const uint8_t *pointer =
        elf_at_address(r->image, (uint32_t)(base.item[0].n + op[0].mem.disp.value), 4);
    return pointer && flow_decode(&r->code, elf_word(pointer, 4), &in, op) &&
           in.mnemonic == ZYDIS_MNEMONIC_INT && op[0].imm.value.u == 0x80;
}

static void answer_demand(struct reacher *r, const struct demand *demand)
{
    const struct demand d = *demand; /* the array grows */
    size_t i =
        d.function ? last_before(r->edges, r->nr_edges, sizeof *r->edges, d.function - 1) + 1 : 0;
    bool is_known = true;

    for (; i < r->nr_edges && r->edges[i].target == d.function; i++) {
        struct flow_item what = d.what;
        struct flow_place place;
        /* A jump inside the function is none of its callers. */
        if (r->edges[i].is_jump &&
            (!function_around(r, r->edges[i].at, &place) || place.start == d.function))
            continue;
        /* A call puts its return address on the stack first. */
        if (what.kind == FLOW_SLOT && !r->edges[i].is_jump)
            what.n -= r->code.word;
        is_known &= follow(r, r->edges[i].at, what, d.abi);
    }
    r->reach->nr_unknown += !is_known;
}

static int by_call(const void *a, const void *b)
{
    const struct reach_call *x = a, *y = b;

    if (x->abi != y->abi)
        return x->abi < y->abi ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

void reach_find(const struct elf_image *image, bool is_go, struct reach *reach)
{
    struct reacher r = {.image = image, .reach = reach};
    Elf64_Ehdr ehdr;
    bool is_32 = elf_is_32(image);

    *reach = (struct reach){0};
    if (!elf_header(image, &ehdr))
        return;
    ZydisDecoderInit(&r.code.decoder,
                     is_32 ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32 : ZYDIS_MACHINE_MODE_LONG_64,
                     is_32 ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_64);
    r.code.word = is_32 ? 4 : 8;
    r.code.keeps_nothing = is_go;
    r.code.budget = BUDGET;
    r.code.bytes = code_bytes;
    r.code.owner = &r;
    find_regions(&r, &ehdr);
    find_names(&r, &ehdr);
    for (size_t i = 0; i < r.nr_regions; i++)
        sweep(&r, &r.regions[i]);
    sort_starts(&r);
    for (size_t i = 0; i < r.nr_sites; i++) {
        if (!calls_kernel(&r, r.sites[i].at))
            continue;
        reach->nr_sites++;
        struct flow_item number = {FLOW_REGISTER, FLOW_RAX};
        reach->nr_unknown += !follow(&r, r.sites[i].at, number, r.sites[i].abi);
    }
    for (size_t i = 0; i < r.nr_demands; i++)
        answer_demand(&r, &r.demands[i]);
    reach->is_cut = !r.code.budget;
    if (reach->nr)
        qsort(reach->calls, reach->nr, sizeof *reach->calls, by_call);
    free(r.regions);
    free(r.names);
    free(r.edges);
    free(r.sites);
    free(r.starts);
    free(r.demands);
}

void reach_free(struct reach *reach)
{
    for (size_t i = 0; i < reach->nr; i++)
        free(reach->calls[i].where);
    free(reach->calls);
}
