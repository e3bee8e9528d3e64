/* decode_native OUT PROGRAM ARGS...: traces the first thread of a program on the host through ptrace, and prints it to OUT
 * with the kernel's own decoder: what strace prints of the same program is what it has to print. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <syscalls/trace.h>
#include <unistd.h>

#define CS_32 0x23 /* the code segment of 32-bit programs */

static pid_t child;
static FILE *to;
static char line[1 << 20];
static uint8_t scratch[1 << 20];
static struct trace_options options = {.strings = TRACE_STRINGS};

static size_t read_child(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    struct iovec local = {dst, n}, remote = {(void *)addr, n};
    (void)t;
    ssize_t got = process_vm_readv(child, &local, 1, &remote, 1, 0);

    if (got >= 0)
        return (size_t)got;
    /* A range that ends in nothing: byte by byte. */
    for (size_t i = 0; i < n; i++) {
        struct iovec l = {(char *)dst + i, 1}, r = {(char *)addr + i, 1};
        if (process_vm_readv(child, &l, 1, &r, 1, 0) != 1)
            return i;
    }
    return n;
}

static void begin(struct trace *t, const struct user_regs_struct *regs)
{
    bool is_i386 = regs->cs == CS_32;
    enum abi abi = is_i386 ? ABI_I386 : ABI_X86_64;
    enum row row = syscall_row(abi, regs->orig_rax);
    const uint64_t reg[SYSCALL_MAX_ARGS] = {regs->rbx, regs->rcx, regs->rdx,
                                            regs->rsi, regs->rdi, regs->rbp};

    *t = (struct trace){.sc = &syscalls[row],
                        .options = &options,
                        .read = read_child,
                        .abi = abi,
                        .nr = (uint32_t)regs->orig_rax,
                        .arg = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9},
                        .out = line,
                        .size = sizeof(line),
                        .scratch = scratch};
    if (is_i386)
        syscall_args_32(t->sc, reg, t->arg);
    /* pretcode was popped; ucontext follows: flags, link, stack, registers, mask.  Of i386 the frame's beginning is
     * wanted; its older one has the signal popped, too. */
    if (row == ROW_rt_sigreturn)
        t->saved_mask_at = regs->rsp + (is_i386 ? -4 : 296);
    else if (row == ROW_sigreturn_32)
        t->saved_mask_at = regs->rsp - 8;
    trace_enter(t);
}

static void end(struct trace *t, long ret)
{
    t->ret = t->abi == ABI_I386 ? (int32_t)ret : ret;
    if (t->abi == ABI_I386 && (t->ret >= 0 || t->ret < -4095))
        t->ret = (uint32_t)ret;
    trace_leave_args(t);
    for (size_t column = t->len; column < 39; column++)
        line[t->len++] = ' ';
    t->len += (size_t)sprintf(line + t->len, " = ");
    trace_result(t);
    fprintf(to, "%s\n", line);
}

static void show_signal(void)
{
    siginfo_t info;
    struct trace t = {.options = &options, .read = read_child, .out = line, .size = sizeof(line)};

    ptrace(PTRACE_GETSIGINFO, child, 0, &info);
    pid_t traced = child;
    child = getpid();
    trace_siginfo(&t, (uint64_t)&info);
    child = traced;
    fprintf(to, "--- %s %s ---\n", trace_signal_name(info.si_signo), line);
}

int main(int argc, char **argv)
{
    struct user_regs_struct regs;
    struct trace t;
    bool is_inside = false;
    int status, sig = 0;

    to = argc > 2 ? fopen(argv[1], "we") : NULL;
    if (!to)
        return 1;
    child = fork();
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(argv[2], argv + 2);
        _exit(127);
    }
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    for (;;) {
        ptrace(PTRACE_SYSCALL, child, 0, sig);
        sig = 0;
        if (waitpid(child, &status, 0) < 0 || WIFEXITED(status) || WIFSIGNALED(status))
            break;
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
            continue;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            sig = WSTOPSIG(status);
            show_signal();
            continue;
        }
        ptrace(PTRACE_GETREGS, child, 0, &regs);
        if (is_inside)
            end(&t, (long)regs.rax);
        else
            begin(&t, &regs);
        is_inside = !is_inside;
    }
    if (is_inside)
        fprintf(to, "%s)%*s= ?\n", line, 38 > (int)t.len ? 39 - (int)t.len : 1, "");
    if (WIFEXITED(status))
        fprintf(to, "+++ exited with %d +++\n", WEXITSTATUS(status));
    else
        fprintf(to, "+++ killed by %s%s +++\n", trace_signal_name(WTERMSIG(status)),
                WCOREDUMP(status) ? " (core dumped)" : "");
    return 0;
}
