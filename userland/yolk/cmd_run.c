/* yolk run: boots a program and behaves as if it had been run here. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syscalls/trace.h>
#include <unistd.h>

#include "customdef.h"
#include "options.h"
#include "run.h"
#include "terminal.h"
#include "tracelog.h"

static const char doc[] =
    "Boot PROGRAM, a static Linux executable or the name of an example, as the payload of the "
    "kernel."
    "\vIts standard input, output and error are yours, and its exit status is the exit status.  On "
    "a terminal "
    "Ctrl-C is SIGINT in the guest, Ctrl-A X stops the machine, Ctrl-A ? says more; elsewhere "
    "SIGINT, SIGTERM, "
    "SIGQUIT and SIGHUP are passed to the program, and a second SIGINT or SIGTERM stops the "
    "machine.\n\n"
    "Exit status: the program's own; 128+N when signal N killed it; 124 on --timeout; 125 when "
    "Yolk itself "
    "failed; 126 when PROGRAM is not a static x86 executable; 127 when there is no PROGRAM.\n\n"
    "SIZE is a number with K, M or G after it (M when nothing is).";

enum {
    OPT_ROOT = 256,
    OPT_KERNEL,
    OPT_ACCEL,
    OPT_MACHINE,
    OPT_TIMEOUT,
    OPT_VERBOSE,
    OPT_JSON,
    OPT_YES,
    OPT_LEAK_CHECK,
    OPT_DISK,
    OPT_NET,
    OPT_IP,
    OPT_PCAP,
    OPT_DISPLAY,
    OPT_TRACE,
    OPT_GDB,
    LONG_ONLY = 1024, /* and the short name: see run_long_argp */
};

static const struct argp_option option_table[] = {
    {"memory", 'm', "SIZE", 0, "memory of the machine (default 256M)", 1},
    {"cpus", 'c', "N", 0, "CPUs of the machine (default 1)", 1},
    {"env", 'e', "NAME[=VALUE]", 0, "set a variable, or pass the one you have; repeatable", 2},
    {"workdir", 'w', "DIR", 0, "the program's working directory (made when missing; default /)", 2},
    {"root", OPT_ROOT, "DIR|TAR|CPIO", 0,
     "root file system: a directory, or an archive such as `docker export` writes (compressed or "
     "not); PROGRAM is "
     "looked for in it first, else put into it",
     2},
    {"volume", 'v', "HOSTDIR:GUESTDIR[:ro]", 0,
     "share a directory of this machine with the program, read-only or not; repeatable", 2},
    {"publish", 'p', "[HOSTADDR:]HOST:GUEST[/udp]", 0,
     "pass connections to port HOST of this machine (127.0.0.1 unless told otherwise) on to port "
     "GUEST of the program; repeatable",
     2},
    {"net", OPT_NET, "user|none|tap=IF|stream=PATH[,model=CARD]", 0,
     "network: through this machine's own sockets (default), none, a tap interface (with a queue "
     "for each CPU if it was made with multi_queue), or what "
     "listens at the socket PATH for frames as QEMU's -netdev stream sends them; CARD is virtio "
     "(default), e1000 or e1000e",
     2},
    {"ip", OPT_IP, "ADDR/LEN[,GATEWAY]|off", 0,
     "a fixed address instead of DHCP, or no IPv4 address", 2},
    {"pcap", OPT_PCAP, "FILE", 0,
     "write what goes over the guest's wire to FILE, for tcpdump and Wireshark", 2},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "stop the machine after so long; the exit status is 124",
     3},
    {"verbose", OPT_VERBOSE, 0, 0, "show QEMU's command line and the kernel's log on stderr", 3},
    {"json", OPT_JSON, 0, 0, "end with one JSON object about the run on stderr", 3},
    {"trace", OPT_TRACE, "SET", OPTION_ARG_OPTIONAL,
     "print system calls on stderr as strace does, of all threads (`yolk trace` has more options)",
     3},
    {"gdb", OPT_GDB, 0, 0, "stop before the first instruction, and say how gdb attaches", 3},
    {"kernel", OPT_KERNEL, "FILE", 0, "another kernel image", 4},
    {"machine", OPT_MACHINE, "microvm|q35|pc|auto", 0,
     "QEMU's machine (auto: microvm, the quickest)", 4},
    {"accel", OPT_ACCEL, "tcg|kvm|auto", 0, "emulate, or use KVM (auto: KVM where it is real)", 4},
    {"yes", OPT_YES, 0, OPTION_HIDDEN, 0, 0},
    {"leak-check", OPT_LEAK_CHECK, 0, OPTION_HIDDEN, 0, 0}, /* docs/DEBUGGING.md */
    {"disk", OPT_DISK, "IMAGE[:MOUNTPOINT]", 0, "attach a disk", 9},
    {"display", OPT_DISPLAY, 0, 0, "a window", 9},
    {0, 0, 0, 0, "Not in this version:", 9},
    {0},
};

static void add_env(struct strings *env, const char *text)
{
    size_t name_len = strcspn(text, "=");

    if (!name_len)
        die(STATUS_FAILED, "--env %s: a variable needs a name", text);
    if (text[name_len]) {
        strings_add(env, xstrdup(text));
    } else {
        const char *value = getenv(text);
        if (value)
            strings_addf(env, "%s=%s", text, value);
    }
}

static const char *one_of(const char *option, const char *value, const char *choices)
{
    size_t len = strlen(value);

    for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
        if (strcspn(p, "|") == len && !strncmp(p, value, len))
            return value;
    die(STATUS_FAILED, "--%s %s: it is one of %s", option, value, choices);
}

static const char *absent_option(int key)
{
    for (const struct argp_option *o = option_table; o->name || o->doc; o++)
        if (o->key == key)
            return o->name;
    return "?";
}

static struct trace_config simple_trace = {.strings = TRACE_STRINGS, .column = 40, .follows = true};

static struct debugger waiting_debugger = {.only_waits = true};

/* What the machine has and what the program finds in it.  False: no such option. */
static bool set_guest_option(struct run_options *o, int key, char *arg)
{
    switch (key) {
    case 'm':
        o->memory = option_size("memory", arg);
        break;
    case 'c':
        o->cpus = (unsigned)option_number("cpus", arg, 1, 255);
        break;
    case 'e':
        add_env(&o->env, arg);
        break;
    case 'w':
        o->workdir = arg;
        break;
    case OPT_ROOT:
        o->root = arg;
        break;
    case 'v':
        volume_add(o, arg);
        break;
    case 'p':
        net_add_publish(&o->publish, arg);
        break;
    case OPT_NET:
        net_set(o, arg);
        break;
    case OPT_PCAP:
        o->pcap = arg;
        break;
    case OPT_IP:
        net_set_ip(o, arg);
        break;
    case OPT_KERNEL:
        free(o->kernel);
        o->kernel = xstrdup(arg);
        break;
    case OPT_ACCEL:
        o->accel = one_of("accel", arg, "tcg|kvm|auto");
        break;
    case OPT_MACHINE:
        o->machine = one_of("machine", arg, "microvm|q35|pc|auto");
        break;
    default:
        return false;
    }
    return true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run_options *o = state->input;
    int name = key >= LONG_ONLY && key < LONG_ONLY + 256 ? key - LONG_ONLY : key;

    switch (name) {
    case OPT_TIMEOUT:
        o->timeout = option_seconds("timeout", arg);
        break;
    case OPT_VERBOSE:
        o->verbose = true;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_TRACE:
        o->trace = &simple_trace;
        if (arg)
            trace_option(&simple_trace, 'e', arg);
        break;
    case OPT_GDB:
        o->debugger = &waiting_debugger;
        break;
    case OPT_YES:
        break;
    case OPT_LEAK_CHECK:
        o->leak_check = true;
        break;
    case OPT_DISK:
    case OPT_DISPLAY:
        die(STATUS_FAILED, "--%s: not in this version", absent_option(key));
    case ARGP_KEY_ARG:
        o->program = arg;
        o->args = state->argv + state->next;
        state->next = state->argc;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program?");
        break;
    default:
        return set_guest_option(o, name, arg) ? 0 : ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Descriptors 0 to 2 must be open: else the first socket would become the program's stdin. */
static void fill_standard_descriptors(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd >= 0)
        close(fd);
}

/* A terminal stays a terminal, and /dev/null needs no channel.  When stderr is stdout's own file,
 * the program gets one file as well, so that what it writes to both keeps its order. */
static void plan_stdio(struct stdio_plan *plan)
{
    struct stat st[3];

    memset(plan, 0, sizeof *plan);
    for (int fd = 0; fd < 3; fd++) {
        plan->kind[fd] = STDIO_PIPE;
        if (fstat(fd, &st[fd]))
            st[fd] = (struct stat){.st_mode = S_IFCHR, .st_rdev = makedev(1, 3)};
        if (S_ISCHR(st[fd].st_mode) && st[fd].st_rdev == makedev(1, 3))
            plan->kind[fd] = STDIO_NULL;
        else if (isatty(fd))
            plan->kind[fd] = STDIO_TTY;
        plan->has_tty |= plan->kind[fd] == STDIO_TTY;
    }
    if (plan->kind[1] == STDIO_PIPE && plan->kind[2] == STDIO_PIPE &&
        st[1].st_dev == st[2].st_dev && st[1].st_ino == st[2].st_ino)
        plan->kind[2] = STDIO_SAME_AS_OUT;
}

static bool env_has(const struct strings *env, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < env->nr; i++)
        if (!strncmp(env->items[i], name, len) && env->items[i][len] == '=')
            return true;
    return false;
}

/* What a program may expect to find, as in a container. */
static void add_default_env(struct strings *env, const struct stdio_plan *plan)
{
    const char *term = getenv("TERM");

    if (!env_has(env, "PATH"))
        strings_addf(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if (!env_has(env, "HOME"))
        strings_addf(env, "HOME=/");
    if (plan->has_tty && !env_has(env, "TERM"))
        strings_addf(env, "TERM=%s", term && *term ? term : "linux");
}

static void print_json(const struct run_options *o, const struct machine *machine,
                       const struct outcome *outcome)
{
    json_t *object = json_pack("{s:s, s:i, s:s, s:f, s:s, s:s, s:i, s:I}", "program", o->program,
                               "status", outcome->status, "reason", outcome->reason, "seconds",
                               outcome->seconds, "machine", machine->kind, "accel", machine->accel,
                               "cpus", (int)o->cpus, "memory", (json_int_t)o->memory);

    /* The program's name may be no UTF-8, which JSON cannot hold. */
    if (!object)
        object = json_pack("{s:i, s:s}", "status", outcome->status, "reason", outcome->reason);
    json_dumpf(object, stderr, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    fputc('\n', stderr);
    json_decref(object);
}

void run_options_init(struct run_options *options)
{
    *options = (struct run_options){.memory = 256 << 20,
                                    .cpus = 1,
                                    .accel = "auto",
                                    .machine = "auto",
                                    .net = "user",
                                    .card = "virtio",
                                    .kernel = kernel_image_path()};
}

/* The options as another command's own: short names become numbers that no option has, from `shift` on. */
static const struct argp *child_argp(int shift)
{
    enum { NR = sizeof option_table / sizeof *option_table };
    static struct argp_option table[NR];
    static const struct argp argp = {table, parse, 0, 0, 0, 0, 0};
    size_t nr = 0;

    for (size_t i = 0; i < NR; i++) {
        if (option_table[i].group == 9 || (shift && option_table[i].key == OPT_TRACE) ||
            option_table[i].key == OPT_JSON || option_table[i].key == OPT_GDB)
            continue;
        table[nr] = option_table[i];
        table[nr].key += table[nr].key && table[nr].key < 256 ? shift : 0;
        table[nr++].group = 0;
    }
    return &argp;
}

const struct argp *run_long_argp(void)
{
    return child_argp(LONG_ONLY);
}

const struct argp *run_argp(void)
{
    return child_argp(0);
}

static void prepare_trace(const struct run_options *options)
{
    if (machine_is_serial_only())
        die(STATUS_FAILED, "a trace needs a virtio console, which a serial console is not");
    custom_rows_load(options->kernel);
    trace_check_calls(options->trace);
}

int run_program(struct run_options *options)
{
    struct payload payload = {.module_fd = -1};
    struct stdio_plan plan;
    struct machine machine;
    struct outcome outcome = {.status = STATUS_FAILED, .reason = "failed"};

    fill_standard_descriptors();
    if (options->publish.nr && strcmp(options->net, "user") != 0)
        die(STATUS_FAILED, "--publish goes with --net user");
    if (options->publish.nr && options->ip && !strcmp(options->ip, "off"))
        die(STATUS_FAILED, "--publish passes on to an IPv4 address, and --ip off gives none");
    if (options->ip && !strcmp(options->net, "none"))
        die(STATUS_FAILED, "--ip %s: there is no network (--net none)", options->ip);
    volumes_check(options);
    net_check_published(options);
    int status = payload_prepare(options, &payload);
    if (status)
        return status;
    if (access(options->kernel, R_OK))
        die(STATUS_FAILED, "no kernel: %s: %s", options->kernel, strerror(errno));
    if (options->trace)
        prepare_trace(options);
    if (options->debugger)
        debugger_prepare(options->debugger);
    plan_stdio(&plan);
    add_default_env(&options->env, &plan);
    machine_choose(&machine, options);
    char *bootline = bootline_make(options, &payload, machine_is_serial_only() ? NULL : &plan,
                                   machine_boot_tokens(&machine));
    status = machine_start(&machine, options, &payload, &plan, bootline);
    if (!status && options->debugger)
        debugger_start(options->debugger, options, &payload);
    if (!status)
        relay_run(&machine, options, &plan, &outcome);
    if (options->debugger)
        debugger_finish(options->debugger);
    if (status)
        return status;
    if (options->json)
        print_json(options, &machine, &outcome);
    return outcome.status;
}

int command_run(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "PROGRAM [ARGS…]", doc, 0, 0, 0};
    struct run_options options;

    run_options_init(&options);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options);
    return run_program(&options);
}
