/* The host command: picks the subcommand and leaves the rest to it.
 *
 * Every subcommand has a file of its own, cmd_NAME.c, with its options and their help. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yolk.h"

static const struct command commands[] = {
    {"run", "boot a static Linux program as the payload of the kernel", command_run},
    {"trace", "print a program's system calls as strace does", command_trace},
    {"diff", "compare a program's system calls here and in the guest", command_diff},
    {"gdb", "debug a program, and the kernel under it, with gdb", command_gdb},
    {"check", "say whether a program will run, and why not", command_check},
    {"pack", "make one bootable file of a program", command_pack},
    {"build", "make a kernel with system calls of your own", command_build},
    {"examples", "list the examples that `yolk run NAME` knows", command_examples},
    {"syscalls", "list the system calls and how well each is supported", command_syscalls},
    {"test", "run the tests", command_test},
    {"bench", "measure Yolk beside Linux guests, in one run", command_bench},
    {"doctor", "say what this machine lacks", command_doctor},
};

static void print_help(FILE *to)
{
    fputs("Usage: yolk COMMAND [ARGUMENTS…]\n"
          "Boots unmodified static Linux programs on a small kernel of their own, under QEMU.\n\n",
          to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`yolk COMMAND --help` says more about one.  Start with `yolk run hello`.\n", to);
}

static void print_version(FILE *to, struct argp_state *state)
{
    (void)state;
    fprintf(to, "yolk %s\n", YOLK_VERSION);
}

int main(int argc, char **argv)
{
    argp_program_version_hook = print_version;
    argp_err_exit_status = STATUS_FAILED;
    if (argc < 2) {
        print_help(stderr);
        return STATUS_FAILED;
    }
    const char *name = argv[1];
    if (!strcmp(name, "help") && argc > 2) { /* `help run` is `run --help` */
        name = argv[1] = argv[2];
        argv[2] = "--help";
        argc = 3;
    }
    if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
        print_help(stdout);
        return 0;
    }
    if (!strcmp(name, "--version") || !strcmp(name, "-V") || !strcmp(name, "version")) {
        print_version(stdout, NULL);
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!strcmp(name, commands[i].name)) {
            argv[1] = xasprintf("yolk %s", name);
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    say("there is no command '%s'", name);
    print_help(stderr);
    return STATUS_FAILED;
}
