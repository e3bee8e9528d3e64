/* What the file tests share: they work in a directory of their own, on a tmpfs, as root. */
#pragma once

#include "abi.h"

static inline void enter_test_dir(const char *name)
{
    umask(022);
    NEED(mkdir(name, 0777) == 0 && chdir(name) == 0);
}

static inline void make_file(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);

    NEED(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
