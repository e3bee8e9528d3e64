/* A machine under gdb: the socket that QEMU's stub listens on, the program's own descriptors, and gdb itself.
 *
 * The socket listens before QEMU is started, so gdb, or an IDE, may connect at any time.  gdb gets the terminal;
 * the program's standard input is /dev/null then, and what it writes comes out between gdb's lines. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"
#include "program.h"
#include "run.h"

static void listen_on(struct debugger *d, const struct sockaddr *address, socklen_t len)
{
    int yes = 1;

    d->listener = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The last session's connection may not have been forgotten yet. */
    setsockopt(d->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    /* Inherited by what QEMU accepts: gdb speaks in small packets and waits for each. */
    if (address->sa_family == AF_INET)
        setsockopt(d->listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (d->listener < 0 || bind(d->listener, address, len) || listen(d->listener, 1))
        die(STATUS_FAILED, "cannot listen for a debugger on %s: %s", d->address, strerror(errno));
}

static void listen_on_port(struct debugger *d, unsigned port)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;

    d->address = xasprintf("localhost:%u", port);
    listen_on(d, (const struct sockaddr *)&in, len);
    getsockname(d->listener, (struct sockaddr *)&in, &len);
    free(d->address);
    d->address = xasprintf("localhost:%u", ntohs(in.sin_port));
}

static void listen_on_path(struct debugger *d, const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof un.sun_path)
        die(STATUS_FAILED, "%s: too long for the name of a socket", path);
    memcpy(un.sun_path, path, strlen(path) + 1);
    d->address = xstrdup(path);
    listen_on(d, (const struct sockaddr *)&un, sizeof un);
}

/* Nobody else can reach into a directory of our own. */
static void listen_in_private(struct debugger *d)
{
    const char *dir = getenv("TMPDIR");

    d->directory = xasprintf("%s/yolk-gdb.XXXXXX", dir && *dir ? dir : "/tmp");
    if (!mkdtemp(d->directory))
        die(STATUS_FAILED, "%s: %s (set TMPDIR to another directory)", d->directory,
            strerror(errno));
    char *path = xasprintf("%s/socket", d->directory);
    listen_on_path(d, path);
    free(path);
}

static void redirect(const char *path, int flags, int fd)
{
    int file = open(path, flags | O_CLOEXEC, 0666);

    if (file < 0)
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    dup2(file, fd);
    close(file);
}

/* gdb gets the descriptors that are ours, and the program others. */
static void part_from_stdio(struct debugger *d)
{
    for (int fd = 0; fd < 3; fd++)
        d->stdio[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    redirect(d->input ? d->input : "/dev/null", O_RDONLY, STDIN_FILENO);
    if (!d->output)
        return;
    redirect(d->output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, STDOUT_FILENO);
    dup2(STDOUT_FILENO, STDERR_FILENO);
}

void debugger_prepare(struct debugger *d)
{
    d->listener = -1;
    if (!d->where)
        listen_in_private(d);
    else if (d->where[strspn(d->where, "0123456789")])
        listen_on_path(d, d->where);
    else
        listen_on_port(d, *d->where == '0' && !d->where[1]
                              ? 0
                              : (unsigned)option_number("listen", d->where, 1, 65535));
    if (!d->only_waits)
        part_from_stdio(d);
}

/* The directory of the runtime's own script, which Go writes into its programs; NULL: none.  A program may name any
 * file, and gdb runs it: so only one that has the name and place of Go's. */
static char *go_script(const struct payload *payload)
{
    static const char suffix[] = "/src/runtime/runtime-gdb.py";
    char *found = NULL, *text = NULL;
    size_t size = 0;
    FILE *file = payload->host_path ? fopen(payload->host_path, "re") : NULL;

    if (!file)
        return NULL;
    /* Sections end their strings with a NUL, so each is a line of its own here. */
    while (!found && getdelim(&text, &size, 0, file) > 0) {
        char *script = strrchr(text, 1); /* the kind of the entry: SECTION_SCRIPT_ID_PYTHON_FILE */
        script = script ? script + 1 : text;
        size_t n = strlen(script);
        if (n > sizeof suffix - 1 && *script == '/' &&
            !strcmp(script + n - (sizeof suffix - 1), suffix))
            found = xstrdup(script);
    }
    free(text);
    fclose(file);
    return found;
}

/* gdb's command line, up to what the person adds to it. */
static void make_command(struct debugger *d, const struct run_options *options,
                         const struct payload *payload, struct strings *words)
{
    struct program_report report = {0};
    char *script = go_script(payload);

    if (payload->host_path)
        program_inspect(payload->host_path, &report);
    strings_addf(words, "gdb");
    strings_addf(words, "-q");
    if (script && report.go_version) {
        strings_addf(words, "-iex");
        strings_addf(words, "add-auto-load-safe-path %s", script);
    }
    strings_addf(words, "-x");
    strings_addf(words, "%s/userland/yolk/gdb/yolk.py", yolk_source_dir);
    strings_addf(words, "-ex");
    if (payload->host_path)
        strings_addf(words, "yolk attach '%s' '%s' '%s' %#jx %#jx", d->address, options->kernel,
                     payload->host_path, (uintmax_t)report.base, (uintmax_t)report.entry);
    else
        strings_addf(words, "yolk attach '%s' '%s'", d->address, options->kernel);
    free(script);
}

static void say_how(const struct strings *words)
{
    char *line = xstrdup("");

    for (size_t i = 0; i < words->nr; i++) {
        bool is_plain = !strpbrk(words->items[i], " '");
        char *longer =
            xasprintf(is_plain ? "%s%s%s" : "%s%s\"%s\"", line, i ? " " : "", words->items[i]);
        free(line);
        line = longer;
    }
    say("the machine waits for a debugger: %s", line);
    free(line);
}

_Noreturn static void become_gdb(const struct debugger *d, const char *path, char **argv,
                                 pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(STATUS_FAILED);
    for (int fd = 0; fd < 3; fd++)
        dup2(d->stdio[fd], fd);
    setenv("YOLK_GDB", "1", 1); /* the machine ends with gdb */
    execv(path, argv);
    _exit(STATUS_FAILED);
}

void debugger_start(struct debugger *d, const struct run_options *options,
                    const struct payload *payload)
{
    struct strings words = {0};
    pid_t self = getpid();

    /* QEMU's own must be the last, for gdb to notice its end. */
    close(d->listener);
    d->listener = -1;
    make_command(d, options, payload, &words);
    if (d->only_waits) {
        say_how(&words);
        return;
    }
    for (size_t i = 0; i < d->gdb.nr; i++)
        strings_add(&words, xstrdup(d->gdb.items[i]));
    char *path = find_in_path("gdb");
    fflush(NULL);
    d->pid = path ? fork() : -1;
    if (d->pid < 0)
        die(STATUS_FAILED, "cannot start gdb: %s", strerror(errno));
    if (!d->pid)
        become_gdb(d, path, words.items, self);
    /* The terminal's keys are for gdb, which shares our process group. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

bool debugger_reap(struct debugger *d)
{
    int status;

    if (d->pid <= 0 || waitpid(d->pid, &status, WNOHANG) != d->pid)
        return false;
    d->pid = 0;
    d->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

bool debugger_end(const struct debugger *d)
{
    return d->pid > 0 && !kill(d->pid, SIGTERM);
}

void debugger_finish(struct debugger *d)
{
    if (d->pid > 0) {
        int status = wait_for(d->pid);
        d->pid = 0;
        d->status = status < 0 ? STATUS_FAILED : status;
    }
    if (d->listener >= 0)
        close(d->listener);
    if (d->address && *d->address == '/')
        unlink(d->address);
    if (d->directory)
        rmdir(d->directory);
}
