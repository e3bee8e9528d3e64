/* Small helpers that every subcommand uses: messages, memory, paths, child processes. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "terminal.h"
#include "yolk.h"

const char yolk_source_dir[] = YOLK_SOURCE_DIR;
const char yolk_build_dir[] = YOLK_BUILD_DIR;

static void say_va(const char *format, va_list args)
{
    char *text = NULL;

    fflush(stdout);
    if (vasprintf(&text, format, args) < 0)
        return;
    dprintf(STDERR_FILENO, "yolk: %s%s", text, terminal_is_raw() ? "\r\n" : "\n");
    free(text);
}

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_va(format, args);
    va_end(args);
}

void die(int status, const char *format, ...)
{
    va_list args;

    terminal_restore();
    va_start(args, format);
    say_va(format, args);
    va_end(args);
    exit(status);
}

void *xrealloc(void *old, size_t size)
{
    void *new = realloc(old, size ? size : 1);

    if (!new)
        die(STATUS_FAILED, "out of memory");
    return new;
}

void *xmalloc(size_t size)
{
    return memset(xrealloc(NULL, size), 0, size);
}

char *xstrdup(const char *s)
{
    size_t size = strlen(s) + 1;
    return memcpy(xmalloc(size), s, size);
}

static char *xvasprintf(const char *format, va_list args)
{
    char *s;

    if (vasprintf(&s, format, args) < 0)
        die(STATUS_FAILED, "out of memory");
    return s;
}

char *xasprintf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *s = xvasprintf(format, args);
    va_end(args);
    return s;
}

void strings_add(struct strings *list, char *item)
{
    list->items = xrealloc(list->items, (list->nr + 2) * sizeof *list->items);
    list->items[list->nr++] = item;
    list->items[list->nr] = NULL;
}

void strings_addf(struct strings *list, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strings_add(list, xvasprintf(format, args));
    va_end(args);
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *kernel_image_path(void)
{
    const char *named = getenv("YOLK_KERNEL");

    return named ? xstrdup(named) : xasprintf("%s/yolk.elf", yolk_build_dir);
}

char *example_path(const char *name)
{
    char *path = xasprintf("%s/userland/examples/%s", yolk_build_dir, name);
    struct stat st;

    if (!*name || strchr(name, '/') || stat(path, &st) || !S_ISREG(st.st_mode)) {
        free(path);
        return NULL;
    }
    return path;
}

char *find_in_path(const char *command)
{
    const char *path = getenv("PATH");

    if (strchr(command, '/'))
        return access(command, X_OK) ? NULL : xstrdup(command);
    for (const char *dir = path ? path : "/usr/bin:/bin"; *dir;) {
        size_t len = strcspn(dir, ":");
        char *file = xasprintf("%.*s%s%s", (int)len, dir, len ? "/" : "", command);
        struct stat st;

        if (!access(file, X_OK) && !stat(file, &st) && S_ISREG(st.st_mode))
            return file;
        free(file);
        dir += len + (dir[len] == ':');
    }
    return NULL;
}

int open_temporary(char **path)
{
    const char *dir = getenv("TMPDIR");

    if (!dir || !*dir)
        dir = "/tmp";
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        char *template = xasprintf("%s/yolk.XXXXXX", dir);
        fd = mkostemp(template, O_CLOEXEC);
        if (fd >= 0)
            unlink(template);
        free(template);
    }
    if (fd < 0)
        die(STATUS_FAILED,
            "cannot make a temporary file in %s: %s (set TMPDIR to another directory)", dir,
            strerror(errno));
    *path = xasprintf("/proc/self/fd/%d", fd);
    return fd;
}

static char *read_all(int fd)
{
    size_t len = 0, size = 4096;
    char *text = xmalloc(size);

    for (;;) {
        ssize_t n = read(fd, text + len, size - len - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        len += (size_t)n;
        if (len + 1 == size)
            text = xrealloc(text, size *= 2);
    }
    text[len] = 0;
    return text;
}

int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_quietly(char *const argv[], char **output)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        die(STATUS_FAILED, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        die(STATUS_FAILED, "fork: %s", strerror(errno));
    if (!pid) {
        int null = open("/dev/null", O_RDONLY);
        scratch_in_child();
        dup2(null, STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execvp(argv[0], argv);
        _exit(STATUS_NOT_FOUND);
    }
    close(ends[1]);
    char *text = read_all(ends[0]);
    close(ends[0]);
    if (output)
        *output = text;
    else
        free(text);
    int status = wait_for(pid);
    scratch_heed_signals();
    return status;
}
