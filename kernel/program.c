/* Process 1: its standard descriptors, its arguments, and what happens when it ends. */
#include <archdev/uart.h>
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/console.h>
#include <image/boot.h>
#include <image/root.h>
#include <linux/fcntl.h>
#include <proc/process.h>
#include <vfs/stream.h>
#include <vfs/tty.h>

#define DRAIN_NS 2000000000UL /* how long power-off waits for output that the host does not take */

static struct tty *tty;
static struct stream *stream;

static void drain_output(void)
{
    if (tty)
        tty_drain(tty, arch_clock_ns() + DRAIN_NS);
    if (stream)
        stream_drain(stream, arch_clock_ns() + DRAIN_NS);
}

/* Exit statuses as a shell and Docker give them. */
static void program_ended(int wait_status)
{
    drain_output();
    if ((wait_status & 0x7f) != 0)
        control_end(128 + (unsigned)(wait_status & 0x7f), NULL);
    control_end((unsigned)(wait_status >> 8) & 0xff, NULL);
}

/* A descriptor of the given kind; a reference for the caller. */
static struct file *open_stdio(enum stdio_kind kind, const struct walk *w, int flags)
{
    struct file *f = NULL;

    if (kind == STDIO_PIPE && stream)
        return stream_open(stream, flags);
    if (path_open(w, kind == STDIO_NULL || !tty ? "/dev/null" : "/dev/console", O_RDWR, 0, &f) < 0)
        return NULL;
    return f;
}

static void attach_console(const struct cmdline *line)
{
    struct tty_driver *driver = uart_driver();
    bool wants_stream = line->stdio[0] == STDIO_PIPE || line->stdio[1] == STDIO_PIPE;

    if (!driver)
        return;
    if (wants_stream) {
        stream = stream_new(driver);
    } else {
        tty = tty_new(driver);
        if (tty)
            tty_set_console(tty);
    }
    if (tty || stream)
        uart_attach(tty, stream);
}

static const char *reason_of(int error)
{
    switch (error) {
    case -ENOENT:
        return "there is no such file in the root file system";
    case -EACCES:
        return "it is not an executable file";
    case -ENOMEM:
        return "there is not enough memory (more with -m)";
    default:
        return "it is not a static Linux program for x86-64";
    }
}

void boot_program(const struct cmdline *line)
{
    static const char *argv[CMDLINE_MAX_WORDS];
    struct path cwd;
    struct init_args args = {.path = line->init, .argv = argv, .envp = line->env, .root = *boot_root()};

    attach_console(line);
    argv[0] = line->argv0 ? line->argv0 : line->init;
    for (unsigned i = 0; i < line->nr_args; i++)
        argv[i + 1] = line->args[i];

    char dir[256];
    snprintf(dir, sizeof(dir), "%s/.", line->cwd);
    if (boot_make_dirs(dir, &cwd) < 0)
        control_end(125, "the working directory %s cannot be made", line->cwd);
    args.cwd = cwd;

    struct fs_context *fs = fs_context_new(boot_root(), &cwd);
    if (!fs)
        panic("no memory for process 1");
    struct walk w = {.fs = fs, .cred = boot_root_cred()};
    for (int i = 0; i < 3; i++)
        args.stdio[i] = open_stdio(line->stdio[i], &w, i == 0 ? O_RDONLY : O_WRONLY);
    fs_context_put(fs);

    process_on_init_exit(program_ended);
    int ret = process_start_init(&args);
    if (ret < 0)
        control_end(ret == -ENOENT ? 127 : 126, "%s cannot be run: %s", line->init, reason_of(ret));
    path_put(&cwd);
}
