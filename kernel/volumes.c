/* Shared folders: each yolk.volume=TAG:DIR[:ro] is mounted on DIR, which is made when it does not exist. */
#include <base/errno.h>
#include <base/string.h>
#include <image/boot.h>
#include <image/root.h>
#include <linux/mount.h>
#include <vfs/mount.h>
#include <vfs/p9.h>

static const char *reason_of(int error)
{
    switch (error) {
    case -ENOENT:
        return "the machine has no such device";
    case -ENOTDIR:
        return "the place in the guest is not a directory";
    default:
        return "it was refused";
    }
}

static int mount_volume(const char *tag, const char *dir, bool is_read_only)
{
    char place[256];
    struct path found;
    struct superblock *sb;
    snprintf(place, sizeof(place), "%s/.", dir);
    int ret = root_make_dirs(place, &found);
    if (ret < 0)
        return ret;
    path_put(&found);
    ret = p9_superblock(tag, &sb);
    if (ret < 0)
        return ret;
    sb->is_read_only = is_read_only;
    return path_mount_at(dir, sb, is_read_only ? MS_RDONLY : 0);
}

void boot_volumes(const struct cmdline *line)
{
    for (unsigned n = 0; n < line->nr_volumes; n++) {
        char tag[64], dir[256];
        const char *text = line->volumes[n], *colon = strchr(text, ':');
        size_t tag_len = colon ? (size_t)(colon - text) : sizeof(tag), len = sizeof(dir);
        if (tag_len < sizeof(tag))
            len = strlcpy(dir, colon + 1, sizeof(dir));
        if (len >= sizeof(dir))
            control_end(125, "yolk.volume=%s: not TAG:DIR, or too long", text);
        memcpy(tag, text, tag_len);
        tag[tag_len] = 0;
        bool is_read_only = len > 3 && strcmp(dir + len - 3, ":ro") == 0;
        if (is_read_only)
            dir[len - 3] = 0;
        int ret = mount_volume(tag, dir, is_read_only);
        if (ret < 0)
            control_end(125, "the shared folder for %s: %s (error %d)", dir, reason_of(ret), -ret);
    }
}
