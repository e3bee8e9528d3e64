/* yolk doctor: says what this machine lacks, and for which command that matters. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "accel.h"
#include "yolk.h"

static const char doc[] =
    "Say what this machine lacks.\vExit status: 0 when `yolk run` works; 1 otherwise.";

static const struct {
    const char *command, *package, *used_by;
    bool is_needed; /* by `yolk run` */
} tools[] = {
    {"qemu-system-x86_64", "qemu-system-x86", "run, test", true},
    {"cmake", "cmake", "building", false},
    {"ninja", "ninja-build", "building", false},
    {"gcc", "gcc", "building", false},
    {"nasm", "nasm", "building", false},
    {"musl-gcc", "musl-tools", "the examples, test", false},
    {"go", "golang-go", "the Go examples, test", false},
    {"clang", "clang", "test", false},
    {"gdb", "gdb", "gdb, test", false},
    {"strace", "strace", "diff, test", false},
    {"pytest-3", "python3-pytest python3-pexpect", "test", false},
    {"grub-mkrescue", "grub-common grub-pc-bin grub-efi-amd64-bin", "pack -f iso", false},
    {"xorriso", "xorriso", "pack -f iso", false},
    {"mformat", "mtools", "pack -f iso", false},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key == ARGP_KEY_ARG)
        argp_usage(state);
    return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

static void report(bool good, const char *what, const char *detail)
{
    printf("%s  %-20s %s\n", good ? "ok     " : "MISSING", what, detail);
    fflush(stdout);
}

static bool check_tools(void)
{
    bool all = true;

    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
        char *path = find_in_path(tools[i].command);
        char *detail =
            path ? path
                 : xasprintf("apt-get install %s  (for: %s)", tools[i].package, tools[i].used_by);
        report(path, tools[i].command, detail);
        all &= path || !tools[i].is_needed;
        free(detail);
    }
    return all;
}

static bool check_temporary(void)
{
    const char *dir = getenv("TMPDIR");
    struct statvfs fs;

    if (!dir || !*dir)
        dir = "/tmp";
    bool good = !access(dir, W_OK | X_OK) && !statvfs(dir, &fs);
    char *detail =
        good ? xasprintf("%s, %ju MiB free", dir, (uintmax_t)fs.f_bavail * fs.f_frsize >> 20)
             : xasprintf("%s: %s", dir, strerror(errno));

    report(good, "temporary files", detail);
    free(detail);
    return good;
}

static bool check_boot(void)
{
    char *self = xasprintf("%s/userland/yolk/yolk", yolk_build_dir), *output = NULL;
    char *const argv[] = {self, "run", "--timeout", "20", "hello", NULL};
    int status = run_quietly(argv, &output);
    char *detail = status ? xasprintf("`yolk run hello` ended with status %d: %.*s", status,
                                      (int)strcspn(output, "\n"), output)
                          : xstrdup("`yolk run hello` works");

    report(!status, "a trial boot", detail);
    free(self);
    free(output);
    free(detail);
    return !status;
}

int command_doctor(int argc, char **argv)
{
    static const struct argp argp = {0, parse, "", doc, 0, 0, 0};
    bool good;

    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    char *kernel = kernel_image_path();
    good = check_tools();
    bool has_kernel = !access(kernel, R_OK);
    report(has_kernel, "kernel image", kernel);
    bool has_temporary = check_temporary(); /* both say what they find, whatever the other finds */
    good = good && has_kernel && has_temporary;
    report(true, "acceleration", accel_explain());
    good = good && check_boot();
    free(kernel);
    return good ? 0 : 1;
}
