/* yolk build: a kernel with system calls of one's own (docs/CUSTOM_SYSCALLS.md).
 *
 * The kernel's objects are there already, with the flags of their link (cmake/custom_kit.cmake): what is compiled is DIR's
 * bodies and a table, what is linked is all. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "customdef.h"
#include "pack.h"

static const char doc[] = "Make a kernel that has, besides Linux's, the system calls of DIR: the "
                          "rows of its .def file and the bodies "
                          "in its .c files.\v`yolk run --kernel FILE PROGRAM` runs a program on "
                          "it; `yolk trace`, `yolk pack` and "
                          "`yolk syscalls` take --kernel, too.  docs/CUSTOM_SYSCALLS.md begins at "
                          "the beginning; the functions that "
                          "bodies may call are in userland/sdk/include/yolk/sdk.h.\n\nExit status: "
                          "0, or 125 when something is wrong.";

enum { OPT_CUSTOM = 256, OPT_RELEASE, OPT_STUBS, OPT_YES };

static const struct argp_option option_table[] = {
    {"custom", OPT_CUSTOM, "DIR", 0, "the folder with the calls", 1},
    {"output", 'o', "FILE", 0, "the kernel to make", 1},
    {"stubs", OPT_STUBS, "DIR", 0,
     "write callers for C (NAME.h) and Go (package NAME) there; NAME is the .def's", 1},
    {"release", OPT_RELEASE, 0, 0, "without the kernel's own checks: smaller and faster", 1},
    {"yes", OPT_YES, 0, OPTION_HIDDEN, 0, 0},
    {0},
};

struct build {
    const char *dir, *output, *stubs;
    bool release;
    char *name; /* of the .def, without its ending */
    struct custom_def def;
    struct strings sources; /* its .c files */
    char *build_dir, *kit;  /* whose objects are linked */
    char *work;             /* temporary; removed at the end */
    char *compiler;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct build *b = state->input;

    switch (key) {
    case OPT_CUSTOM:
        b->dir = arg;
        break;
    case 'o':
        b->output = arg;
        break;
    case OPT_STUBS:
        b->stubs = arg;
        break;
    case OPT_RELEASE:
        b->release = true;
        break;
    case OPT_YES:
        break;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: it is --custom DIR", arg);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* --- DIR ------------------------------------------------------------------------------------------------------------- */

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);

    return len > n && !strcmp(name + len - n, end) && *name != '.';
}

static int is_source(const struct dirent *e)
{
    return ends_in(e->d_name, ".def") || ends_in(e->d_name, ".c");
}

static void check_name(const char *file, const char *name)
{
    bool is_good = (*name >= 'a' && *name <= 'z') &&
                   strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);

    if (!is_good)
        die(STATUS_FAILED, "%s: its name is to be that of a Go package: small letters, digits, _",
            file);
}

static void read_directory(struct build *b)
{
    struct dirent **entries;
    char *def = NULL;
    int nr = scandir(b->dir, &entries, is_source, alphasort);

    if (nr < 0)
        die(STATUS_FAILED, "%s: %s", b->dir, strerror(errno));
    size_t len = strlen(b->dir);
    while (len > 1 && b->dir[len - 1] == '/')
        len--;
    for (int i = 0; i < nr; i++) {
        char *path = xasprintf("%.*s/%s", (int)len, b->dir, entries[i]->d_name);
        if (ends_in(path, ".c")) {
            strings_add(&b->sources, path);
        } else {
            if (def)
                die(STATUS_FAILED, "%s: it has two .def files, %s and %s", b->dir, base_name(def),
                    base_name(path));
            def = path;
        }
    }
    if (!def)
        die(STATUS_FAILED, "%s: it has no .def file", b->dir);
    b->name = xasprintf("%.*s", (int)(strlen(base_name(def)) - 4), base_name(def));
    check_name(def, b->name);
    struct stat st;
    if (stat(def, &st))
        die(STATUS_FAILED, "%s: %s", def, strerror(errno));
    char *text = xstrdup("");
    if (st.st_size) {
        struct bytes bytes = pack_map(def);
        text = xasprintf("%.*s", (int)bytes.size, (const char *)bytes.data);
        pack_unmap(bytes);
    }
    custom_def_parse(&b->def, def, text);
    if (b->def.nr_errors)
        exit(STATUS_FAILED);
}

/* --- the kernel's parts ------------------------------------------------------------------------------------------------- */

/* One line of a step's output; its progress is shown to a person, in place. */
static void show_progress(const char *line)
{
    if (isatty(STDERR_FILENO) && *line == '[' && !strstr(line, "Re-checking"))
        fprintf(stderr, "\r\033[Kbuilding %.70s", line);
}

/* A command whose output is shown when it fails. */
static void run_step(struct strings *argv, const char *what)
{
    char *log = xstrdup(""), *line = NULL;
    size_t size = 0;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC))
        die(STATUS_FAILED, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (!pid) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execvp(argv->items[0], argv->items);
        _exit(STATUS_NOT_FOUND);
    }
    close(ends[1]);
    FILE *from = fdopen(ends[0], "r");
    if (!from)
        die(STATUS_FAILED, "fdopen: %s", strerror(errno));
    while (getline(&line, &size, from) > 0) {
        char *more = xasprintf("%s%s", log, line);
        free(log);
        log = more;
        line[strcspn(line, "\n")] = 0;
        show_progress(line);
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (pid < 0 || wait_for(pid)) {
        fputs(log, stderr);
        die(STATUS_FAILED, "%s failed", what);
    }
    fclose(from);
    free(line);
    free(log);
}

static bool exists(const char *dir, const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    bool is_there = !access(path, R_OK);

    free(path);
    return is_there;
}

/* One at a time in a build directory; the launcher takes the same lock. */
static int lock_directory(const char *dir)
{
    char *path = xasprintf("%s/.lock", dir);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);

    if (fd < 0 || flock(fd, LOCK_EX))
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    free(path);
    return fd;
}

static void make_kit(struct build *b)
{
    struct strings configure = {0}, ninja = {0};

    b->build_dir =
        b->release ? xasprintf("%s/build/release", yolk_source_dir) : xstrdup(yolk_build_dir);
    b->kit = xasprintf("%s/kit", b->build_dir);
    if (mkdir(b->build_dir, 0777) && errno != EEXIST)
        die(STATUS_FAILED, "%s: %s", b->build_dir, strerror(errno));
    int lock = lock_directory(b->build_dir);
    if (!exists(b->build_dir, "build.ninja")) {
        say("configuring the release kernel, once");
        const char *const words[] = {"cmake", "-S", yolk_source_dir, "--preset", "release"};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            strings_addf(&configure, "%s", words[i]);
        run_step(&configure, "its configuration");
    }
    if (b->release && !exists(b->kit, "kernel.o"))
        say("building the release kernel, once: this takes a few minutes");
    strings_addf(&ninja, "ninja");
    strings_addf(&ninja, "-C");
    strings_addf(&ninja, "%s", b->build_dir);
    strings_addf(&ninja, "custom-kit");
    setenv("NINJA_STATUS", "[%f/%t] ", 1);
    run_step(&ninja, "the build of the kernel's parts");
    close(lock);
}

/* --- compiling -------------------------------------------------------------------------------------------------------------- */

static char *read_line(const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    if (!f || getline(&line, &size, f) < 0)
        die(STATUS_FAILED, "%s: it cannot be read", path);
    line[strcspn(line, "\n")] = 0;
    fclose(f);
    return line;
}

/* What the compiler says goes to stderr.  False: it refused. */
static bool compile(struct build *b, const char *flags, const char *include, const char *source,
                    const char *output)
{
    struct strings argv = {0};
    char *text;

    strings_addf(&argv, "%s", b->compiler);
    if (flags)
        strings_addf(&argv, "@%s/%s", b->kit, flags);
    if (include) {
        strings_addf(&argv, "-include");
        strings_addf(&argv, "%s", include);
    }
    strings_addf(&argv, "-c");
    strings_addf(&argv, "%s", source);
    strings_addf(&argv, "-o");
    strings_addf(&argv, "%s", output);
    int status = run_quietly(argv.items, &text);
    fputs(text, stderr);
    free(text);
    return status == 0;
}

static char *object_of(struct build *b, size_t i)
{
    return xasprintf("%s/body_%zu.o", b->work, i);
}

static void compile_all(struct build *b)
{
    char *bodies = xasprintf("%s/bodies.h", b->work), *table = xasprintf("%s/table.c", b->work);
    char *note = xasprintf("%s/note.S", b->work);
    bool is_good = true;

    custom_write_bodies(&b->def, bodies);
    custom_write_table(&b->def, table);
    custom_write_note(&b->def, note);
    for (size_t i = 0; i < b->sources.nr; i++)
        is_good &= compile(b, "sdk.C.rsp", bodies, b->sources.items[i], object_of(b, i));
    if (is_good)
        is_good = compile(b, "table.C.rsp", NULL, table, xasprintf("%s/table.o", b->work)) &&
                  compile(b, NULL, NULL, note, xasprintf("%s/note.o", b->work));
    if (!is_good)
        die(STATUS_FAILED, "%s does not compile", b->dir);
}

/* --- what the bodies define and use ---------------------------------------------------------------------------------------------- */

/* Symbols of a file, between newlines: "\nsys_greet\nmemcpy\n". */
static char *symbols(const char *file, const char *which)
{
    char *const argv[] = {"nm", "-P", "-g", (char *)which, (char *)file, NULL};
    char *text, *list = xstrdup("\n"), *save = NULL;

    if (run_quietly(argv, &text))
        die(STATUS_FAILED, "nm %s: %s", file, text);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        size_t len = strcspn(line, " ");
        if (!line[len]) /* an archive's member */
            continue;
        char *more = xasprintf("%s%.*s\n", list, (int)len, line);
        free(list);
        list = more;
    }
    free(text);
    return list;
}

static bool is_listed(const char *list, const char *prefix, const char *name)
{
    char *word = xasprintf("\n%s%s\n", prefix, name);
    bool found = strstr(list, word);

    free(word);
    return found;
}

static unsigned missing_bodies(struct build *b, const char *defined)
{
    unsigned nr = 0;

    for (const struct custom_call *c = b->def.calls; c < b->def.calls + b->def.nr_calls; c++) {
        if (is_listed(defined, "sys_", c->id))
            continue;
        fprintf(stderr, "%s:%d: error: %s has no body: no file of %s defines sys_%s\n", b->def.file,
                c->line, c->name, b->dir, c->id);
        nr++;
    }
    for (const struct custom_wrap *w = b->def.wraps; w < b->def.wraps + b->def.nr_wraps; w++) {
        if (is_listed(defined, "wrap_", w->id))
            continue;
        fprintf(stderr, "%s:%d: error: %s has no body: no file of %s defines wrap_%s\n",
                b->def.file, w->line, w->id, b->dir, w->id);
        nr++;
    }
    return nr;
}

static bool is_wrapped(const struct custom_def *def, const char *id)
{
    for (size_t i = 0; i < def->nr_wraps; i++)
        if (!strcmp(def->wraps[i].id, id))
            return true;
    return false;
}

/* Whatever was declared by hand: only the SDK is linked against. */
static unsigned foreign_uses(struct build *b, const char *defined)
{
    char *archive = xasprintf("%s/libhandler_strings.a", b->kit), *save = NULL;
    char *strings = symbols(archive, "--defined-only");
    unsigned nr = 0;

    for (size_t i = 0; i < b->sources.nr; i++) {
        char *used = symbols(object_of(b, i), "-u");
        for (char *name = strtok_r(used, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
            if (!strncmp(name, "yolk_", 5) || is_listed(defined, "", name) ||
                is_listed(strings, "", name) ||
                (!strncmp(name, "original_", 9) && is_wrapped(&b->def, name + 9)))
                continue;
            fprintf(stderr, "%s:1: error: it uses %s, which the SDK does not have\n",
                    b->sources.items[i], name);
            nr++;
        }
        free(used);
    }
    return nr;
}

static void check_bodies(struct build *b)
{
    char *defined = xstrdup("\n");

    for (size_t i = 0; i < b->sources.nr; i++)
        defined = xasprintf("%s%s", defined, symbols(object_of(b, i), "--defined-only"));
    if (missing_bodies(b, defined) + foreign_uses(b, defined))
        die(STATUS_FAILED, "%s is not complete", b->dir);
}

/* --- linking ----------------------------------------------------------------------------------------------------------------------- */

/* The names of the handlers that the table calls; all others stay among the handlers. */
static void write_exports(struct build *b)
{
    char *path = xasprintf("%s/exports", b->work);
    FILE *to = fopen(path, "we");

    if (!to)
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    fputs("custom_text_start\ncustom_text_end\n", to);
    for (size_t i = 0; i < b->def.nr_calls; i++)
        fprintf(to, "sys_%s\n", b->def.calls[i].id);
    for (size_t i = 0; i < b->def.nr_wraps; i++)
        fprintf(to, "wrap_%s\n", b->def.wraps[i].id);
    fclose(to);
    free(path);
}

static void move_file(const char *from, const char *to)
{
    char *beside = xasprintf("%s.new", to), *log;
    char *const argv[] = {"cp", (char *)from, beside, NULL};

    if (run_quietly(argv, &log) || rename(beside, to))
        die(STATUS_FAILED, "%s cannot be written: %s", to, *log ? log : strerror(errno));
    free(beside);
    free(log);
}

static void link_kernel(struct build *b)
{
    char *script = xasprintf("%s/cmake/custom_link.sh", yolk_source_dir), *log;
    char *const argv[] = {"sh", script, (char *)yolk_source_dir, b->kit, b->work, NULL};

    write_exports(b);
    if (run_quietly(argv, &log)) {
        fputs(log, stderr);
        die(STATUS_FAILED, "%s does not link", b->dir);
    }
    free(log);
    move_file(xasprintf("%s/kernel.elf", b->work), b->output);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int command_build(int argc, char **argv)
{
    static const struct argp argp = {option_table, parse, "--custom DIR [-o FILE]", doc, 0, 0, 0};
    struct build b = {0};

    argp_parse(&argp, argc, argv, 0, NULL, &b);
    if (!b.dir)
        die(STATUS_FAILED, "of what?  --custom DIR says it");
    if (!b.output && !b.stubs)
        die(STATUS_FAILED, "where to?  -o FILE says it");
    read_directory(&b);
    if (b.stubs)
        custom_write_stubs(&b.def, b.stubs, b.name);
    if (!b.output)
        return 0;
    make_kit(&b);
    double start = now();
    b.compiler = read_line(xasprintf("%s/compiler", b.kit));
    b.work = make_scratch();
    compile_all(&b);
    check_bodies(&b);
    link_kernel(&b);
    say("%s: %zu call%s, %zu wrapped, in %.1f s", b.output, b.def.nr_calls,
        b.def.nr_calls == 1 ? "" : "s", b.def.nr_wraps, now() - start);
    return 0;
}
