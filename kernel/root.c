/* Path walks of the boot itself: as root, from the root, before any process exists. */
#include <arch/arch.h>
#include <base/errno.h>
#include <base/string.h>
#include <core/heap.h>
#include <image/root.h>

static const struct cred boot_cred = {.ref = {1}, .cap_effective = ~0UL, .cap_permitted = ~0UL};

const struct cred *root_cred(void)
{
    return &boot_cred;
}

/* Make every directory of `path` up to but not including its last component. */
static int make_parents(const struct walk *w, char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int ret = path_mkdir(w, path, 0755);
        *slash = '/';
        if (ret < 0 && ret != -EEXIST)
            return ret;
    }
    return 0;
}

int root_make_dirs(const char *name, struct path *dir)
{
    const struct path *root = root_path();
    struct fs_context *fs = fs_context_new(root, root);
    char *copy = heap_alloc(strlen(name) + 2);
    int ret = -ENOMEM;

    if (fs && copy) {
        struct walk w = {.fs = fs, .cred = &boot_cred};

        snprintf(copy, strlen(name) + 2, "%s%s", name[0] == '/' ? "" : "/", name);
        ret = make_parents(&w, copy);
        *strrchr(copy, '/') = '\0';
        if (ret == 0)
            ret = path_walk(&w, copy[0] ? copy : "/", WALK_FOLLOW | WALK_DIRECTORY, dir);
    }
    heap_free(copy);
    if (fs)
        fs_context_put(fs);
    return ret;
}
