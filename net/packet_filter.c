/* Classic BPF programs (SO_ATTACH_FILTER), run as they are.
 *
 * A program only jumps forward and ends with a return, which packet_filter_check sees to; so it ends.  A load outside of
 * the frame ends it with "not wanted". */
#include <base/errno.h>
#include <net/netdev.h>
#include <packet.h>

/* --- is it one? ---------------------------------------------------------------------------------------- */

static bool is_known_ancillary(uint32_t k)
{
    switch (k - (uint32_t)SKF_AD_OFF) {
    case SKF_AD_PROTOCOL:
    case SKF_AD_PKTTYPE:
    case SKF_AD_IFINDEX:
    case SKF_AD_VLAN_TAG:
    case SKF_AD_VLAN_TAG_PRESENT:
        return true;
    default:
        return k < (uint32_t)SKF_LL_OFF;
    }
}

static bool is_good_load(const struct sock_filter *f)
{
    bool is_x = BPF_CLASS(f->code) == BPF_LDX;
    switch (f->code & ~BPF_CLASS(0xff)) {
    case BPF_W | BPF_IMM:
    case BPF_W | BPF_LEN:
        return true;
    case BPF_W | BPF_MEM:
        return f->k < BPF_MEMWORDS;
    case BPF_B | BPF_MSH:
        return is_x;
    case BPF_W | BPF_ABS:
    case BPF_H | BPF_ABS:
    case BPF_B | BPF_ABS:
        return !is_x && is_known_ancillary(f->k);
    case BPF_W | BPF_IND:
    case BPF_H | BPF_IND:
    case BPF_B | BPF_IND:
        return !is_x;
    default:
        return false;
    }
}

static bool is_good_alu(const struct sock_filter *f)
{
    bool is_k = BPF_SRC(f->code) == BPF_K;
    switch (BPF_OP(f->code)) {
    case BPF_DIV:
    case BPF_MOD:
        return !is_k || f->k != 0;
    case BPF_LSH:
    case BPF_RSH:
        return !is_k || f->k < 32;
    case BPF_NEG:
        return is_k;
    default:
        return BPF_OP(f->code) <= BPF_XOR;
    }
}

static bool is_good_jump(const struct sock_filter *f, unsigned left)
{
    switch (BPF_OP(f->code)) {
    case BPF_JA:
        return BPF_SRC(f->code) == BPF_K && f->k < left;
    case BPF_JEQ:
    case BPF_JGT:
    case BPF_JGE:
    case BPF_JSET:
        return f->jt < left && f->jf < left;
    default:
        return false;
    }
}

/* `left`: instructions behind it. */
static bool is_good(const struct sock_filter *f, unsigned left)
{
    if (f->code > 0xff)
        return false;
    switch (BPF_CLASS(f->code)) {
    case BPF_LD:
    case BPF_LDX:
        return is_good_load(f);
    case BPF_ST:
    case BPF_STX:
        return f->code < 8 && f->k < BPF_MEMWORDS;
    case BPF_ALU:
        return is_good_alu(f);
    case BPF_JMP:
        return is_good_jump(f, left);
    case BPF_RET:
        return f->code == (BPF_RET | BPF_K) || f->code == (BPF_RET | BPF_A);
    default:
        return f->code == (BPF_MISC | BPF_TAX) || f->code == (BPF_MISC | BPF_TXA);
    }
}

int packet_filter_check(const struct sock_filter *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!is_good(&f[i], n - i - 1))
            return -EINVAL;
    return n > 0 && BPF_CLASS(f[n - 1].code) == BPF_RET ? 0 : -EINVAL;
}

/* --- running it ---------------------------------------------------------------------------------------- */

static bool load(const struct packet_view *v, uint32_t at, unsigned size, uint32_t *out)
{
    switch (at - (uint32_t)SKF_AD_OFF) {
    case SKF_AD_PROTOCOL:
        *out = v->protocol;
        return true;
    case SKF_AD_PKTTYPE:
        *out = v->type;
        return true;
    case SKF_AD_IFINDEX:
        *out = (uint32_t)v->ifindex;
        return true;
    case SKF_AD_VLAN_TAG:
    case SKF_AD_VLAN_TAG_PRESENT:
        *out = 0;
        return true;
    }
    if (at > v->len || v->len - at < size)
        return false;
    for (*out = 0; size > 0; size--)
        *out = *out << 8 | v->bytes[at++];
    return true;
}

/* Its load into *r; false: there is no such byte. */
static bool run_load(const struct sock_filter *f, const struct packet_view *v, uint32_t x,
                     const uint32_t *mem, uint32_t *r)
{
    unsigned size = BPF_SIZE(f->code) == BPF_W ? 4 : BPF_SIZE(f->code) == BPF_H ? 2 : 1;
    switch (BPF_MODE(f->code)) {
    case BPF_IMM:
        *r = f->k;
        return true;
    case BPF_LEN:
        *r = v->len;
        return true;
    case BPF_MEM:
        *r = mem[f->k];
        return true;
    case BPF_MSH:
        if (!load(v, f->k, 1, r))
            return false;
        *r = (*r & 15) * 4;
        return true;
    default:
        return load(v, BPF_MODE(f->code) == BPF_IND ? f->k + x : f->k, size, r);
    }
}

/* False: it divides by nothing. */
static bool run_alu(unsigned op, uint32_t *a, uint32_t b)
{
    switch (op) {
    case BPF_ADD:
        *a += b;
        break;
    case BPF_SUB:
        *a -= b;
        break;
    case BPF_MUL:
        *a *= b;
        break;
    case BPF_DIV:
    case BPF_MOD:
        if (b == 0)
            return false;
        *a = op == BPF_DIV ? *a / b : *a % b;
        break;
    case BPF_OR:
        *a |= b;
        break;
    case BPF_AND:
        *a &= b;
        break;
    case BPF_XOR:
        *a ^= b;
        break;
    case BPF_LSH:
        *a <<= b & 31;
        break;
    case BPF_RSH:
        *a >>= b & 31;
        break;
    default:
        *a = -*a;
        break;
    }
    return true;
}

static bool is_true(unsigned op, uint32_t a, uint32_t b)
{
    return op == BPF_JEQ ? a == b : op == BPF_JGT ? a > b : op == BPF_JGE ? a >= b : (a & b) != 0;
}

uint32_t packet_filter_run(const struct sock_filter *f, const struct packet_view *v)
{
    uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = {0};
    for (;; f++) {
        uint32_t b = BPF_SRC(f->code) == BPF_X ? x : f->k;
        switch (BPF_CLASS(f->code)) {
        case BPF_LD:
        case BPF_LDX:
            if (!run_load(f, v, x, mem, BPF_CLASS(f->code) == BPF_LD ? &a : &x))
                return 0;
            break;
        case BPF_ST:
            mem[f->k] = a;
            break;
        case BPF_STX:
            mem[f->k] = x;
            break;
        case BPF_ALU:
            if (!run_alu(BPF_OP(f->code), &a, b))
                return 0;
            break;
        case BPF_JMP:
            f += BPF_OP(f->code) == BPF_JA ? f->k : is_true(BPF_OP(f->code), a, b) ? f->jt : f->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(f->code) == BPF_A ? a : f->k;
        default:
            if (BPF_MISCOP(f->code) == BPF_TAX)
                x = a;
            else
                a = x;
            break;
        }
    }
}
