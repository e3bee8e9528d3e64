/* The program and the module that carries it.
 *
 * Without --root the program's own file is the module: nothing is copied.  With it the module is a
 * cpio archive in a temporary file that has no name, so that nothing is left behind however the
 * command ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "rootfs.h"
#include "run.h"

/* An example whose source is Debian's is made when it is asked for: NULL when `name` is none. */
static char *build_example(const char *name)
{
    char *script = xasprintf("%s/userland/examples/%s/build.sh", yolk_source_dir, name),
         *log = NULL;
    char *output = xasprintf("%s/userland/examples/%s", yolk_build_dir, name);

    if (!*name || strchr(name, '/') || access(script, X_OK)) {
        free(output);
        output = NULL;
    } else {
        say("building the example %s, once: this may take a minute", name);
        if (run_quietly((char *[]){script, output, NULL}, &log))
            die(STATUS_FAILED, "%s failed: %s", script, log);
        free(log);
    }
    free(script);
    return output;
}

char *payload_find(const char *program)
{
    struct stat st;

    if (!stat(program, &st) && (strchr(program, '/') || S_ISREG(st.st_mode)))
        return xstrdup(program);
    char *path = example_path(program);
    return path ? path : build_example(program);
}

static int refuse(const char *program, const struct program_report *report)
{
    say("%s: %s", program, report->reason);
    return report->status;
}

static int not_found(const char *program)
{
    if (strchr(program, '/'))
        say("%s: %s", program, strerror(ENOENT));
    else
        say("%s: no such file, and no example has this name (see `yolk examples`)", program);
    return STATUS_NOT_FOUND;
}

/* The program is in the archive that was just written: inspect it there. */
static int inspect_in_module(struct rootfs *root, const char *path, int fd)
{
    struct program_report report;
    uint64_t size = 0, offset = rootfs_file_bytes(root, path, &size);
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset) : NULL;

    if (bytes == MAP_FAILED)
        die(STATUS_FAILED, "cannot read the root archive back: %s", strerror(errno));
    program_inspect_bytes(bytes, size, &report);
    if (size)
        munmap(bytes, size);
    return report.status ? refuse(path, &report) : 0;
}

static const char *search_path(const struct run_options *options)
{
    for (size_t i = 0; i < options->env.nr; i++)
        if (!strncmp(options->env.items[i], "PATH=", 5))
            return options->env.items[i] + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

int payload_prepare(const struct run_options *options, struct payload *payload)
{
    struct program_report report;
    struct rootfs *root = options->root ? rootfs_open(options->root) : NULL;

    payload->module_fd = -1;
    if (root) {
        payload->guest_path = rootfs_find(root, options->program, search_path(options));
        if (payload->guest_path) {
            payload->module_fd = rootfs_write(root, NULL, NULL, &payload->module_path);
            return inspect_in_module(root, payload->guest_path, payload->module_fd);
        }
    }
    payload->host_path = payload_find(options->program);
    if (!payload->host_path)
        return not_found(options->program);
    program_inspect(payload->host_path, &report);
    if (report.status)
        return refuse(options->program, &report);
    payload->guest_path = xasprintf("/%s", base_name(payload->host_path));
    if (root)
        payload->module_fd =
            rootfs_write(root, payload->host_path, payload->guest_path + 1, &payload->module_path);
    else
        payload->module_path = xstrdup(payload->host_path);
    return 0;
}
