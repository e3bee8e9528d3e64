/* A kernel of one file above the CPU layer: checks what arch.h and upcalls.h promise, in ring 0 and with a payload of
 * a few instructions in ring 3 (arch_payload.asm).  Prints one line for each check and "arch: all passed". */
#include "arch_fake.h"

#include <base/log.h>
#include <base/string.h>

#include "internal.h"

#define POOL_PAGES 2048

static const struct bootinfo *boot;
static uint64_t pool_next, pool_end;

/* --- what base/log.h and upcalls.h ask for --------------------------------------------------------------------- */

void log_line(enum log_level level, const char *format, ...)
{
    char buf[256];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(buf, sizeof(buf) - 1, format, args);
    va_end(args);
    n = MIN(n, (int)sizeof(buf) - 2);
    buf[n++] = '\n';
    arch_serial_write(buf, n);
}

void panic(const char *format, ...)
{
    char buf[256];
    uint64_t chain[16];
    va_list args;

    va_start(args, format);
    vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    log_line(LOG_PANIC, "panic: %s", buf);
    unsigned n = arch_backtrace(0, chain, ARRAY_LEN(chain));
    for (unsigned i = 0; i < n; i++)
        log_line(LOG_PANIC, "  %#lx", chain[i]);
    arch_poweroff(125);
}

struct paddr up_table_page_alloc(void)
{
    uint64_t pa = __atomic_fetch_add(&pool_next, PAGE_SIZE, __ATOMIC_RELAXED);

    if (pa >= pool_end)
        return (struct paddr){0};
    arch_zero_page(direct_ptr((struct paddr){pa}));
    return (struct paddr){pa};
}

static unsigned pages_freed;
void up_table_page_free(struct paddr page)
{
    pages_freed++;
}

void *up_alloc(size_t size)
{
    struct paddr first = {0};

    for (size_t at = 0; at < size; at += PAGE_SIZE) {
        struct paddr p = up_table_page_alloc();
        if (at == 0)
            first = p;
    }
    return first.pa ? direct_ptr(first) : NULL;
}

void up_free(void *p)
{
}

static unsigned failures;
#define CHECK(cond) check(cond, #cond, __LINE__)
static void check(bool ok, const char *what, int line)
{
    if (!ok) {
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
        log_line(LOG_ERROR, "FAILED line %d: %s", line, what);
    }
}

#define FLUSH_ROUNDS 200
static struct arch_vm vm;
static unsigned cpus_done;    /* atomic */
static bool is_time_to_flush; /* atomic */

/* Everybody makes everybody else flush, all at once. */
static void flush_rounds(void)
{
    for (unsigned i = 0; i < FLUSH_ROUNDS; i++)
        arch_flush(&vm, 0x10000000, 0x10000000 + (i % 64 + 1) * PAGE_SIZE);
    CHECK(__atomic_load_n(&vm.cpus, __ATOMIC_SEQ_CST) >> this_cpu()->index &
          1); /* busy: it stays in */
    __atomic_fetch_add(&cpus_done, 1, __ATOMIC_RELEASE);
}

void up_cpu_main(void)
{
    arch_vm_activate(&vm);
    arch_irq_on();
    while (!__atomic_load_n(&is_time_to_flush, __ATOMIC_ACQUIRE))
        arch_relax();
    flush_rounds();
    arch_irq_off();
    for (;;)
        arch_cpu_idle();
}

static unsigned ticks;
void up_timer_irq(void)
{
    ticks++;
    this_cpu()->work = WORK_RESCHED;
}

void up_resched_irq(void)
{
}

static unsigned cpus_halted; /* atomic */
void up_dump_nmi(const struct regs *regs)
{
    (void)regs;
}

void up_halt_irq(const struct regs *regs)
{
    __atomic_fetch_add(&cpus_halted, 1, __ATOMIC_RELEASE);
}

/* --- checks ---------------------------------------------------------------------------------------------------- */

struct fake_thread {
    struct arch_thread arch;
    int runs;
};

static struct fake_thread boot_thread, other_thread, user_thread;
static struct thread *first_run_prev;

static struct thread *as_thread(struct fake_thread *t)
{
    return (struct thread *)t;
}

void up_thread_first_run(struct thread *prev)
{
    first_run_prev = prev;
}

/* user payload protocol: see arch_payload.asm */
static unsigned calls, calls32, faults, last_vector, works;
static uint64_t last_fault_addr;
static bool deny_faults;
static uint64_t
    null_cycles; /* of 1000 null calls; under -icount shift=0 a cycle is an instruction */

static void payload_done(void)
{
    arch_switch(current_thread(), as_thread(&boot_thread));
    panic("the payload came back");
}

static void frame_put(uintptr_t at, uint64_t value)
{
    CHECK(arch_copy_to_user(at, &value, sizeof(value)) == 0);
}

static void test_bad_fpu_frames(uintptr_t frame)
{
    const struct uptr at = {frame};
    const bool has_xsave = arch_fpu_frame_size() > 512;

    CHECK(arch_fpu_to_user(at) == 0);
    frame_put(frame + 520, 1); /* a compacted format */
    CHECK(arch_fpu_from_user(at) == (has_xsave ? -22 : 0));
    CHECK(arch_fpu_to_user(at) == 0);
    frame_put(frame + 512, 1ull << 9); /* a feature that is not enabled */
    CHECK(arch_fpu_from_user(at) == (has_xsave ? -22 : 0));
    CHECK(arch_fpu_to_user(at) == 0);
    frame_put(frame + arch_fpu_frame_size() - 4,
              0); /* no second magic number: the first 512 bytes count */
    frame_put(frame + 520, 1);
    CHECK(arch_fpu_from_user(at) == 0);
    deny_faults = true;
    CHECK(arch_fpu_from_user((struct uptr){0x1ffff000}) == -14);
    CHECK(arch_fpu_to_user((struct uptr){0x1ffff000}) == -14);
    deny_faults = false;
}

static void run_call(struct regs *regs)
{
    switch (regs->orig_rax) {
    case 1: /* echo */
        regs->rax = regs->rdi + regs->rsi + regs->rdx + regs->r10 + regs->r8 + regs->r9;
        break;
    case 2: /* change what SYSRET cannot restore */
        regs->rcx = 0x1234;
        regs->r11 = 0x5678;
        regs->rax = 0;
        regs->orig_rax = -1;
        break;
    case 3: /* hostile return address: IRET faults, the next fault upcall repairs */
        regs->rip = 0x8000000000000000;
        regs->orig_rax = -1;
        break;
    case 4:
        this_cpu()->work = WORK_THREAD;
        regs->rax = 0;
        break;
    case 5: /* report: rdi is the line of a failed check in the payload */
        log_line(LOG_ERROR, "FAILED in the payload: check %lu got %#lx", regs->rdi, regs->rsi);
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
        break;
    case 6: { /* a switch away and back keeps everything */
        arch_irq_off();
        arch_switch(current_thread(), as_thread(&other_thread));
        arch_irq_on();
        regs->rax = 0;
        break;
    }
    case 7:
        regs->rax = arch_set_fs_base(regs->rdi);
        break;
    case 12: { /* a thread-local segment at `rdi`, as set_thread_area makes it; 0x63 selects it */
        struct arch_thread *t = (struct arch_thread *)current_thread();
        t->tls[0] =
            0x00cff3000000ffff | (regs->rdi & 0xffffff) << 16 | (regs->rdi >> 24 & 0xff) << 56;
        arch_tls_load();
        regs->rax = 0;
        break;
    }
    case 14: /* to 32-bit code */
        regs->cs = USER32_CS;
        regs->rip = regs->rdi;
        regs->orig_rax = -1;
        break;
    case 13: /* FPU frames that are not ours */
        test_bad_fpu_frames(regs->rdi);
        regs->rax = 0;
        break;
    case 8: /* FPU frame out and back in, spoiled in between */
        CHECK(arch_fpu_to_user((struct uptr){regs->rdi}) == 0);
        arch_fpu_reset();
        CHECK(arch_fpu_from_user((struct uptr){regs->rdi}) == 0);
        regs->rax = arch_fpu_frame_size();
        break;
    case 9:
        arch_irq_off();
        payload_done();
        break;
    case 11: /* interrupt me soon */
        arch_timer_arm(arch_clock_ns() + 2000000);
        regs->rax = 0;
        break;
    case 10:
        if (regs->r12 == 1000)
            null_cycles = arch_cycles();
        if (regs->r12 == 1)
            null_cycles = arch_cycles() - null_cycles;
        regs->rax = 0;
        break;
    default:
        panic("payload call %lu", regs->orig_rax);
    }
}

long up_syscall(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t r10, uint64_t r8, uint64_t r9,
                uint64_t orig_rax)
{
    struct regs *own = arch_user_regs((struct arch_thread *)current_thread());

    calls++;
    CHECK(arch_irqs_are_on());
    CHECK(orig_rax == own->orig_rax);
    CHECK(rdi == own->rdi && rsi == own->rsi && rdx == own->rdx);
    CHECK(r10 == own->r10 && r8 == own->r8 && r9 == own->r9);
    run_call(own);
    return (long)own->rax;
}

long up_syscall_traced(uint64_t rdi, uint64_t rsi, uint64_t rdx, uint64_t r10, uint64_t r8,
                       uint64_t r9, uint64_t orig_rax)
{
    return up_syscall(rdi, rsi, rdx, r10, r8, r9, orig_rax);
}

void up_syscall_32(struct regs *regs)
{
    calls32++;
    CHECK(regs->cs == USER_CS || regs->cs == USER32_CS);
    regs->rax = regs->orig_rax + 1;
    if (regs->orig_rax == 99) { /* back to 64-bit code */
        CHECK(regs->cs == USER32_CS);
        regs->cs = USER_CS;
        regs->rip = regs->rbx;
    }
}

void up_wild_access(struct regs *regs, uintptr_t addr)
{
}

bool up_page_fault(struct regs *regs, uintptr_t addr, unsigned flags)
{
    struct paddr page;

    faults++;
    last_fault_addr = addr;
    if (regs_from_user(regs)) {
        CHECK(arch_irqs_are_on());
        CHECK(flags & FAULT_USER);
    }
    if (deny_faults || addr < 0x10000000 || addr >= 0x20000000) {
        if (regs_from_user(regs))
            panic("payload fault at %#lx, rip %#lx", addr, regs->rip);
        return false;
    }
    page = up_table_page_alloc();
    CHECK(arch_map(&vm, addr & PAGE_MASK, page, MAP_R | MAP_W | MAP_USER) == 0);
    return true;
}

void up_fault(struct regs *regs, unsigned vector, uint64_t error)
{
    last_vector = vector;
    if (vector == VECTOR_PROTECTION && regs->rip == 0x8000000000000000) {
        regs->rip = regs->rbx; /* where the payload wants to go on */
        return;
    }
    if (vector == VECTOR_BREAKPOINT)
        return;
    if (vector == 6) { /* ud2 */
        regs->rip += 2;
        return;
    }
    panic("payload exception %u error %#lx rip %#lx", vector, error, regs->rip);
}

void up_return_to_user(struct regs *regs)
{
    works++;
    CHECK(arch_irqs_are_on());
    if (this_cpu()->work == WORK_RESCHED) /* tell the payload, which spins on this word */
        CHECK(arch_copy_to_user(0x10008008, &ticks, sizeof(ticks)) == 0);
    this_cpu()->work = 0;
}

static void other_main(void *arg)
{
    struct fake_thread *t = arg;

    CHECK(arg == &other_thread);
    CHECK(first_run_prev == as_thread(&boot_thread));
    CHECK(!arch_irqs_are_on());
    for (;;) {
        t->runs++;
        arch_switch(as_thread(t), t->runs == 1 ? as_thread(&boot_thread) : as_thread(&user_thread));
    }
}

static void test_switch(void)
{
    boot_thread.arch.stack_top = (uint64_t)up_alloc(PAGE_SIZE) + PAGE_SIZE;
    void *stack = up_alloc(4 * PAGE_SIZE);

    CHECK(arch_thread_init(&other_thread.arch, (char *)stack + 4 * PAGE_SIZE, other_main,
                           &other_thread, false) == 0);
    this_cpu()->current = as_thread(&boot_thread);
    struct thread *left = arch_switch(as_thread(&boot_thread), as_thread(&other_thread));
    CHECK(left == as_thread(&other_thread));
    CHECK(other_thread.runs == 1);
    CHECK(current_thread() == as_thread(&boot_thread));
}

static unsigned visited;
static enum visit visit_count(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    visited++;
    return arg ? VISIT_CLEAR : VISIT_KEEP;
}

static enum visit visit_three(void *arg, uintptr_t va, size_t size, struct paddr pa, unsigned flags)
{
    return visited++ < 3 ? VISIT_CLEAR : VISIT_STOP;
}

static void test_paging(void)
{
    struct paddr pa;
    size_t size;
    unsigned flags;
    const uintptr_t big = 0x40000000;

    CHECK(arch_vm_init(&vm) == 0);
    arch_vm_activate(&vm);
    CHECK(arch_map(&vm, big, (struct paddr){0x200000}, MAP_R | MAP_W | MAP_USER | MAP_BIG) == 0);
    CHECK(arch_lookup(&vm, big + 0x5000, &pa, &size, &flags));
    CHECK(pa.pa == 0x200000 && size == BIG_PAGE_SIZE &&
          (flags & (MAP_R | MAP_W | MAP_X | MAP_USER)) == (MAP_R | MAP_W | MAP_USER));
    CHECK(arch_protect(&vm, big + PAGE_SIZE, big + 2 * PAGE_SIZE, MAP_USER) == 0);
    CHECK(arch_lookup(&vm, big + PAGE_SIZE, &pa, &size, &flags));
    CHECK(pa.pa == 0x201000 && size == PAGE_SIZE && (flags & (MAP_R | MAP_W | MAP_X)) == 0);
    CHECK(arch_lookup(&vm, big, &pa, &size, &flags) && flags & MAP_W);
    CHECK(arch_protect(&vm, big, big + BIG_PAGE_SIZE, MAP_R | MAP_USER) == 0);
    CHECK(arch_lookup(&vm, big + PAGE_SIZE, &pa, &size, &flags) &&
          (flags & (MAP_R | MAP_W)) == MAP_R);
    CHECK(arch_visit(&vm, big, big + BIG_PAGE_SIZE, visit_count, NULL) == 0 && visited == 512);
    visited = 0;
    CHECK(arch_visit(&vm, big, big + BIG_PAGE_SIZE, visit_three, NULL) == 1 && visited == 4);
    CHECK(!arch_lookup(&vm, big + 2 * PAGE_SIZE, &pa, &size, &flags) &&
          arch_lookup(&vm, big + 3 * PAGE_SIZE, &pa, &size, &flags));
    visited = 0;
    CHECK(arch_visit(&vm, 0, USER_TOP, visit_count, &vm) == 0 && visited == 509);
    CHECK(!arch_lookup(&vm, big, &pa, &size, &flags));
    pages_freed = 0;
    arch_prune(&vm, 0x40000000, 0x80000000);
    arch_flush(&vm, 0x40000000, 0x80000000);
    CHECK(pages_freed == 2); /* the page table and its directory */
    CHECK(vm.retired == 0);
}

static void test_usercopy(void)
{
    static char buf[8192];
    const uintptr_t page = 0x10000000, edge = page + PAGE_SIZE;
    uint32_t word;

    deny_faults = true;
    CHECK(arch_copy_to_user(page, buf, 10) == 10);
    deny_faults = false;
    CHECK(arch_map(&vm, page, up_table_page_alloc(), MAP_R | MAP_W | MAP_USER) == 0);
    deny_faults = true;
    for (size_t n = 0; n < 300; n++) {
        for (size_t over = 0; over <= n && over < 40; over++) {
            memset(buf, 1, sizeof(buf));
            CHECK(arch_zero_user(edge - 400, 400) == 0);
            CHECK(arch_copy_to_user(edge - n + over, buf, n) == over);
            memset(buf + 4096, 7, 310);
            CHECK(arch_copy_from_user(buf + 4096, edge - n + over, n) == over);
            CHECK(n == over || (buf[4096] == 1 && buf[4096 + n - over - 1] == 1));
            CHECK(buf[4096 + n - over] == 7);
            CHECK(arch_zero_user(edge - n + over, n) == over);
        }
        if (failures > 10)
            return;
    }
    CHECK(arch_copy_to_user(edge - 13, "hello, world", 13) == 0);
    CHECK(arch_copy_string_from_user(buf, edge - 13, 100) == 12 &&
          strcmp(buf, "hello, world") == 0);
    CHECK(arch_copy_string_from_user(buf, edge - 13, 5) == 5);
    CHECK(arch_copy_to_user(edge - 5, "xxxxx", 5) == 0);
    CHECK(arch_copy_string_from_user(buf, edge - 13, 100) == -14);
    CHECK(arch_copy_from_user(buf, 0x8000000000000000, 8) == 8); /* not canonical: #GP */
    word = 5;
    CHECK(arch_copy_to_user(page, &word, 4) == 0);
    CHECK(arch_user_load32(page, &word) == 0 && word == 5);
    CHECK(arch_user_cmpxchg32(page, 5, 6, &word) == 0 && word == 5);
    CHECK(arch_user_cmpxchg32(page, 5, 7, &word) == 0 && word == 6);
    CHECK(arch_user_load32(edge, &word) == -14);
    CHECK(arch_user_cmpxchg32(edge, 5, 7, &word) == -14);
    deny_faults = false;
    CHECK(arch_visit(&vm, page, edge, visit_count, &vm) == 0);
    arch_flush(&vm, page, edge);
}

static void test_kernel_maps(void)
{
    const uintptr_t va = KMAP_BASE + 0x10000000;
    struct paddr page = up_table_page_alloc();
    uint64_t high = 0;

    CHECK(arch_kmap(va, page, MAP_R | MAP_W) == 0);
    *(volatile uint64_t *)va = 42;
    CHECK(*(uint64_t *)direct_ptr(page) == 42);
    arch_kunmap(va, PAGE_SIZE);
    arch_kflush(va, va + PAGE_SIZE);
    uint64_t word;
    CHECK(arch_copy_from_user(&word, va, 8) == 8); /* a kernel address that is not there */

    for (unsigned i = 0; i < boot->nr_ranges; i++)
        if (boot->ranges[i].kind == BOOT_RAM)
            high = boot->ranges[i].start.pa + boot->ranges[i].size;
    arch_direct_map((struct paddr){high - PAGE_SIZE}, PAGE_SIZE);
    volatile uint64_t *last = direct_ptr((struct paddr){high - 8});
    *last = 7;
    CHECK(*last == 7);
    /* Another root entry than any that `vm` was made with. */
    const struct paddr far = {1ull << 39};
    arch_direct_map(far, PAGE_SIZE);
    (void)*(volatile uint64_t *)direct_ptr(far);
}

static void test_cpus(void)
{
    arch_start_cpus(ARCH_MAX_CPUS);
    log_line(LOG_INFO, "%u CPUs", arch_cpu_count());
    arch_irq_on();
    __atomic_store_n(&is_time_to_flush, true, __ATOMIC_RELEASE);
    flush_rounds();
    while (__atomic_load_n(&cpus_done, __ATOMIC_ACQUIRE) < arch_cpu_count())
        arch_relax();
    CHECK((vm.cpus & ~(~0ull >> (64 - arch_cpu_count()))) == 0);
    /* The others go idle, each in its own time, and then leave when they are asked to flush. */
    while (__atomic_load_n(&vm.cpus, __ATOMIC_SEQ_CST) != 1ull << this_cpu()->index)
        arch_flush(&vm, 0x10000000, 0x10000000 + PAGE_SIZE);
    arch_vm_destroy(&vm);
    CHECK(vm.cpus == 0);
    arch_irq_off();
    arch_halt_others();
    CHECK(__atomic_load_n(&cpus_halted, __ATOMIC_ACQUIRE) == arch_cpu_count() - 1);
}

static void user_main(void *arg)
{
    struct regs *regs = arch_user_regs((struct arch_thread *)current_thread());

    *regs = (struct regs){.rip = PAYLOAD_BASE,
                          .cs = USER_CS,
                          .ss = USER_DS,
                          .rflags = RFLAGS_IF,
                          .rsp = 0x10010000,
                          .orig_rax = -1};
    arch_enter_user();
}

static void test_user(void)
{
    void *stack = up_alloc(4 * PAGE_SIZE);

    for (size_t at = 0; at < (size_t)(arch_payload_end - arch_payload); at += PAGE_SIZE) {
        struct paddr page = up_table_page_alloc();
        memcpy(direct_ptr(page), arch_payload + at, PAGE_SIZE);
        CHECK(arch_map(&vm, PAYLOAD_BASE + at, page, MAP_R | MAP_X | MAP_USER) == 0);
    }
    CHECK(arch_thread_init(&user_thread.arch, (char *)stack + 4 * PAGE_SIZE, user_main, NULL,
                           true) == 0);
    arch_switch(as_thread(&boot_thread), as_thread(&user_thread));
    log_line(LOG_INFO, "%lu cycles for 1000 null calls", null_cycles);
    log_line(LOG_INFO, "calls %u, 32-bit calls %u, faults %u, works %u", calls, calls32, faults,
             works);
    CHECK(calls32 == 3 && works == 2 && ticks == 1);
    CHECK(other_thread.runs == 3);
}

static void pool_init(void)
{
    pool_next = pool_end = 0; /* some may have asked before there was anything */
    for (unsigned i = 0; i < boot->nr_ranges; i++) {
        const struct boot_range *r = &boot->ranges[i];
        if (r->kind == BOOT_RAM && r->start.pa >= 0x100000 && r->size > pool_end - pool_next &&
            r->start.pa < 1ull << 32) {
            pool_next = r->start.pa;
            pool_end = MIN(r->start.pa + r->size, r->start.pa + POOL_PAGES * PAGE_SIZE);
        }
    }
}

void up_main(const struct bootinfo *info)
{
    boot = info;
    log_line(LOG_INFO, "%lu cycles from reset", arch_cycles());
    log_line(LOG_INFO,
             "arch: booted by %s, command line \"%s\", %u modules, rsdp %#lx, fb %#lx %ux%u",
             info->loader, info->cmdline, info->nr_modules, info->rsdp.pa, info->framebuffer.pa.pa,
             info->framebuffer.width, info->framebuffer.height);
    for (unsigned i = 0; i < info->nr_ranges; i++)
        log_line(LOG_INFO, "  %#14lx + %#12lx kind %d", info->ranges[i].start.pa,
                 info->ranges[i].size, info->ranges[i].kind);
    for (unsigned i = 0; i < info->nr_modules; i++)
        log_line(LOG_INFO, "  module %#lx + %#lx \"%s\"", info->modules[i].start.pa,
                 info->modules[i].size, info->modules[i].cmdline);
    pool_init();
    static char text[4096];
    arch_cpuinfo(0, text, sizeof(text));
    arch_serial_write(text, strlen(text));
    test_switch();
    test_paging();
    test_kernel_maps();
    for (unsigned i = 0; i < 2; i++) { /* both ways to copy, whatever this machine prefers */
        cpu_slow_strings = !cpu_slow_strings;
        test_usercopy();
    }
    test_user();
    test_cpus();
    CHECK(!arch_irqs_are_on());
    log_line(LOG_INFO, "arch: %u failed", failures);
    arch_poweroff(failures != 0);
}
