/* Process 1: its arguments, its standard descriptors, and what happens when it ends. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <image/boot.h>
#include <image/root.h>
#include <image/terminal.h>
#include <net/net.h>
#include <proc/process.h>
#include <proc/system.h>
#include <vfs/mount.h>

/* Exit statuses as a shell and Docker give them. */
static void program_ended(int wait_status)
{
    unsigned sig = (unsigned)wait_status & 0x7f;
    unsigned status = sig ? 128 + sig : (unsigned)(wait_status >> 8) & 0xff;

    mount_sync_all(); /* what it stored through mappings of shared folders */
    terminal_drain();
    net_drain();
    trace_port_end();
    if (!leak_check_end(status))
        control_end(status, NULL);
}

/* reboot(2): what the program has written goes out first. */
static void machine_ends(bool is_restart)
{
    mount_sync_all();
    terminal_drain();
    if (is_restart)
        control_restart();
    control_end(0, NULL);
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

static const char *init_path;

static noreturn void refused(int error)
{
    control_end(error == -ENOENT ? 127 : 126, "%s cannot be run: %s", init_path, reason_of(error));
}

static void open_stdio(const struct cmdline *line, const struct path *cwd, struct file *stdio[3])
{
    struct fs_context *fs = fs_context_new(root_path(), cwd);

    if (!fs)
        panic("no memory for process 1");
    struct walk w = {.fs = fs, .cred = root_cred()};
    for (int i = 0; i < 3; i++) {
        bool is_same = line->stdio[i] == STDIO_OUT && i == 2 && stdio[1];
        stdio[i] = is_same ? stdio[1] : terminal_open(i, line->stdio[i], &w);
        if (is_same)
            file_get(stdio[i]);
    }
    fs_context_put(fs);
}

void boot_program(const struct cmdline *line)
{
    static const char *argv[CMDLINE_MAX_WORDS];
    struct init_args args = {.path = line->init,
                             .argv = argv,
                             .envp = line->env,
                             .root = *root_path(),
                             .refused = refused};
    char dir[256];

    init_path = line->init;
    argv[0] = line->argv0 ? line->argv0 : line->init;
    for (unsigned i = 0; i < line->nr_args; i++)
        argv[i + 1] = line->args[i];
    if (strcmp(line->cwd, "/") == 0) {
        args.cwd = args.root;
        path_get(&args.cwd);
    } else {
        snprintf(dir, sizeof(dir), "%s/.", line->cwd);
        if (root_make_dirs(dir, &args.cwd) < 0)
            control_end(125, "the working directory %s cannot be made", line->cwd);
    }

    system_set_hostname(line->hostname);
    terminal_init(line);
    open_stdio(line, &args.cwd, args.stdio);
    if (line->leak_check)
        leak_check_begin();
    process_on_init_exit(program_ended);
    system_on_end(machine_ends);
    int ret = process_start_init(&args);
    if (ret < 0)
        refused(ret);
    control_program_begins();
    path_put(&args.cwd);
}
