/* What the file tests share: they work in an empty directory of a tmpfs, as root. */
#pragma once

#include "abi.h"

static inline void enter_test_dir(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "/dev/shm/%s.%d", name, (int)getpid());
    umask(022);
    NEED(mkdir(path, 0777) == 0 && chdir(path) == 0);
}

static inline void make_file(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

    NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
