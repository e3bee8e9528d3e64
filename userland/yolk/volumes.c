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
#include <unistd.h>

#include "run.h"

#define MAX_VOLUMES    16u /* the kernel's limits: kernel/cmdline.c, kernel/volumes.c */
#define MAX_GUEST_PATH 250u
#define MMIO_SLOTS     8 /* QEMU's microvm has so many virtio-mmio devices */

static bool take_suffix(char *text, const char *suffix)
{
    size_t len = strlen(text), n = strlen(suffix);

    if (len < n || strcmp(text + len - n, suffix) != 0)
        return false;
    text[len - n] = 0;
    return true;
}

/* One form for each place: without a slash at its end, two in a row or a dot. */
static char *tidy_guest_path(const char *text, const char *path)
{
    char *tidy = xstrdup(path), *to = tidy;

    for (const char *p = path; *p;) {
        size_t len = strcspn(p, "/");
        if (len == 2 && !strncmp(p, "..", 2))
            die(STATUS_FAILED, "--volume %s: no \"..\" in the path in the guest, please", text);
        if (len > 0 && (len > 1 || *p != '.')) {
            *to++ = '/';
            memmove(to, p, len);
            to += len;
        }
        p += len + (p[len] == '/');
    }
    *to = 0;
    if (to == tidy)
        die(STATUS_FAILED,
            "--volume %s: a folder cannot be the root (--root DIR gives the program a copy)", text);
    if (to - tidy > MAX_GUEST_PATH)
        die(STATUS_FAILED, "--volume %s: the path in the guest has more than %u bytes", text,
            MAX_GUEST_PATH);
    return tidy;
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
    if (access(host, R_OK | X_OK))
        die(STATUS_FAILED, "--volume %s: %s: %s", text, copy, strerror(errno));
    guest = tidy_guest_path(text, guest);
    for (size_t i = 0; i < options->nr_volumes; i++)
        if (!strcmp(options->volumes[i].guest, guest))
            die(STATUS_FAILED, "--volume %s: another folder goes to %s already", text, guest);
    options->volumes =
        xrealloc(options->volumes, (options->nr_volumes + 1) * sizeof *options->volumes);
    options->volumes[options->nr_volumes++] =
        (struct volume){.host = host, .guest = guest, .is_read_only = is_read_only};
    free(copy);
}

static int compare_places(const void *a, const void *b)
{
    return strcmp(((const struct volume *)a)->guest, ((const struct volume *)b)->guest);
}

static bool is_inside(const struct volume *inner, const struct volume *outer)
{
    size_t len = strlen(outer->guest);

    return !strncmp(outer->guest, inner->guest, len) && inner->guest[len] == '/';
}

/* A folder inside another one that is shared is mounted on a directory of that one, which is made if need be. */
static void check_inside(const struct volume *outer, const struct volume *inner)
{
    size_t len = strlen(outer->guest);
    struct stat st;

    if (!outer->is_read_only)
        return;
    char *place = xasprintf("%s%s", outer->host, inner->guest + len);
    if (stat(place, &st) || !S_ISDIR(st.st_mode))
        die(STATUS_FAILED,
            "--volume %s:%s: %s is shared read-only, and has no directory %s to put it on",
            inner->host, inner->guest, outer->host, inner->guest + len + 1);
    free(place);
}

void volumes_check(struct run_options *options)
{
    struct volume *v = options->volumes;

    if (options->nr_volumes > MAX_VOLUMES)
        die(STATUS_FAILED, "--volume: there can be %u folders", MAX_VOLUMES);
    if (options->nr_volumes > 1)
        qsort(v, options->nr_volumes, sizeof *v, compare_places); /* what lies inside comes later */
    for (size_t inner = 1; inner < options->nr_volumes; inner++)
        for (size_t outer = inner; outer-- > 0;)
            if (is_inside(&v[inner], &v[outer])) {
                check_inside(&v[outer], &v[inner]);
                break; /* the others are further out */
            }
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
