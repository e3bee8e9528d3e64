/* yolk pack: one bootable file of the kernel, a program and its arguments. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack.h"

static const char doc[] =
    "Make one bootable FILE of PROGRAM and its arguments.\v"
    "FORMAT is `iso` (the default: a hybrid image for CD, USB stick or disk that boots on BIOS and "
    "on UEFI; made by "
    "grub-mkrescue) or `elf` (one executable that QEMU, Firecracker or GRUB load as a kernel: "
    "`qemu-system-x86_64 -kernel FILE`).  The program's terminal is the first serial port.";

enum { OPT_ROOT = 256, OPT_KERNEL };

static const struct argp_option option_table[] = {
    {"format", 'f', "FORMAT", 0, "iso or elf (raw, qcow2 and oci: not in this version)", 1},
    {"output", 'o', "FILE", 0, "the file to make", 1},
    {"env", 'e', "NAME=VALUE", 0, "set a variable; repeatable", 2},
    {"workdir", 'w', "DIR", 0, "the program's working directory", 2},
    {"root", OPT_ROOT, "DIR|TAR|CPIO", 0, "root file system, as for `yolk run`", 2},
    {"kernel", OPT_KERNEL, "FILE", 0, "another kernel image", 3},
    {0},
};

struct pack_options {
    const char *format, *output;
    struct run_options run;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct pack_options *o = state->input;

    switch (key) {
    case 'f':
        o->format = arg;
        break;
    case 'o':
        o->output = arg;
        break;
    case 'e':
        if (!strchr(arg, '=') || *arg == '=')
            argp_error(state, "--env %s: it is NAME=VALUE", arg);
        strings_add(&o->run.env, xstrdup(arg));
        break;
    case 'w':
        o->run.workdir = arg;
        break;
    case OPT_ROOT:
        o->run.root = arg;
        break;
    case OPT_KERNEL:
        o->run.kernel = arg;
        break;
    case ARGP_KEY_ARG:
        o->run.program = arg;
        o->run.args = state->argv + state->next;
        state->next = state->argc;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which program?");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

int command_pack(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "PROGRAM [ARGS…]", doc, 0, 0, 0};
    struct pack_options options = {.format = "iso", .run.kernel = kernel_image_path()};
    struct payload payload;

    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options);
    bool iso = !strcmp(options.format, "iso");
    if (!iso && strcmp(options.format, "elf") != 0)
        die(STATUS_FAILED, "--format %s: not in this version; it is iso or elf", options.format);
    if (!options.output)
        die(STATUS_FAILED, "where to? --output FILE says it");
    int status = payload_prepare(&options.run, &payload);
    if (status)
        return status;
    if (access(options.run.kernel, R_OK))
        die(STATUS_FAILED, "no kernel: %s: %s", options.run.kernel, strerror(errno));
    char *bootline = bootline_make(&options.run, &payload, NULL, "");
    if (iso)
        pack_iso(options.output, options.run.kernel, payload.module_path, bootline);
    else
        pack_elf(options.output, options.run.kernel, payload.module_path, bootline);
    return 0;
}
