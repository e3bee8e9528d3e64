/* /proc/sys: what sysctl(8) shows.  Most of it cannot be changed; programs want to know it. */
#include "procfs_private.h"

#include <base/string.h>
#include <core/random.h>
#include <net/net.h>
#include <proc/system.h>
#include <vfs/pipe.h>

/* --- values that are made up or can be set ---------------------------------------------------- */

static int show_hostname(struct text *t, struct inode *i)
{
    char name[SYSTEM_NAME_MAX + 1];
    system_get_hostname(name);
    text_print(t, "%s\n", name);
    return 0;
}

static int show_domainname(struct text *t, struct inode *i)
{
    char name[SYSTEM_NAME_MAX + 1];
    system_get_domainname(name);
    text_print(t, "%s\n", name[0] ? name : "(none)");
    return 0;
}

/* The first line, without its end. */
static int store_name(const char *text, void (*set)(const char *name))
{
    char name[SYSTEM_NAME_MAX + 1];
    strlcpy(name, text, sizeof(name));
    char *end = strchr(name, '\n');
    if (end)
        *end = '\0';
    set(name);
    return 0;
}

static int store_hostname(struct inode *i, const char *text, size_t n)
{
    return store_name(text, system_set_hostname);
}

static int store_domainname(struct inode *i, const char *text, size_t n)
{
    return store_name(text, system_set_domainname);
}

/* A version 4 UUID of 16 random bytes. */
static void print_uuid(struct text *t, uint8_t u[16])
{
    u[6] = (u[6] & 0x0f) | 0x40;
    u[8] = (u[8] & 0x3f) | 0x80;
    for (unsigned n = 0; n < 16; n++)
        text_print(t, n == 4 || n == 6 || n == 8 || n == 10 ? "-%02x" : "%02x", u[n]);
    text_put(t, "\n", 1);
}

static int show_uuid(struct text *t, struct inode *i)
{
    uint8_t u[16];
    random_bytes(u, sizeof(u));
    print_uuid(t, u);
    return 0;
}

static uint8_t boot_id[16]; /* set once at boot */

static int show_boot_id(struct text *t, struct inode *i)
{
    print_uuid(t, boot_id);
    return 0;
}

static int show_entropy(struct text *t, struct inode *i)
{
    text_print(t, "%d\n", random_is_seeded() ? 256 : 0);
    return 0;
}

static int show_tw_buckets(struct text *t, struct inode *i)
{
    text_print(t, "%u\n", net_max_tw_buckets());
    return 0;
}

/* --- the tree --------------------------------------------------------------------------------- */

/* clang-format off */
#define CONSTANT(path, value) {path, 0444, {.show = text_show_string, .string = value "\n"}}
/* clang-format on */
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

static const struct sysctl {
    const char *path; /* below /proc/sys; a directory's files lie together */
    unsigned mode;
    struct text_source source;
} sysctls[] = {
    {"kernel/hostname", 0644, {.show = show_hostname, .store = store_hostname}},
    {"kernel/domainname", 0644, {.show = show_domainname, .store = store_domainname}},
    CONSTANT("kernel/ostype", SYSTEM_NAME),
    CONSTANT("kernel/osrelease", SYSTEM_RELEASE),
    CONSTANT("kernel/version", SYSTEM_VERSION),
    CONSTANT("kernel/pid_max", "32768"),
    CONSTANT("kernel/threads-max", "32768"),
    CONSTANT("kernel/ngroups_max", "65536"),
    CONSTANT("kernel/cap_last_cap", "40"),
    CONSTANT("kernel/overflowuid", "65534"),
    CONSTANT("kernel/overflowgid", "65534"),
    CONSTANT("kernel/randomize_va_space", "2"),
    CONSTANT("kernel/core_pattern", "core"),
    CONSTANT("kernel/core_uses_pid", "0"),
    CONSTANT("kernel/tainted", "0"),
    CONSTANT("kernel/random/poolsize", "256"),
    {"kernel/random/boot_id", 0444, {.show = show_boot_id}},
    {"kernel/random/uuid", 0444, {.show = show_uuid}},
    {"kernel/random/entropy_avail", 0444, {.show = show_entropy}},
    CONSTANT("vm/overcommit_memory", "1"), /* nothing is refused for what it may come to */
    CONSTANT("vm/overcommit_ratio", "50"),
    CONSTANT("vm/max_map_count", "65530"),
    CONSTANT("vm/mmap_min_addr", "65536"),
    CONSTANT("vm/nr_hugepages", "0"),
    CONSTANT("vm/swappiness", "60"),
    CONSTANT("fs/file-max", "9223372036854775807"),
    CONSTANT("fs/file-nr", "0\t0\t9223372036854775807"),
    CONSTANT("fs/nr_open", "1048576"),
    CONSTANT("fs/pipe-max-size", TEXT(PIPE_MAX_SIZE)),
    CONSTANT("fs/pipe-user-pages-soft", "16384"),
    CONSTANT("fs/pipe-user-pages-hard", "0"),
    CONSTANT("fs/inotify/max_queued_events", "16384"),
    CONSTANT("fs/inotify/max_user_instances", "128"),
    CONSTANT("fs/inotify/max_user_watches", "65536"),
    CONSTANT("fs/epoll/max_user_watches", "1048576"),
    CONSTANT("net/core/somaxconn", "4096"),
    {"net/ipv4/tcp_max_tw_buckets", 0444, {.show = show_tw_buckets}},
};

/* The directory of the first `len` bytes of `path`, made when it is not there. */
static struct dentry *make_dir(struct dentry *root, const char *path, size_t len)
{
    struct dentry *dir = root;
    for (size_t start = 0; dir && start < len;) {
        size_t end = start;
        while (end < len && path[end] != '/')
            end++;
        char name[32];
        strlcpy(name, path + start, MIN(sizeof(name), end - start + 1));
        struct dentry *found = dentry_find(dir, name, end - start);
        if (found)
            dentry_put(found); /* the tree keeps it */
        dir = found ? found : simple_dir(dir, name, 0555);
        start = end + 1;
    }
    return dir;
}

void proc_make_sys(struct dentry *root)
{
    random_bytes(boot_id, sizeof(boot_id));
    struct dentry *sys = simple_dir(root, "sys", 0555);
    bool is_complete = sys;
    for (unsigned n = 0; is_complete && n < ARRAY_LEN(sysctls); n++) {
        const struct sysctl *s = &sysctls[n];
        const char *name = strrchr(s->path, '/');
        struct dentry *dir = make_dir(sys, s->path, name - s->path);
        is_complete = dir && text_file(dir, name + 1, s->mode, &s->source);
    }
    if (!is_complete)
        panic("no memory for /proc/sys");
}
