/* yolk pack -f iso: a hybrid image made by grub-mkrescue, for BIOS and UEFI.
 *
 * GRUB loads the kernel by multiboot2 with the program as its module.  The boot line holds nothing
 * but letters, digits and %XX, so it needs no quoting in GRUB's language. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pack.h"

static char *work_dir;

static void write_file(const char *name, const void *data, size_t size)
{
    char *path = xasprintf("%s/%s", work_dir, name);
    FILE *file = fopen(path, "we");

    if (!file || fwrite(data, 1, size, file) != size || fclose(file))
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    free(path);
}

static void copy_file(const char *name, const char *from)
{
    struct bytes bytes = pack_map(from);

    write_file(name, bytes.data, bytes.size);
    pack_unmap(bytes);
}

static void make_dir(const char *name)
{
    char *path = xasprintf("%s/%s", work_dir, name);

    if (mkdir(path, 0755))
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    free(path);
}

static void need(const char *command, const char *package)
{
    char *path = find_in_path(command);

    if (!path)
        die(STATUS_FAILED, "%s is not installed (Debian: apt-get install %s)", command, package);
    free(path);
}

void pack_iso(const char *output, const char *kernel, const char *module, const char *bootline)
{
    char *log = NULL, *image;

    need("grub-mkrescue", "grub-common grub-pc-bin grub-efi-amd64-bin");
    need("xorriso", "xorriso");
    need("mformat", "mtools");
    work_dir = make_scratch();
    make_dir("tree");
    make_dir("tree/boot");
    make_dir("tree/boot/grub");
    copy_file("tree/boot/yolk.elf", kernel);
    copy_file("tree/boot/payload", module);
    char *config =
        xasprintf("set timeout=0\nset default=0\nmenuentry \"yolk\" {\n"
                  "    multiboot2 /boot/yolk.elf %s\n    module2 /boot/payload\n    boot\n}\n",
                  bootline);
    write_file("tree/boot/grub/grub.cfg", config, strlen(config));
    image = xasprintf("%s/image", work_dir);
    char *tree = xasprintf("%s/tree", work_dir);
    char *const argv[] = {"grub-mkrescue", "-o", image, tree, "--", "-volid", "YOLK", NULL};
    if (run_quietly(argv, &log))
        die(STATUS_FAILED, "grub-mkrescue failed:\n%s", log);
    char *const move[] = {"mv", "-f", "--", image, (char *)output, NULL};
    if (run_quietly(move, &log))
        die(STATUS_FAILED, "%s", log);
    free(config);
    free(image);
    free(tree);
    free(log);
}
