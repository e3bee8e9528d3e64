/* Whether KVM is worth using here. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accel.h"
#include "yolk.h"

static bool cpu_has_virtualisation(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    while (file && !found && getline(&line, &size, file) > 0) {
        if (strncmp(line, "flags", 5) != 0)
            continue;
        for (char *save, *flag = strtok_r(line, " \t\n:", &save); flag;
             flag = strtok_r(NULL, " \t\n:", &save))
            found |= !strcmp(flag, "vmx") || !strcmp(flag, "svm");
        break;
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* Where the answer of this boot of the host is kept; NULL when there is no place. */
static char *answer_path(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char boot[37] = "";
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    ssize_t n = read(fd, boot, sizeof boot - 1);
    close(fd);
    if (n != (ssize_t)sizeof boot - 1 || (!cache && !home))
        return NULL;
    char *dir = cache && *cache ? xasprintf("%s/yolk", cache) : xasprintf("%s/.cache/yolk", home);
    for (char *p = dir + 1; *p; p++) {
        if (*p == '/') {
            *p = 0;
            mkdir(dir, 0777);
            *p = '/';
        }
    }
    mkdir(dir, 0777);
    return xasprintf("%s/kvm-%s", dir, boot);
}

/* A machine with the example `hello` must end well within three seconds. */
static bool probe_boot_works(void)
{
    char *self = xasprintf("%s/userland/yolk/yolk", yolk_build_dir);
    char *const argv[] = {self, "run", "--accel", "kvm", "--timeout", "3", "hello", NULL};
    int status = run_quietly(argv, NULL);

    free(self);
    return status == 0;
}

bool accel_kvm_is_real(void)
{
    char answer = 0;

    if (!cpu_has_virtualisation() || access("/dev/kvm", R_OK | W_OK))
        return false;
    char *path = answer_path();
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        if (read(fd, &answer, 1) != 1)
            answer = 0;
        close(fd);
    }
    if (answer != 'y' && answer != 'n') {
        answer = probe_boot_works() ? 'y' : 'n';
        fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
        if (fd >= 0) {
            if (write(fd, &answer, 1) != 1)
                unlink(path);
            close(fd);
        }
    }
    free(path);
    return answer == 'y';
}

const char *accel_explain(void)
{
    if (!cpu_has_virtualisation())
        return "emulation (the CPU shows neither vmx nor svm)";
    if (access("/dev/kvm", F_OK))
        return "emulation (there is no /dev/kvm)";
    if (access("/dev/kvm", R_OK | W_OK))
        return "emulation (/dev/kvm may not be opened: join the group kvm)";
    return accel_kvm_is_real() ? "KVM" : "emulation (a trial guest did not run under KVM)";
}
