/* A root file system as one cpio archive.
 *
 * libarchive reads the source, a directory or any archive it knows, twice: first its headers, so
 * that hard links can be counted and the program can be looked for, then its data. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "newc.h"
#include "rootfs.h"
#include "yolk.h"

#define MAX_SYMLINKS 40

struct file {
    char *key;    /* the path without a leading slash, or "DEVICE:INODE" (see `inodes`) */
    char *target; /* of a symbolic link */
    uint32_t mode, nlink, ino;
    uint64_t offset, size; /* of its bytes in the written archive */
    struct file *first;    /* the hard link that came first; NULL when this is it */
};

struct rootfs {
    char *source;
    bool is_directory;
    void *by_path, *by_inode; /* tsearch trees */
    struct file **files;      /* in the source's order */
    size_t nr;
};

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->key, ((const struct file *)b)->key);
}

static struct file *find_file(struct rootfs *root, const char *path)
{
    struct file key = {.key = (char *)path};
    struct file **found = tfind(&key, &root->by_path, compare);

    return found ? *found : NULL;
}

_Noreturn static void source_failed(const struct rootfs *root, struct archive *a)
{
    die(STATUS_FAILED, "--root %s: %s", root->source,
        archive_error_string(a) ? archive_error_string(a) : "unreadable");
}

static struct archive *open_source(struct rootfs *root)
{
    struct archive *a;
    int result;

    if (root->is_directory) {
        a = archive_read_disk_new();
        archive_read_disk_set_symlink_physical(a);
        archive_read_disk_set_behavior(a, ARCHIVE_READDISK_NO_TRAVERSE_MOUNTS);
        result = archive_read_disk_open(a, root->source);
    } else {
        a = archive_read_new();
        archive_read_support_filter_all(a);
        archive_read_support_format_all(a);
        result = archive_read_open_filename(a, root->source, 1 << 16);
    }
    if (result != ARCHIVE_OK)
        source_failed(root, a);
    return a;
}

/* The next entry; false at the end. */
static bool next_entry(struct rootfs *root, struct archive *a, struct archive_entry **entry)
{
    int result = archive_read_next_header(a, entry);

    if (result == ARCHIVE_EOF)
        return false;
    if (result < ARCHIVE_WARN)
        source_failed(root, a);
    if (root->is_directory)
        archive_read_disk_descend(a);
    return true;
}

/* The path inside the root, "" for the root itself. */
static const char *inside(const struct rootfs *root, const char *path)
{
    if (root->is_directory)
        path += strlen(root->source);
    for (;;) {
        if (*path == '/')
            path++;
        else if (!strncmp(path, "./", 2))
            path += 2;
        else
            return strcmp(path, ".") ? path : "";
    }
}

/* The path inside the root without the slash that tar puts after directories. */
static char *key_of(const struct rootfs *root, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname(entry);

    if (!path)
        die(STATUS_FAILED, "--root %s: a file name that is not text", root->source);
    char *key = xstrdup(inside(root, path));
    for (size_t len = strlen(key); len && key[len - 1] == '/'; len--)
        key[len - 1] = 0;
    return key;
}

/* The file that this entry is another name of; NULL when it is the first. */
static struct file *first_link(struct rootfs *root, struct archive_entry *entry, struct file *file)
{
    if (!root->is_directory) {
        const char *target = archive_entry_hardlink(entry);
        struct file *first = target ? find_file(root, inside(root, target)) : NULL;
        return first && first->first ? first->first : first;
    }
    if (archive_entry_nlink(entry) < 2 || !S_ISREG(file->mode))
        return NULL;
    struct file *key = xmalloc(sizeof *key);
    key->key = xasprintf("%ju:%ju", (uintmax_t)archive_entry_dev(entry),
                         (uintmax_t)archive_entry_ino64(entry));
    struct file **found = tsearch(key, &root->by_inode, compare);
    if (*found == key)
        key->first = file;
    return (*found)->first == file ? NULL : (*found)->first;
}

static void add_file(struct rootfs *root, struct archive_entry *entry)
{
    struct file *file = xmalloc(sizeof *file);
    const char *target = archive_entry_symlink(entry);

    file->key = key_of(root, entry);
    file->mode = archive_entry_mode(entry);
    file->target = target ? xstrdup(target) : NULL;
    file->ino = (uint32_t)root->nr + 2;
    file->nlink = S_ISDIR(file->mode) ? 2 : 1;
    file->first = first_link(root, entry, file);
    if (file->first) {
        file->first->nlink++;
        file->mode = file->first->mode;
    }
    root->files = xrealloc(root->files, (root->nr + 1) * sizeof *root->files);
    root->files[root->nr++] = file;
    /* When a path comes twice, the later one counts, as it does to whoever unpacks. */
    struct file **place = tsearch(file, &root->by_path, compare);
    *place = file;
}

struct rootfs *rootfs_open(const char *source)
{
    struct rootfs *root = xmalloc(sizeof *root);
    struct archive_entry *entry;
    struct stat st;

    root->source = xstrdup(source);
    for (size_t len = strlen(source); len > 1 && source[len - 1] == '/'; len--)
        root->source[len - 1] = 0;
    setlocale(LC_CTYPE,
              "C.UTF-8"); /* names in archives are UTF-8 or bytes, whatever the user's locale */
    if (stat(source, &st))
        die(STATUS_FAILED, "--root %s: %s", source, strerror(errno));
    root->is_directory = S_ISDIR(st.st_mode);
    if (!root->is_directory && !S_ISREG(st.st_mode))
        die(STATUS_FAILED, "--root %s: neither a directory nor an archive", source);
    if (S_ISREG(st.st_mode) && !st.st_size) /* what a failed `docker export` leaves */
        die(STATUS_FAILED, "--root %s: the file is empty", source);
    struct archive *a = open_source(root);
    while (next_entry(root, a, &entry))
        add_file(root, entry);
    archive_read_free(a);
    return root;
}

/* The file that `path` means, with symbolic links followed; NULL when it is none.  *real is its own
 * path. */
static struct file *resolve(struct rootfs *root, const char *path, unsigned links, char **real)
{
    char *rest = xstrdup(path), *done = xstrdup("");
    struct file *file = NULL;

    for (char *save, *part = strtok_r(rest, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (!strcmp(part, "."))
            continue;
        if (!strcmp(part, "..")) {
            char *slash = strrchr(done, '/');
            *(slash ? slash : done) = 0;
            continue;
        }
        char *here = xasprintf("%s%s%s", done, *done ? "/" : "", part);
        file = find_file(root, here);
        if (file && S_ISLNK(file->mode)) {
            char *target = xasprintf("%s/%s/%s", *file->target == '/' ? "" : done, file->target,
                                     save ? save : "");
            return links ? resolve(root, target, links - 1, real) : NULL;
        }
        done = here;
    }
    *real = xasprintf("/%s", done);
    return file && S_ISREG(file->mode) ? file : NULL;
}

char *rootfs_find(struct rootfs *root, const char *program, const char *search_path)
{
    char *real, *dirs = xstrdup(search_path);

    if (strchr(program, '/'))
        return resolve(root, program, MAX_SYMLINKS, &real) ? real : NULL;
    for (char *save, *dir = strtok_r(dirs, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
        char *path = xasprintf("%s/%s", dir, program);
        if (resolve(root, path, MAX_SYMLINKS, &real))
            return real;
    }
    return NULL;
}

/* One entry with its data, `read` bytes at a time from libarchive. */
static void write_entry(struct rootfs *root, struct archive *a, struct archive_entry *entry,
                        struct file *file, struct newc *out)
{
    struct file *first = file->first ? file->first : file;
    bool carries_data = S_ISREG(file->mode) && (!file->first || !root->is_directory);
    int64_t size = file->target   ? (int64_t)strlen(file->target)
                   : carries_data ? archive_entry_size(entry)
                                  : 0;
    const struct newc_entry header = {
        .path = *file->key ? file->key : ".",
        .ino = first->ino,
        .mode = file->mode,
        .nlink = first->nlink,
        .size = (uint32_t)size,
        .uid = (uint32_t)archive_entry_uid(entry),
        .gid = (uint32_t)archive_entry_gid(entry),
        .mtime = (uint32_t)archive_entry_mtime(entry),
        .rdev_major = (uint32_t)archive_entry_rdevmajor(entry),
        .rdev_minor = (uint32_t)archive_entry_rdevminor(entry),
    };

    if (size > UINT32_MAX)
        die(STATUS_FAILED, "--root %s: %s: files above 4 GiB do not fit a cpio archive",
            root->source, file->key);
    newc_entry(out, &header);
    if (size) {
        first->offset = out->offset;
        first->size = (uint64_t)size;
    }
    if (file->target) {
        newc_data(out, file->target, (size_t)size);
        return;
    }
    while (out->data_left) {
        char buffer[1 << 16];
        la_ssize_t n = archive_read_data(a, buffer, sizeof buffer);
        if (n < 0)
            source_failed(root, a);
        if (!n) /* the file shrank while it was read */
            memset(buffer, 0, sizeof buffer);
        newc_data(out, buffer, n ? (size_t)n : sizeof buffer);
    }
}

static void write_extra(const char *path, const char *name, struct newc *out)
{
    char buffer[1 << 16];
    struct stat st;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st))
        die(STATUS_NOT_RUNNABLE, "%s: %s", path, strerror(errno));
    if (st.st_size > UINT32_MAX)
        die(STATUS_NOT_RUNNABLE, "%s: files above 4 GiB do not fit a cpio archive", path);
    const struct newc_entry header = {.path = name,
                                      .ino = 1,
                                      .mode = S_IFREG | 0755,
                                      .nlink = 1,
                                      .size = (uint32_t)st.st_size,
                                      .mtime = (uint32_t)st.st_mtime};
    newc_entry(out, &header);
    while (out->data_left && (n = read(fd, buffer, sizeof buffer)) > 0)
        newc_data(out, buffer, (size_t)n);
    if (out->data_left)
        die(STATUS_NOT_RUNNABLE, "%s: cannot be read to its end", path);
    close(fd);
}

int rootfs_write(struct rootfs *root, const char *extra, const char *extra_name, char **path)
{
    struct archive_entry *entry;
    struct newc out;
    size_t i = 0;
    int fd = open_temporary(path);
    FILE *file = fdopen(dup(fd), "w");

    if (!file)
        die(STATUS_FAILED, "%s", strerror(errno));
    newc_begin(&out, file);
    struct archive *a = open_source(root);
    while (i < root->nr && next_entry(root, a, &entry)) {
        struct file *known = root->files[i++];
        char *key = key_of(root, entry);
        if (strcmp(known->key, key) != 0)
            die(STATUS_FAILED, "--root %s: it changed while it was read", root->source);
        free(key);
        if (!S_ISSOCK(known->mode))
            write_entry(root, a, entry, known, &out);
    }
    archive_read_free(a);
    if (extra)
        write_extra(extra, extra_name, &out);
    newc_end(&out);
    if (ferror(file) || fclose(file))
        die(STATUS_FAILED, "cannot write the root archive: %s (TMPDIR chooses the directory)",
            strerror(errno));
    return fd;
}

uint64_t rootfs_file_bytes(struct rootfs *root, const char *path, uint64_t *size)
{
    char *real;
    struct file *file = resolve(root, path, MAX_SYMLINKS, &real);

    if (!file)
        return 0;
    if (file->first)
        file = file->first;
    *size = file->size;
    return file->offset;
}
