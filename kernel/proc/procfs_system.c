/* /proc: the machine as a whole. */
#include "private.h"
#include "procfs_private.h"

#include <base/string.h>
#include <core/heap.h>
#include <core/load.h>
#include <core/page.h>
#include <core/timer.h>
#include <proc/system.h>
#include <vfs/devfs.h>
#include <vfs/mount.h>

#define NS_PER_TICK  10000000UL
#define NS_PER_SEC   1000000000UL
#define CPUINFO_SIZE 8192
#define KB_PER_PAGE  (PAGE_SIZE / 1024)

static int show_cpuinfo(struct text *t, struct inode *i)
{
    char *buf = heap_alloc(CPUINFO_SIZE);
    if (!buf)
        return -ENOMEM;
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
        text_put(t, buf, arch_cpuinfo(cpu, buf, CPUINFO_SIZE));
    heap_free(buf);
    return 0;
}

static int show_meminfo(struct text *t, struct inode *i)
{
    unsigned long total = page_count_total() * KB_PER_PAGE, free = page_count_free() * KB_PER_PAGE;
    static const char *const zeros[] = {
        "Buffers",      "Cached",         "SwapCached",   "Active",         "Inactive",
        "Active(anon)", "Inactive(anon)", "Active(file)", "Inactive(file)", "Unevictable",
        "Mlocked",      "SwapTotal",      "SwapFree",     "Dirty",          "Writeback",
        "AnonPages",    "Mapped",         "Shmem",        "KReclaimable",
    };
    text_print(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
               total, free, free);
    for (unsigned n = 0; n < ARRAY_LEN(zeros); n++)
        text_print(t, "%s:%*d kB\n", zeros[n], 23 - (int)strlen(zeros[n]), 0);
    text_print(t, "Slab:           %8lu kB\n", (unsigned long)heap_bytes_used() / 1024);
    text_print(t, "CommitLimit:    %8lu kB\nCommitted_AS:   %8lu kB\n", total, total - free);
    text_print(
        t, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\n"
           "HugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n");
    return 0;
}

/* Time that is not idle is given as user time: ring changes are not accounted per CPU. */
static void show_cpu_times(struct text *t, uint64_t total_ns, uint64_t idle_ns)
{
    uint64_t busy = total_ns > idle_ns ? total_ns - idle_ns : 0;
    text_print(t, " %lu 0 0 %lu 0 0 0 0 0 0\n", busy / NS_PER_TICK, idle_ns / NS_PER_TICK);
}

static int show_stat(struct text *t, struct inode *i)
{
    uint64_t now = clock_mono_ns(), idle = 0, switches;
    unsigned cpus = arch_cpu_count(), running = sched_load(&switches);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        idle += sched_idle_ns(cpu);
    text_print(t, "cpu ");
    show_cpu_times(t, now * cpus, idle);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        text_print(t, "cpu%u", cpu);
        show_cpu_times(t, now, sched_idle_ns(cpu));
    }
    text_print(t, "intr 0\nctxt %lu\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
               switches, (clock_wall_ns() - now) / NS_PER_SEC, pid_count_tasks(), running);
    return 0;
}

static int show_uptime(struct text *t, struct inode *i)
{
    uint64_t up = clock_mono_ns() / NS_PER_TICK, idle = 0;
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
        idle += sched_idle_ns(cpu) / NS_PER_TICK;
    text_print(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
    return 0;
}

static void count_thread(void *arg, struct thread *t)
{
    *(unsigned *)arg += !t->is_idle;
}

static int show_loadavg(struct text *t, struct inode *i)
{
    uint64_t switches;
    unsigned long average[3];
    /* The kernel's threads count, too; in this order, because a dead one is still there for a while. */
    unsigned running = sched_load(&switches), all = 0;
    sched_visit(count_thread, &all);
    load_averages(average);
    for (unsigned n = 0; n < 3; n++) {
        unsigned long hundredths = (average[n] * 100 + (1 << LOAD_SHIFT) / 2) >> LOAD_SHIFT;
        text_print(t, "%lu.%02lu ", hundredths / 100, hundredths % 100);
    }
    text_print(t, "%u/%u %d\n", running, all, current_task()->tid);
    return 0;
}

static int show_filesystems(struct text *t, struct inode *i)
{
    for (const struct mount_type *m = mount_types(); m; m = m->next)
        text_print(t, "%s\t%s\n", m->needs_device ? "" : "nodev", m->name);
    return 0;
}

static int show_devices(struct text *t, struct inode *i)
{
    text_print(t, "Character devices:\n");
    for (const struct chardev *d = chardev_first(); d; d = d->next)
        text_print(t, "%3u %s\n", d->major, d->name);
    text_print(t, "\nBlock devices:\n");
    return 0;
}

static char *boot_line;

static int show_cmdline(struct text *t, struct inode *i)
{
    text_print(t, "%s\n", boot_line);
    return 0;
}

void proc_make_system(struct dentry *root, const char *line)
{
    static const struct {
        const char *name;
        struct text_source source;
    } files[] = {
        {"cpuinfo", {.show = show_cpuinfo}},
        {"meminfo", {.show = show_meminfo}},
        {"stat", {.show = show_stat}},
        {"uptime", {.show = show_uptime}},
        {"loadavg", {.show = show_loadavg}},
        {"filesystems", {.show = show_filesystems}},
        {"devices", {.show = show_devices}},
        {"version",
         {.show = text_show_string,
          .string = SYSTEM_NAME " version " SYSTEM_RELEASE " (yolk@yolk) (" __VERSION__
                                ") " SYSTEM_VERSION "\n"}},
        {"cmdline", {.show = show_cmdline}},
        {"swaps",
         {.show = text_show_string,
          .string = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"}},
    };
    boot_line = heap_strdup(line);
    bool is_complete = boot_line && simple_symlink(root, "mounts", "self/mounts") != NULL;
    for (unsigned n = 0; n < ARRAY_LEN(files); n++)
        is_complete &= text_file(root, files[n].name, 0444, &files[n].source) != NULL;
    if (!is_complete)
        panic("no memory for /proc");
}
