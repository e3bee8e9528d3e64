/* /proc/self and other files there, as far as libcs and runtimes read them. */
#include <ctype.h>
#include <sys/auxv.h>

#include "abi.h"

static char text[200000];

static const char *contents(const char *path)
{
    int fd = open(path, O_RDONLY);
    size_t len = 0;
    ssize_t n;

    if (fd < 0) {
        say("%s: %s", path, strerror(errno));
        return "";
    }
    while ((n = read(fd, text + len, sizeof text - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = 0;
    close(fd);
    return text;
}

/* Whether maps has a line with these permissions for the address. */
static bool maps_say(const void *address, const char *permissions)
{
    unsigned long start, end;
    char perms[8];

    for (char *save, *line = strtok_r((char *)contents("/proc/self/maps"), "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3 &&
            (unsigned long)address >= start && (unsigned long)address < end)
            return !strcmp(perms, permissions);
    return false;
}

static int initialised = 1;

int main(int argc, char **argv)
{
    char path[PATH_MAX], link[PATH_MAX], *line;
    struct stat a, b;
    ssize_t n;

    (void)argc;
    SHOW((n = readlink("/proc/self/exe", path, sizeof path - 1)) > 0);
    path[n > 0 ? n : 0] = 0;
    CHECK(path[0] == '/');
    SHOW(stat(path, &a) == 0 && stat("/proc/self/exe", &b) == 0 && a.st_ino == b.st_ino);
    int exe = open("/proc/self/exe", O_RDONLY);
    NEED(exe >= 0 && read(exe, text, 4) == 4);
    say("exe is an ELF file: %d", !memcmp(text, "\177ELF", 4));
    contents("/proc/self/cmdline");
    say("cmdline: %d", !strcmp(text, argv[0]));
    contents("/proc/self/comm");
    CHECK(strchr(text, '\n') != NULL);
    char *heap = malloc(1 << 20);
    *heap = 1;
    say("maps: text %d, data %d, stack %d, mmap %d", maps_say((void *)main, "r-xp"),
        maps_say(&initialised, "rw-p"), maps_say(path, "rw-p"), maps_say(heap, "rw-p"));
    CHECK(strstr(contents("/proc/self/maps"), "[stack]") != NULL);
    contents("/proc/self/status");
    line = strstr(text, "\nPid:\t");
    say("status: pid %d", line && atoi(line + 6) == getpid());
    line = strstr(text, "\nThreads:\t");
    say("status: threads %d", line ? atoi(line + 10) : -1);
    CHECK(strstr(text, "\nVmRSS:\t") && strstr(text, "\nUid:\t"));
    contents("/proc/self/stat");
    int pid;
    char comm[64], state;
    line = strrchr(text, ')');
    CHECK(line && sscanf(text, "%d (%63s", &pid, comm) == 2 && sscanf(line, ") %c", &state) == 1);
    say("stat: pid %d, state %c", pid == getpid(), state);
    unsigned long size, resident;
    CHECK(sscanf(contents("/proc/self/statm"), "%lu %lu", &size, &resident) == 2 &&
          size >= resident && resident > 0);
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    say("fd: %s", n > 5 ? path + n - 5 : "?");
    CHECK(write(fd, "abc", 3) == 3);
    int again = open(link, O_RDONLY); /* the same file, opened anew */
    say("through fd: %zd bytes", read(again, text, 10));
    unlink("file");
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    say("deleted: %d", n > 10 && !strcmp(path + n - 10, " (deleted)"));
    say("through fd, deleted: %d", open(link, O_RDONLY) >= 0);
    int ends[2];
    NEED(pipe(ends) == 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", ends[0]);
    n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    say("a pipe: %.6s", path);
    SHOW(readlink("/proc/self/fd/99", path, sizeof path));
    SHOW(readlink("/proc/self/cwd", path, sizeof path) > 0);
    say("root: %zd", readlink("/proc/self/root", path, sizeof path));
    SHOW(readlink("/proc/self", path, sizeof path) > 0);
    SHOW(access("/proc/self/task", F_OK));
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", getpid(), tid_of_self());
    SHOW(access(path, R_OK));
    SHOW(access("/proc/999999", F_OK));
    contents("/proc/cpuinfo");
    long processors = 0;
    for (line = text; (line = strstr(line, "processor\t")); line++)
        processors++;
    CHECK(processors >= sysconf(_SC_NPROCESSORS_ONLN)); /* ours may be fewer, by affinity */
    unsigned long total = 0;
    CHECK(sscanf(contents("/proc/meminfo"), "MemTotal: %lu kB", &total) == 1 && total > 8192);
    CHECK(strstr(text, "MemFree:") && strstr(text, "MemAvailable:"));
    double up, idle;
    CHECK(sscanf(contents("/proc/uptime"), "%lf %lf", &up, &idle) == 2 && up > 0);
    CHECK(!strncmp(contents("/proc/version"), "Linux version ", 14));
    CHECK(!strncmp(contents("/proc/stat"), "cpu ", 4));
    CHECK(strstr(contents("/proc/filesystems"), "tmpfs") != NULL);
    CHECK(strstr(contents("/proc/mounts"), " / ") != NULL);
    CHECK(isdigit((unsigned char)contents("/proc/loadavg")[0]));
    CHECK(!strcmp(contents("/proc/sys/kernel/ostype"), "Linux\n"));
    CHECK(atoi(contents("/proc/sys/vm/overcommit_memory")) >= 0 && text[0]);
    CHECK(strlen(contents("/proc/sys/kernel/random/boot_id")) == 37);
    CHECK(atoi(contents("/proc/sys/kernel/pid_max")) > 1000);
    SHOW(access("/sys/devices/system/cpu/online", R_OK));
    CHECK(isdigit((unsigned char)contents("/sys/devices/system/cpu/online")[0]));
    return done();
}
