/* A make with its compiler in it, as there is one process only: `builder SOURCES OUT` compiles every C file below SOURCES with
 * libtcc, links the objects of each folder to its all.o and those to OUT/program, all where something that goes into it is newer.
 *
 * What an object was made of is read in the sources when they are compiled, and kept in OUT/uses for the next run. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <libtcc.h>
#include <search.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILES 65536 /* that are known by name in one run */

struct list {
    void **items;
    size_t nr;
};

/* What this run knows of a file. */
struct file {
    char *path;
    long long mtime_ns; /* -1: there is none */
    bool is_scanned;
    struct list includes; /* of a source or header, once scanned: struct file */
    struct list
        made_from; /* of an object, as OUT/uses had it or as it was compiled: struct file, the source first */
    const void *seen_for; /* the object whose parts are being collected */
};

static struct list objects; /* struct file, in the order of their names */
static unsigned nr_files, nr_compiled, nr_linked;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, ": %s\n", strerror(errno));
    exit(1);
}

static char *path_of(const char *format, ...)
{
    va_list args;
    char *path;

    va_start(args, format);
    if (vasprintf(&path, format, args) < 0)
        die("path");
    va_end(args);
    return path;
}

static void add(struct list *list, void *item)
{
    if ((list->nr & (list->nr - 1)) == 0) /* full at every power of two */
        list->items = realloc(list->items, (list->nr ? 2 * list->nr : 1) * sizeof *list->items);
    if (!list->items)
        die("list");
    list->items[list->nr++] = item;
}

static void look(struct file *f)
{
    struct stat st;

    f->mtime_ns = stat(f->path, &st) ? -1 : st.st_mtim.tv_sec * 1000000000ll + st.st_mtim.tv_nsec;
}

static struct file *file_of(const char *path)
{
    ENTRY *found = hsearch((ENTRY){.key = (char *)path}, FIND);

    if (found)
        return found->data;
    struct file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path)) || !hsearch((ENTRY){.key = f->path, .data = f}, ENTER))
        die("%s", path);
    look(f);
    return f;
}

/* --- what includes what ---------------------------------------------------------------------------------- */

/* "a/b/x.c" includes "../c/y.h": "a/c/y.h". */
static char *beside(const char *path, const char *name)
{
    int len = (int)(strrchr(path, '/') - path);

    while (!strncmp(name, "../", 3)) {
        name += 3;
        while (path[--len] != '/')
            ;
    }
    return path_of("%.*s/%s", len, path, name);
}

static void scan(struct file *f)
{
    FILE *in = fopen(f->path, "r");
    char line[1000], name[1000];

    if (!in)
        die("%s", f->path);
    while (fgets(line, sizeof line, in))
        if (sscanf(line, "#include \"%[^\"]\"", name) == 1) {
            char *path = beside(f->path, name);
            add(&f->includes, file_of(path));
            free(path);
        }
    fclose(in);
    f->is_scanned = true;
}

static void collect(struct file *object, struct file *part)
{
    if (part->seen_for == object)
        return;
    part->seen_for = object;
    if (!part->is_scanned)
        scan(part);
    add(&object->made_from, part);
    for (size_t i = 0; i < part->includes.nr; i++)
        collect(object, part->includes.items[i]);
}

/* A line for each object: its name, then what it was made of. */
static void read_uses(const char *path)
{
    FILE *in = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;

    while (in && getline(&line, &size, in) > 0) {
        struct file *object = file_of(strtok(line, " \n"));
        for (char *word; (word = strtok(NULL, " \n"));)
            add(&object->made_from, file_of(word));
    }
    if (in)
        fclose(in);
    free(line);
}

static void write_uses(const char *path)
{
    char *fresh = path_of("%s.new", path);
    FILE *to = fopen(fresh, "w");

    for (size_t i = 0; to && i < objects.nr; i++) {
        struct file *object = objects.items[i];
        fputs(object->path, to);
        for (size_t n = 0; n < object->made_from.nr; n++)
            fprintf(to, " %s", ((struct file *)object->made_from.items[n])->path);
        putc('\n', to);
    }
    if (!to || fclose(to) || rename(fresh, path))
        die("%s", path);
    free(fresh);
}

/* --- compiling and linking ------------------------------------------------------------------------------- */

static bool is_older(const struct file *f, const struct list *parts)
{
    if (f->mtime_ns < 0 || parts->nr == 0)
        return true;
    for (size_t i = 0; i < parts->nr; i++) {
        const struct file *part = parts->items[i];
        if (part->mtime_ns < 0 || part->mtime_ns > f->mtime_ns)
            return true;
    }
    return false;
}

static void on_error(void *unused, const char *text)
{
    (void)unused;
    fprintf(stderr, "%s\n", text);
}

/* tcc's work: `nr` of `parts` become `to`. */
static void make(const char *verb, struct file *to, int type, struct file **parts, size_t nr)
{
    TCCState *tcc = tcc_new();

    printf("%s %s\n", verb, to->path);
    tcc_set_error_func(tcc, NULL, on_error);
    tcc_set_options(tcc, "-nostdlib -nostdinc -static");
    if (tcc_set_output_type(tcc, type) < 0)
        die("%s", to->path);
    for (size_t i = 0; i < nr; i++)
        if (tcc_add_file(tcc, parts[i]->path) < 0)
            die("%s", parts[i]->path);
    if (tcc_output_file(tcc, to->path) < 0)
        die("%s", to->path);
    tcc_delete(tcc);
    look(to);
}

static void compile(struct file *source, struct file *object)
{
    add(&objects, object);
    if (object->made_from.nr > 0 && object->made_from.items[0] == source &&
        !is_older(object, &object->made_from))
        return;
    object->made_from = (struct list){0};
    collect(object, source);
    make("compile", object, TCC_OUTPUT_OBJ, (struct file **)&source, 1);
    nr_compiled++;
}

static struct file *link_parts(const char *path, int type, const struct list *parts)
{
    struct file *whole = file_of(path);

    if (is_older(whole, parts)) {
        make("link", whole, type, (struct file **)parts->items, parts->nr);
        nr_linked++;
    }
    return whole;
}

/* --- the tree -------------------------------------------------------------------------------------------- */

/* A folder and those in it; what they are linked to goes to *wholes. */
static void build(const char *sources, const char *out, struct list *wholes)
{
    struct list here = {0};
    struct dirent **names;
    int nr = scandir(sources, &names, NULL, alphasort);

    if (nr < 0 || (mkdir(out, 0755) && errno != EEXIST))
        die("%s", nr < 0 ? sources : out);
    for (int i = 0; i < nr; i++) {
        const char *name = names[i]->d_name, *dot = strrchr(name, '.');
        char *source = path_of("%s/%s", sources, name);
        if (!dot) {
            char *inside = path_of("%s/%s", out, name);
            build(source, inside, wholes);
            free(inside);
        } else if (dot != name && strcmp(name, "..")) {
            nr_files++;
            if (!strcmp(dot, ".c")) {
                char *object = path_of("%s/%.*s.o", out, (int)(dot - name), name);
                compile(file_of(source), file_of(object));
                add(&here, file_of(object));
                free(object);
            }
        }
        free(source);
        free(names[i]);
    }
    free(names);
    char *all = path_of("%s/all.o", out);
    if (here.nr > 0)
        add(wholes, link_parts(all, TCC_OUTPUT_OBJ, &here));
    free(all);
}

int main(int argc, char **argv)
{
    struct list wholes = {0};

    if (argc != 3 || !hcreate(MAX_FILES))
        die("usage: builder SOURCES OUT");
    char *uses = path_of("%s/uses", argv[2]), *program = path_of("%s/program", argv[2]);
    read_uses(uses);
    build(argv[1], argv[2], &wholes);
    write_uses(uses);
    link_parts(program, TCC_OUTPUT_EXE, &wholes);
    printf("%u files: %u compiled, %u linked\n", nr_files, nr_compiled, nr_linked);
    return 0;
}
