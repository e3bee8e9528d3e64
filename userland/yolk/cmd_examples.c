/* yolk examples: lists what `yolk run NAME` knows besides paths. */
#include <argp.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "yolk.h"

static const char doc[] = "List the examples; `yolk run NAME` runs one.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key == ARGP_KEY_ARG)
        argp_usage(state);
    return key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

static int is_example(const struct dirent *entry)
{
    char *readme = xasprintf("%s/userland/examples/%s/README", yolk_source_dir, entry->d_name);
    struct stat st;
    int found = entry->d_name[0] != '.' && !stat(readme, &st);

    free(readme);
    return found;
}

/* The first line of the example's README says what it shows. */
static void print_example(const char *name)
{
    char *readme = xasprintf("%s/userland/examples/%s/README", yolk_source_dir, name);
    char *built = example_path(name), *line = NULL;
    size_t size = 0;
    FILE *file = fopen(readme, "re");

    if (!file || getline(&line, &size, file) < 0)
        line = NULL;
    else
        line[strcspn(line, "\n")] = 0;
    printf("%-14s %s%s\n", name, line ? line : "", built ? "" : "  (not built)");
    if (file)
        fclose(file);
    free(line);
    free(readme);
    free(built);
}

int command_examples(int argc, char **argv)
{
    static const struct argp argp = {0, parse, "", doc, 0, 0, 0};
    char *dir = xasprintf("%s/userland/examples", yolk_source_dir);
    struct dirent **entries;

    argp_parse(&argp, argc, argv, 0, NULL, NULL);
    int nr = scandir(dir, &entries, is_example, alphasort);
    if (nr < 0)
        die(STATUS_FAILED, "%s cannot be read", dir);
    for (int i = 0; i < nr; i++) {
        print_example(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    free(dir);
    return 0;
}
