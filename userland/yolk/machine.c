/* The QEMU process.
 *
 * Every channel is a socket pair of which QEMU inherits one end.  A socket in QEMU closes as a
 * whole, which is why the program's stdin has a port of its own: its end must not take stdout with
 * it.  QEMU runs in a process group of its own, out of reach of the terminal's Ctrl-C, and dies
 * with us. */
#include <elf.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel.h"
#include "run.h"

#define QEMU "qemu-system-x86_64"

/* Under TCG a `rep movsb` runs byte by byte, and libcs choose it when ERMS is there; an enabled PKU
 * makes every saved state larger for nothing. */
#define TCG_CPU "max,-erms,-fsrm,-pku"

/* QEMU would tell a kernel without ACPI of its virtio-mmio devices by appending to the command
 * line, behind the program's arguments; so it is told not to, and the devices are named before
 * them.  They lie next to each other: ports, network, shared folders. */
#define MICROVM      "microvm,acpi=off,pit=off,pic=off,rtc=on,auto-kernel-cmdline=off"
#define MMIO_BASE    0xfeb00000u
#define MMIO_SIZE    0x200u
#define MMIO_IRQ     5u
#define FIRST_VOLUME 2u

#define MAX_QUEUES 8u /* of a tap interface: what the kernel uses (net/dev/virtio_net.c) */

static const char *const port_names[NR_CHANNELS] = {
    [CHANNEL_TTY] = "yolk.tty",         [CHANNEL_STDIN] = "yolk.stdin",
    [CHANNEL_STDOUT] = "yolk.stdout",   [CHANNEL_STDERR] = "yolk.stderr",
    [CHANNEL_CONTROL] = "yolk.control", [CHANNEL_TRACE] = "yolk.trace",
};

bool machine_is_serial_only(void)
{
    const char *mode = getenv("YOLK_CONSOLE");

    return mode && !strcmp(mode, "serial");
}

void machine_choose(struct machine *machine, const struct run_options *options)
{
    bool is_pci_card = strcmp(options->card, "virtio") != 0;

    memset(machine, 0, sizeof *machine);
    machine->kind = options->machine;
    if (!strcmp(machine->kind, "auto"))
        machine->kind = is_pci_card ? "q35" : "microvm";
    else if (is_pci_card && !strcmp(machine->kind, "microvm"))
        die(STATUS_FAILED, "--net model=%s: a microvm has no PCI", options->card);
    machine->has_net = strcmp(options->net, "none") != 0;
    machine->nr_volumes = (unsigned)options->nr_volumes;
    machine->accel = options->accel;
    if (!strcmp(machine->accel, "auto"))
        machine->accel = accel_kvm_is_real() ? "kvm" : "tcg";
    for (int i = 0; i < NR_CHANNELS; i++)
        machine->channel[i] = -1;
}

char *machine_boot_tokens(const struct machine *machine)
{
    char *tokens = xstrdup("");

    if (strcmp(machine->kind, "microvm") != 0)
        return tokens;
    for (unsigned slot = 0; slot < FIRST_VOLUME + machine->nr_volumes; slot++) {
        if (slot == 1 && !machine->has_net)
            continue;
        char *longer = xasprintf("%s%svirtio_mmio.device=%u@0x%x:%u", tokens, *tokens ? " " : "",
                                 MMIO_SIZE, MMIO_BASE + slot * MMIO_SIZE, MMIO_IRQ + slot);
        free(tokens);
        tokens = longer;
    }
    return tokens;
}

static bool needs_channel(enum channel channel, const struct run_options *options,
                          const struct stdio_plan *plan)
{
    if (channel == CHANNEL_SERIAL)
        return true;
    if (machine_is_serial_only())
        return false;
    switch (channel) {
    case CHANNEL_TTY:
        return plan->has_tty;
    case CHANNEL_STDIN:
    case CHANNEL_STDOUT:
    case CHANNEL_STDERR:
        return plan->kind[channel - CHANNEL_STDIN] == STDIO_PIPE;
    case CHANNEL_TRACE:
        return options->trace != NULL;
    default:
        return true;
    }
}

/* Makes the socket pairs; QEMU's ends go to theirs[]. */
static void open_channels(struct machine *machine, const struct run_options *options,
                          const struct stdio_plan *plan, int theirs[NR_CHANNELS])
{
    for (enum channel i = 0; i < NR_CHANNELS; i++) {
        int ends[2];
        theirs[i] = -1;
        if (!needs_channel(i, options, plan))
            continue;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
            die(STATUS_FAILED, "socketpair: %s", strerror(errno));
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        machine->channel[i] = ends[0];
        theirs[i] = ends[1];
    }
}

static void add_devices(struct strings *argv, const struct machine *machine,
                        const int theirs[NR_CHANNELS])
{
    bool is_microvm = !strcmp(machine->kind, "microvm");

    if (!machine_is_serial_only()) {
        strings_addf(argv, "-device");
        strings_addf(argv, is_microvm ? "virtio-serial-device,bus=virtio-mmio-bus.0"
                                      : "virtio-serial-pci");
    }
    for (int i = 0; i < NR_CHANNELS; i++) {
        if (theirs[i] < 0)
            continue;
        strings_addf(argv, "-chardev");
        strings_addf(argv, "socket,id=c%d,fd=%d", i, theirs[i]);
        strings_addf(argv, i == CHANNEL_SERIAL ? "-serial" : "-device");
        if (i == CHANNEL_SERIAL)
            strings_addf(argv, "chardev:c%d", i);
        else
            strings_addf(argv, "virtserialport,chardev=c%d,name=%s", i, port_names[i]);
    }
    strings_addf(argv, "-device");
    strings_addf(argv, "isa-debug-exit,iobase=0xf4,iosize=4");
}

/* The stub of the debugger, behind a socket that listens before QEMU runs. */
static void add_debugger(struct strings *argv, const struct debugger *debugger)
{
    if (!debugger)
        return;
    strings_addf(argv, "-chardev");
    strings_addf(argv, "socket,id=gdb,fd=%d,server=on,wait=off", debugger->listener);
    strings_addf(argv, "-gdb");
    strings_addf(argv, "chardev:gdb");
    strings_addf(argv, "-S");
}

/* An option's value ends at a comma unless it is doubled. */
char *qemu_value(const char *text)
{
    char *out = xmalloc(2 * strlen(text) + 1), *p = out;

    for (; *text; text++) {
        *p++ = *text;
        if (*text == ',')
            *p++ = ',';
    }
    *p = 0;
    return out;
}

/* QEMU writes the file; that it can be made is found out before. */
static void add_capture(struct strings *argv, const struct machine *machine, const char *path)
{
    static const char room[4096];
    struct stat st;

    if (!machine->has_net)
        die(STATUS_FAILED, "--pcap %s: there is no network to look at (--net none)", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0 && errno == ENXIO)
        die(STATUS_FAILED, "--pcap %s: nobody reads from it", path);
    /* QEMU does not notice when there is no room. */
    if (fd < 0 || fstat(fd, &st) ||
        (S_ISREG(st.st_mode) && (pwrite(fd, room, sizeof room, 0) < 0 || ftruncate(fd, 0))))
        die(STATUS_FAILED, "--pcap %s: %s", path, strerror(errno));
    /* It stays open, so that who reads a FIFO sees no end before QEMU has opened it. */
    char *value = qemu_value(path);
    strings_addf(argv, "-object");
    strings_addf(argv, "filter-dump,id=pcap,netdev=net0,file=%s", value);
    free(value);
}

/* Queues to open the tap interface with: 0 for one that was not made for several (multi_queue). */
static unsigned tap_queues(const struct run_options *options)
{
    char *path = xasprintf("/sys/class/net/%s/tun_flags", options->net + 4);
    FILE *f = fopen(path, "re");
    unsigned flags = 0;

    if (f) {
        if (fscanf(f, "%x", &flags) != 1)
            flags = 0;
        fclose(f);
    }
    free(path);
    if (!(flags & IFF_MULTI_QUEUE))
        return 0;
    if (options->pcap)
        die(STATUS_FAILED, "--pcap: QEMU records no interface with several queues (%s)",
            options->net + 4);
    /* With one QEMU opens it like any other, which the host refuses. */
    return options->cpus < 2 ? 2 : options->cpus < MAX_QUEUES ? options->cpus : MAX_QUEUES;
}

/* The network card and what it is plugged into. */
static void add_network(struct strings *argv, const struct machine *machine,
                        const struct run_options *options)
{
    char mac[32] = "", queues[32] = "";
    bool is_mmio = !strcmp(machine->kind, "microvm");
    unsigned nr;

    if (!machine->has_net)
        return;
    strings_addf(argv, "-netdev");
    if (!strncmp(options->net, "tap=", 4)) {
        /* What is recorded is to be packets: without the device's heads in front, and none that are to be cut. */
        nr = tap_queues(options);
        if (nr)
            snprintf(queues, sizeof queues, ",queues=%u", nr);
        strings_addf(argv, "tap,id=net0,ifname=%s,script=no,downscript=no%s%s", options->net + 4,
                     options->pcap ? ",vnet_hdr=off" : "", queues);
        if (nr && strcmp(options->card, "virtio") != 0)
            *queues = 0;
        else if (nr && is_mmio)
            strcpy(queues, ",mq=on");
        else if (nr)
            snprintf(queues, sizeof queues, ",mq=on,vectors=%u", 2 * nr + 2);
    } else if (!strncmp(options->net, "stream=", 7)) {
        char *path = qemu_value(options->net + 7);
        strings_addf(argv, "stream,id=net0,server=off,addr.type=unix,addr.path=%s", path);
        free(path);
        /* There may be others at the other end. */
        unsigned id = (unsigned)getpid();
        snprintf(mac, sizeof mac, ",mac=52:54:00:%02x:%02x:%02x", id >> 16 & 255, id >> 8 & 255,
                 id & 255);
    } else {
        char *forwards = xstrdup("");
        /* To the address that QEMU's own DHCP server gives, unless the guest has another. */
        int len = options->ip ? (int)strcspn(options->ip, "/") : 0;
        for (size_t i = 0; i < options->publish.nr; i++) {
            const char *text = options->publish.items[i], *to = strstr(text, "-:") + 1;
            char *longer = xasprintf("%s,hostfwd=%.*s%.*s%s", forwards, (int)(to - text), text, len,
                                     options->ip ? options->ip : "", to);
            free(forwards);
            forwards = longer;
        }
        strings_addf(argv, "user,id=net0%s", forwards);
        free(forwards);
    }
    strings_addf(argv, "-device");
    if (is_mmio)
        strings_addf(argv, "virtio-net-device,netdev=net0,bus=virtio-mmio-bus.1%s%s", mac, queues);
    else
        strings_addf(argv, "%s,netdev=net0,romfile=%s%s",
                     strcmp(options->card, "virtio") ? options->card : "virtio-net-pci", mac,
                     queues);
}

static void add_words(struct strings *argv, const char *const *words)
{
    while (*words)
        strings_add(argv, xstrdup(*words++));
}

static void make_command(struct strings *argv, const struct machine *machine,
                         const struct run_options *options, const struct payload *payload,
                         const char *bootline, const int theirs[NR_CHANNELS])
{
    static const char *const fixed[] = {
        QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", NULL};
    bool is_kvm = !strcmp(machine->accel, "kvm");

    add_words(argv, fixed);
    strings_addf(argv, "-M");
    strings_addf(argv, "%s", strcmp(machine->kind, "microvm") ? machine->kind : MICROVM);
    strings_addf(argv, "-accel");
    strings_addf(argv, is_kvm ? "kvm" : "tcg,thread=multi");
    strings_addf(argv, "-cpu");
    strings_addf(argv, is_kvm ? "host" : TCG_CPU);
    strings_addf(argv, "-smp");
    strings_addf(argv, "%u", options->cpus);
    strings_addf(argv, "-m");
    strings_addf(argv, "size=%juk", (uintmax_t)(options->memory >> 10));
    add_devices(argv, machine, theirs);
    add_network(argv, machine, options);
    if (options->pcap)
        add_capture(argv, machine, options->pcap);
    add_debugger(argv, options->debugger);
    volumes_add_devices(argv, options, !strcmp(machine->kind, "microvm"), FIRST_VOLUME);
    strings_addf(argv, "-kernel");
    strings_addf(argv, "%s", options->kernel);
    strings_addf(argv, "-initrd");
    strings_addf(argv, "%s", payload->module_path);
    strings_addf(argv, "-append");
    strings_addf(argv, "%s", bootline);
}

static void keep_over_exec(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, 0);
}

/* Of files that a guest has open in shared folders QEMU closes some when it may not have more, and opens again what has their
 * names by then. */
static void allow_many_files(void)
{
    const rlim_t many = 65536;
    struct rlimit files;

    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < many) {
        files.rlim_cur = files.rlim_max < many ? files.rlim_max : many;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* In the child: becomes QEMU, or writes errno to `failure`. */
_Noreturn static void become_qemu(char **argv, const char *path, const int theirs[NR_CHANNELS],
                                  const int kept[2], int errors, int failure, pid_t parent)
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    allow_many_files();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(STATUS_FAILED);
    setpgid(0, 0);
    dup2(null, STDIN_FILENO);
    dup2(errors, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    for (int i = 0; i < NR_CHANNELS; i++)
        keep_over_exec(theirs[i]);
    keep_over_exec(kept[0]);
    keep_over_exec(kept[1]);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(path, argv);
    int error = errno;
    if (write(failure, &error, sizeof error) < 0)
        _exit(STATUS_FAILED);
    _exit(STATUS_FAILED);
}

static char *join(const struct strings *words)
{
    char *text = xstrdup("");

    for (size_t i = 0; i < words->nr; i++) {
        bool plain = words->items[i][strspn(words->items[i],
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_./:=,+-@%")] == 0;
        char *longer =
            xasprintf(plain ? "%s%s%s" : "%s%s'%s'", text, i ? " " : "", words->items[i]);
        free(text);
        text = longer;
    }
    return text;
}

/* Bytes up to which the kernel's segments reach in physical memory; 0: unknown. */
static uint64_t kernel_end(const char *path)
{
    Elf64_Ehdr head;
    Elf64_Phdr ph;
    uint64_t end = 0;
    FILE *file = fopen(path, "re");

    if (!file)
        return 0;
    if (fread(&head, sizeof head, 1, file) == 1 && !memcmp(head.e_ident, ELFMAG, SELFMAG) &&
        head.e_phentsize == sizeof ph)
        for (unsigned i = 0; i < head.e_phnum; i++) {
            if (fseek(file, (long)(head.e_phoff + i * sizeof ph), SEEK_SET) ||
                fread(&ph, sizeof ph, 1, file) != 1)
                break;
            if (ph.p_type == PT_LOAD && ph.p_paddr + ph.p_memsz > end)
                end = ph.p_paddr + ph.p_memsz;
        }
    fclose(file);
    return end;
}

/* QEMU puts the module at the end of memory, over the kernel if need be, and does not mind. */
static bool fits(const struct run_options *options, const struct payload *payload)
{
    const double mib = 1 << 20;
    struct stat st;
    uint64_t kernel = kernel_end(options->kernel);

    if (stat(payload->module_path, &st) || kernel + (uint64_t)st.st_size + 4096 <= options->memory)
        return true;
    say("%.1f MiB of memory are not enough: the program takes %.1f MiB, the kernel %.1f (more with "
        "-m)",
        (double)options->memory / mib, (double)st.st_size / mib, (double)kernel / mib);
    return false;
}

int machine_start(struct machine *machine, const struct run_options *options,
                  const struct payload *payload, const struct stdio_plan *plan,
                  const char *bootline)
{
    struct strings argv = {0};
    int theirs[NR_CHANNELS], errors[2], failure[2], error = 0;
    char *qemu = find_in_path(QEMU);
    const int kept[] = {payload->module_fd, options->debugger ? options->debugger->listener : -1};
    pid_t self = getpid();

    if (!qemu) {
        say("%s is not installed (Debian: apt-get install qemu-system-x86)", QEMU);
        return STATUS_FAILED;
    }
    if (!fits(options, payload))
        return STATUS_FAILED;
    open_channels(machine, options, plan, theirs);
    make_command(&argv, machine, options, payload, bootline, theirs);
    machine->command_line = join(&argv);
    if (options->verbose)
        say("%s", machine->command_line);
    if (pipe2(errors, O_CLOEXEC) || pipe2(failure, O_CLOEXEC))
        die(STATUS_FAILED, "pipe: %s", strerror(errno));
    machine->pid = fork();
    if (machine->pid < 0)
        die(STATUS_FAILED, "fork: %s", strerror(errno));
    if (!machine->pid)
        become_qemu(argv.items, qemu, theirs, kept, errors[1], failure[1], self);
    close(errors[1]);
    close(failure[1]);
    for (int i = 0; i < NR_CHANNELS; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    machine->errors = errors[0];
    fcntl(machine->errors, F_SETFL, O_NONBLOCK);
    bool failed = read(failure[0], &error, sizeof error) > 0;
    close(failure[0]);
    if (failed) {
        say("cannot start %s: %s", qemu, strerror(error));
        return STATUS_FAILED;
    }
    return 0;
}
