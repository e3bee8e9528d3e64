/* Running a program in a machine: the parts of `yolk run`, in the order in which they are used. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "yolk.h"

struct run_options {
    uint64_t memory; /* bytes */
    unsigned cpus;
    const char *workdir; /* NULL: the kernel's default */
    const char *root;    /* directory or archive; NULL: the program is the only file */
    char *kernel;
    const char *accel;   /* "tcg", "kvm", "auto" */
    const char *machine; /* "microvm", "q35", "pc", "auto" */
    double timeout;      /* seconds; 0: none */
    bool leak_check, verbose, json;
    struct strings env;     /* NAME=VALUE */
    const char *net;        /* "user", "none", "tap=IF", "stream=PATH" */
    const char *card;       /* "virtio", "e1000", "e1000e" */
    const char *ip;         /* NULL: DHCP */
    const char *pcap;       /* file for what is on the wire; NULL: none */
    struct strings publish; /* QEMU's form: tcp:ADDR:HOST-:GUEST */
    struct volume *volumes; /* shared folders */
    size_t nr_volumes;
    const char *program;              /* as the person wrote it */
    char **args;                      /* what follows it, ended by NULL */
    const struct trace_config *trace; /* NULL: no trace */
    struct debugger *debugger;        /* NULL: the machine starts at once */
};

/* cmd_run.c, for `yolk trace` and `yolk gdb`: the defaults, the options without their short names, and the run itself. */
struct argp;
void run_options_init(struct run_options *options);
const struct argp *run_long_argp(void);
const struct argp *run_argp(void);            /* with their short names, for `yolk gdb` */
int run_program(struct run_options *options); /* the exit status */

/* debugger.c: a machine that starts stopped, for gdb. */
struct debugger {
    const char *where;          /* --listen: a path or a port; NULL: a socket of our own */
    const char *input, *output; /* the program's descriptors; NULL: /dev/null, and ours */
    bool only_waits;            /* says how to attach, and starts no gdb */
    struct strings gdb;         /* gdb's own arguments, which come last */
    char *address;              /* what gdb is to connect to */
    char *directory;            /* of the socket, removed at the end; NULL: none */
    int listener;               /* QEMU's end: a socket that already listens */
    int stdio[3];               /* what was ours before the program's took their place */
    pid_t pid;                  /* gdb; 0: none is running */
    int status;                 /* its exit status, once it has ended */
};
/* Before the machine is made: opens the socket and the program's descriptors. */
void debugger_prepare(struct debugger *debugger);
struct payload;
/* The machine is there and stands still: start gdb, or say how it is to be started. */
void debugger_start(struct debugger *debugger, const struct run_options *options,
                    const struct payload *payload);
/* A child has ended: true when it was gdb. */
bool debugger_reap(struct debugger *debugger);
/* End gdb, which ends the machine; false: none is running. */
bool debugger_end(const struct debugger *debugger);
/* The machine is gone: wait for gdb, and take the socket away. */
void debugger_finish(struct debugger *debugger);

/* netoptions.c: what -p, --net and --ip are given; each ends the command when it is wrong. */
void net_add_publish(struct strings *publish, const char *text);
void net_set(struct run_options *options, const char *text);
void net_set_ip(struct run_options *options, const char *text);
/* Before the machine is made: that the published ports are free. */
void net_check_published(const struct run_options *options);

/* volumes.c: shared folders. */
struct volume {
    char *host, *guest; /* absolute paths */
    bool is_read_only;
};
/* -v's argument; ends the command when it is none. */
void volume_add(struct run_options *options, const char *text);
/* When all of them are known: puts them into the order in which they are mounted; ends the command when they do not go
 * together. */
void volumes_check(struct run_options *options);
/* QEMU's words for all of them; on microvm they are behind the first `nr_before` virtio-mmio devices. */
void volumes_add_devices(struct strings *argv, const struct run_options *options, bool is_microvm,
                         unsigned nr_before);
/* The kernel's words. */
void volumes_add_tokens(struct strings *tokens, const struct run_options *options);

/* What descriptors 0, 1 and 2 of the program are. */
enum stdio_kind { STDIO_TTY, STDIO_PIPE, STDIO_NULL, STDIO_SAME_AS_OUT };
struct stdio_plan {
    enum stdio_kind kind[3];
    bool has_tty; /* any of them is STDIO_TTY */
};

/* The program and the module that carries it. */
struct payload {
    char *host_path;   /* the program's file on the host; NULL when it is inside the root */
    char *guest_path;  /* init= */
    char *module_path; /* what -initrd gets; may be /proc/self/fd/N, so pass that descriptor on */
    int module_fd;     /* -1: module_path is an ordinary file */
};

/* payload.c: finds the program, checks it and makes the module.  Returns 0 or an exit status,
 * having said why. */
int payload_prepare(const struct run_options *options, struct payload *payload);
/* The program's file: a path, or the name of an example; NULL when there is none. */
char *payload_find(const char *program);

/* bootline.c: the kernel's command line, docs/DESIGN.md.  `plan` NULL: stdio is the console. */
char *bootline_make(const struct run_options *options, const struct payload *payload,
                    const struct stdio_plan *plan, const char *machine_tokens);
/* Appends `text` so that it stays one token: bytes that a loader might touch become %XX. */
void bootline_encode(struct strings *tokens, const char *prefix, const char *text);

/* machine.c: the QEMU process and our ends of its channels. */
enum channel {
    CHANNEL_TTY,
    CHANNEL_STDIN,
    CHANNEL_STDOUT,
    CHANNEL_STDERR,
    CHANNEL_CONTROL,
    CHANNEL_TRACE,
    CHANNEL_SERIAL,
    NR_CHANNELS
};
struct machine {
    const char *kind, *accel; /* what was chosen */
    bool has_net;             /* a network card */
    unsigned nr_volumes;
    pid_t pid;
    int channel[NR_CHANNELS]; /* sockets, nonblocking; -1 where there is none */
    int errors;               /* QEMU's stdout and stderr */
    char *command_line;       /* for --verbose */
};
/* Which machine and accelerator the options mean on this host. */
void machine_choose(struct machine *machine, const struct run_options *options);
/* Tokens that tell the kernel of devices it cannot find by itself, allocated; may be "". */
char *machine_boot_tokens(const struct machine *machine);
/* Starts QEMU; returns 0 or an exit status, having said why. */
int machine_start(struct machine *machine, const struct run_options *options,
                  const struct payload *payload, const struct stdio_plan *plan,
                  const char *bootline);
/* `text` as a value in QEMU's comma-separated options, allocated. */
char *qemu_value(const char *text);
/* Console on the serial port alone, for a kernel without virtio: $YOLK_CONSOLE is "serial". */
bool machine_is_serial_only(void);

/* forward.c: lets the ports that QEMU has published take many clients at once. */
void forward_raise_backlogs(pid_t qemu);

/* relay.c: moves bytes until the machine has ended. */
struct outcome {
    int status;         /* the command's exit status */
    const char *reason; /* "exit", "signal", "timeout", "interrupted", "failed" */
    double seconds;
};
void relay_run(struct machine *machine, const struct run_options *options,
               const struct stdio_plan *plan, struct outcome *outcome);
