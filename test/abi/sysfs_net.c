/* /sys/class/net: the loopback interface. */
#include <dirent.h>

#include "abi.h"

static void show(const char *attribute)
{
    char path[64], text[64];
    snprintf(path, sizeof path, "/sys/class/net/lo/%s", attribute);
    int fd = open(path, O_RDONLY);
    long n = fd < 0 ? -1 : read(fd, text, sizeof text);
    if (n < 0)
        say("%s: %s", attribute, strerror(errno));
    else
        say("%s: %.*s|", attribute, (int)n, text);
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0)
        say(" mode %o, then %ld", st.st_mode & (S_IFMT | 0444), (long)read(fd, text, sizeof text));
    close(fd);
}

int main(void)
{
    static const char *const attributes[] = {"address", "carrier",   "flags", "ifindex",
                                             "mtu",     "operstate", "type",  "nosuch"};
    struct stat st;
    struct dirent *e;
    int found = 0;
    DIR *d = opendir("/sys/class/net");
    NEED(d);
    while ((e = readdir(d)))
        found += !strcmp(e->d_name, "lo");
    closedir(d);
    SHOW(found);
    CHECK(stat("/sys/class/net/lo", &st) == 0 && S_ISDIR(st.st_mode));
    for (size_t i = 0; i < NR(attributes); i++)
        show(attributes[i]);
    SHOW(access("/sys/class/net/nosuch0", F_OK));
    return done();
}
