/* What a dying program leaves behind: one block on the log with the signal, the registers and a
 * backtrace whose names come from the program's own symbol table.
 *
 * Finding the callers: first along the frame pointers (Go keeps them, C with
 * -fno-omit-frame-pointer).  If that ends early, words on the stack that point behind a call
 * instruction are taken for return addresses: such lines are marked with a question mark, because
 * an old one may be among them. */
#include "private.h"
#include "symbols.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/usercopy.h>
#include <linux/signal.h>

enum { MAX_FRAMES = 24, FEW_FRAMES = 3, SCAN_WORDS = 512 };

struct backtrace {
    unsigned nr, nr_sure; /* the first nr_sure are certain */
    uint64_t addr[MAX_FRAMES];
};

static const char *signal_name(int sig)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGSEGV] = "SIGSEGV", [SIGSYS] = "SIGSYS",   [SIGXCPU] = "SIGXCPU",
        [SIGXFSZ] = "SIGXFSZ",
    };
    return (size_t)sig < ARRAY_LEN(names) && names[sig] ? names[sig] : "signal";
}

/* The reason in words; "" when the signal's name says it all. */
static const char *code_name(int sig, int code)
{
    static const struct {
        int sig, code;
        const char *text;
    } codes[] = {
        {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR: nothing is mapped"},
        {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR: no permission for"},
        {SIGSEGV, SI_KERNEL, "general protection fault or bad signal frame"},
        {SIGBUS, BUS_ADRERR, "BUS_ADRERR: beyond the end of the mapped file"},
        {SIGBUS, BUS_ADRALN, "BUS_ADRALN: misaligned"},
        {SIGFPE, FPE_INTDIV, "FPE_INTDIV: integer division by zero or overflow"},
        {SIGILL, ILL_ILLOPN, "ILL_ILLOPN: not an instruction of this CPU"},
        {SIGTRAP, SI_KERNEL, "breakpoint"},
        {SIGTRAP, TRAP_TRACE, "TRAP_TRACE: single step"},
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].sig == sig && codes[i].code == code)
            return codes[i].text;
    return code == SI_TKILL || code == SI_USER || code == SI_QUEUE ? "sent by a program" : "";
}

static bool has_address(int sig, int code)
{
    return code > 0 && code != SI_KERNEL &&
           (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP);
}

/* --- the backtrace ---------------------------------------------------------------------------- */

/* `size`: of a word on the stack, 4 in 32-bit code. */
static bool read_word(uint64_t at, unsigned size, uint64_t *word)
{
    *word = 0;
    return at % size == 0 && user_read(word, (struct uptr){at}, size) == 0;
}

static unsigned word_size(const struct regs *regs)
{
    return regs->cs == USER32_CS ? 4 : 8;
}

/* Is `addr` right behind a call instruction? */
static bool is_return_address(uint64_t addr)
{
    uint8_t before[7]; /* the longest indirect call */
    if (addr < USER_MIN || addr >= USER_TOP ||
        user_read(before, (struct uptr){addr - 7}, sizeof(before)))
        return false;
    if (before[2] == 0xe8) /* call rel32 */
        return true;
    for (unsigned len = 2; len <= 7; len++) /* ff /2: call r/m, with what its operand takes */
        if (before[7 - len] == 0xff && (before[8 - len] & 0x38) == 0x10)
            return true;
    return false;
}

static void walk_frames(struct backtrace *bt, const struct regs *regs)
{
    const unsigned word = word_size(regs);
    uint64_t rbp = regs->rbp, low = regs->rsp, next, addr;
    bt->addr[bt->nr++] = regs->rip;
    while (bt->nr < MAX_FRAMES && rbp >= low && read_word(rbp, word, &next) &&
           read_word(rbp + word, word, &addr) && is_return_address(addr)) {
        bt->addr[bt->nr++] = addr;
        low = rbp + 2 * word; /* callers are above: a loop in the chain ends here */
        rbp = next;
    }
    bt->nr_sure = bt->nr;
}

static void scan_stack(struct backtrace *bt, const struct regs *regs)
{
    const unsigned size = word_size(regs);
    uint64_t at = ALIGN_UP(regs->rsp, size), word;
    bt->nr = bt->nr_sure = 1; /* what the chain of frame pointers gave is among what is found now */
    for (unsigned i = 0;
         i < SCAN_WORDS && bt->nr < MAX_FRAMES && read_word(at + size * i, size, &word); i++)
        if (is_return_address(word))
            bt->addr[bt->nr++] = word;
}

static void log_frames(const struct backtrace *bt)
{
    struct symbol *symbols = heap_zalloc(bt->nr * sizeof(*symbols));
    struct process *p = current_process();
    if (symbols && p->exe_file) {
        for (unsigned i = 0; i < bt->nr; i++)
            symbols[i].addr =
                bt->addr[i] - (i > 0); /* a return address may be the next function's first */
        symbols_find(p->exe_file, p->exe_base, symbols, bt->nr);
    }
    for (unsigned i = 0; i < bt->nr; i++) {
        const char *doubt = i < bt->nr_sure ? "" : " ?";
        if (symbols && symbols[i].name[0])
            log_error("  #%-2u %#lx %s+%#lx%s", i, (unsigned long)bt->addr[i], symbols[i].name,
                      (unsigned long)(symbols[i].offset + (i > 0)), doubt);
        else
            log_error("  #%-2u %#lx%s", i, (unsigned long)bt->addr[i], doubt);
    }
    heap_free(symbols);
}

static void log_registers_32(const struct regs *r)
{
    struct arch_selectors s;
    arch_get_selectors(&s);
    log_error("  eip %08lx  esp %08lx  ebp %08lx  eflags %08lx", r->rip, r->rsp, r->rbp, r->rflags);
    log_error("  eax %08lx  ebx %08lx  ecx %08lx  edx %08lx", r->rax, r->rbx, r->rcx, r->rdx);
    log_error("  esi %08lx  edi %08lx  gs %04x (base %08lx)", r->rsi, r->rdi, s.gs,
              arch_get_gs_base());
}

static void log_registers(const struct regs *r)
{
    if (r->cs == USER32_CS) {
        log_registers_32(r);
        return;
    }
    log_error("  rip %016lx  rsp %016lx  rbp %016lx  rflags %08lx", r->rip, r->rsp, r->rbp,
              r->rflags);
    log_error("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
    log_error("  rsi %016lx  rdi %016lx  r8  %016lx  r9  %016lx", r->rsi, r->rdi, r->r8, r->r9);
    log_error("  r10 %016lx  r11 %016lx  r12 %016lx  r13 %016lx", r->r10, r->r11, r->r12, r->r13);
    log_error("  r14 %016lx  r15 %016lx  fs  %016lx  gs  %016lx", r->r14, r->r15,
              arch_get_fs_base(), arch_get_gs_base());
}

void report_death(const struct regs *regs, int sig, const siginfo_t *info)
{
    struct task *t = current_task();
    struct backtrace bt = {0};
    char where[40] = "";
    if (has_address(sig, info->si_code))
        snprintf(where, sizeof(where), " at %#lx", (unsigned long)info->si_addr);
    log_error("%s (process %d, thread %d) killed by %s: %s%s", t->thread.name, t->process->pid,
              t->tid, signal_name(sig), code_name(sig, info->si_code), where);
    log_registers(regs);
    walk_frames(&bt, regs);
    if (bt.nr < FEW_FRAMES)
        scan_stack(&bt, regs);
    log_frames(&bt);
}

void report_out_of_memory(uintptr_t addr)
{
    struct process *p = current_process();
    struct vm_stats stats = {0};
    if (p->vm)
        vm_get_stats(p->vm, &stats);
    log_error("out of memory: killed process %d (%s), which uses %lu KiB, at %#lx", p->pid,
              current_thread()->name, (unsigned long)(stats.rss_pages * (PAGE_SIZE / 1024)),
              (unsigned long)addr);
}
