/* What the files of the host command share: its commands, its exit statuses, and how it speaks to
 * people.
 *
 * Nothing here writes to stdout on its own: in `yolk run` stdout belongs to the program that is
 * run. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define YOLK_VERSION "0.1"

/* Exit statuses of Yolk itself, which are Docker's; every other status is the program's own. */
enum {
    STATUS_INTERRUPTED = 130, /* the person at the terminal made the machine stop */
    STATUS_TIMEOUT = 124,
    STATUS_FAILED = 125,
    STATUS_NOT_RUNNABLE = 126,
    STATUS_NOT_FOUND = 127,
};

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is "yolk NAME"; returns the exit status */
};

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_pack(int argc, char **argv);
int command_examples(int argc, char **argv);
int command_test(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_syscalls(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_build(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_gdb(int argc, char **argv);

/* One line on stderr, "yolk: …"; correct also while the terminal is in raw mode. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, then exit(status). */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Memory that cannot fail: out of memory ends the command with STATUS_FAILED. */
void *xmalloc(size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A list of strings, always ended by NULL in `items`. */
struct strings {
    char **items;
    size_t nr;
};
void strings_add(struct strings *list, char *item); /* takes over the item */
void strings_addf(struct strings *list, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Where things are. */
extern const char yolk_source_dir[], yolk_build_dir[];
char *kernel_image_path(void); /* $YOLK_KERNEL, or the one that was built with this command */
char *example_path(const char *name);    /* the program of an example; NULL when there is none */
char *find_in_path(const char *command); /* as execvp finds it; NULL when it does not */
const char *base_name(const char *path); /* what follows the last slash */
int open_temporary(char **path); /* an unlinked file in $TMPDIR; *path ends as /proc/self/fd/N */

/* A new directory in $TMPDIR, whose path lives as long as the command and which is removed with all that is in it when the
 * command ends, also by SIGINT, SIGTERM or SIGHUP: from here on these wait for the end of the program that run_quietly
 * runs. There can be one of them. */
char *make_scratch(void);
void scratch_in_child(void); /* between fork and exec: it gets its signals */
void scratch_heed_signals(
    void); /* after a child: does not return when a signal has come meanwhile */

/* Runs a command, without stdin, to its end; what it wrote to stdout and stderr goes to *output,
 * unless that is NULL. Returns its exit status, -1 when a signal ended it. */
int run_quietly(char *const argv[], char **output);
int wait_for(pid_t pid); /* the same status of a child */
