/* Shared folders, -v HOSTDIR:GUESTDIR[:ro]: QEMU serves each by virtio-9p under a tag, and the kernel is told which tag
 * goes where.
 *
 * With security_model=none the files are the host's as they are: owners and modes of the host, and what the program
 * makes belongs to whoever runs QEMU.  QEMU itself follows no link, so nothing outside the folder is reached. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run.h"

#define MMIO_SLOTS 8 /* QEMU's microvm has so many virtio-mmio devices */

static bool take_suffix(char *text, const char *suffix)
{
    size_t len = strlen(text), n = strlen(suffix);

    if (len < n || strcmp(text + len - n, suffix) != 0)
        return false;
    text[len - n] = 0;
    return true;
}

void volume_add(struct run_options *options, const char *text)
{
    char *copy = xstrdup(text);
    bool is_read_only = take_suffix(copy, ":ro");
    struct stat st;

    if (!is_read_only)
        take_suffix(copy, ":rw");
    char *guest = strrchr(copy, ':');
    if (!guest || guest == copy || guest[1] != '/')
        die(STATUS_FAILED,
            "--volume %s: it is HOSTDIR:GUESTDIR[:ro], with an absolute path in the guest", text);
    *guest++ = 0;
    char *host = realpath(copy, NULL);
    if (!host || stat(host, &st))
        die(STATUS_FAILED, "--volume %s: %s: %s", text, copy, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        die(STATUS_FAILED, "--volume %s: %s is not a directory", text, copy);
    for (size_t i = 0; i < options->nr_volumes; i++)
        if (!strcmp(options->volumes[i].guest, guest))
            die(STATUS_FAILED, "--volume %s: another folder goes to %s already", text, guest);
    options->volumes =
        xrealloc(options->volumes, (options->nr_volumes + 1) * sizeof *options->volumes);
    options->volumes[options->nr_volumes++] =
        (struct volume){.host = host, .guest = xstrdup(guest), .is_read_only = is_read_only};
    free(copy);
}

void volumes_add_devices(struct strings *argv, const struct run_options *options, bool is_microvm,
                         unsigned nr_before)
{
    if (is_microvm && nr_before + options->nr_volumes > MMIO_SLOTS)
        die(STATUS_FAILED, "--volume: microvm takes %u folders; --machine q35 takes more",
            MMIO_SLOTS - nr_before);
    for (size_t i = 0; i < options->nr_volumes; i++) {
        const struct volume *v = &options->volumes[i];
        char *path = qemu_value(v->host);
        strings_addf(argv, "-fsdev");
        strings_addf(argv, "local,id=volume%zu,path=%s,security_model=none,multidevs=remap%s", i,
                     path, v->is_read_only ? ",readonly=on" : "");
        strings_addf(argv, "-device");
        if (is_microvm)
            strings_addf(argv,
                         "virtio-9p-device,fsdev=volume%zu,mount_tag=v%zu,bus=virtio-mmio-bus.%zu",
                         i, i, nr_before + i);
        else
            strings_addf(argv, "virtio-9p-pci,fsdev=volume%zu,mount_tag=v%zu", i, i);
        free(path);
    }
}

void volumes_add_tokens(struct strings *tokens, const struct run_options *options)
{
    for (size_t i = 0; i < options->nr_volumes; i++) {
        const struct volume *v = &options->volumes[i];
        char *prefix = xasprintf("yolk.volume=v%zu:", i);
        char *place = xasprintf("%s%s", v->guest, v->is_read_only ? ":ro" : "");
        bootline_encode(tokens, prefix, place);
        free(prefix);
        free(place);
    }
}
