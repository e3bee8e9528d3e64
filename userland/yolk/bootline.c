/* The kernel's command line.
 *
 * Everything that comes from the person is percent-encoded, so that spaces, quotes and bytes above
 * 127 pass QEMU, GRUB and the kernel's splitting alike.  The kernel recognises a token's name
 * before it decodes it: an environment variable that happens to be called `init` or `foo.bar` is
 * sent with its first byte encoded. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "tracelog.h"

/* QEMU's PVH loader has a buffer of this size for the line and its final NUL. */
#define BOOTLINE_MAX 4096

static const char *const reserved_names[] = {
    "init",  "console", "loglevel", "maxcpus", "quiet",    "ip",  "root",       "rdinit",
    "debug", "ro",      "rw",       "panic",   "hostname", "mem", "earlyprintk"};

static bool is_reserved(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof reserved_names / sizeof *reserved_names; i++)
        if (strlen(reserved_names[i]) == len && !strncmp(reserved_names[i], name, len))
            return true;
    return memchr(name, '.', len) != NULL;
}

void bootline_encode(struct strings *tokens, const char *prefix, const char *text)
{
    size_t name_len = strcspn(text, "=");
    bool hide_name = !*prefix && text[name_len] && is_reserved(text, name_len);
    char *out = xmalloc(strlen(prefix) + 3 * strlen(text) + 4), *p = stpcpy(out, prefix);

    /* An empty argument is a token all the same: a NUL byte ends it where it begins. */
    if (!*text && !*prefix)
        p = stpcpy(p, "%00");
    for (const char *s = text; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((isalnum(c) || strchr("_./:=,+-@", c)) && c < 128 && !(hide_name && s == text))
            *p++ = (char)c;
        else
            p += sprintf(p, "%%%02X", c);
    }
    *p = 0;
    strings_add(tokens, out);
}

static const char *kind_name(enum stdio_kind kind)
{
    static const char *const names[] = {"tty", "pipe", "null", "out"};

    return names[kind];
}

static void add_trace(struct strings *tokens, const struct trace_config *trace)
{
    bootline_encode(tokens, "yolk.trace=", trace->calls ? trace->calls : "all");
    if (trace->signals)
        bootline_encode(tokens, "yolk.trace.signals=", trace->signals);
    strings_addf(tokens, "yolk.trace.strings=%u", trace->strings);
    strings_addf(tokens, "yolk.trace.flags=%s%s%s", trace->follows ? "f" : "",
                 trace->is_verbose ? "v" : "", trace->names_fds ? "y" : "");
}

char *bootline_make(const struct run_options *options, const struct payload *payload,
                    const struct stdio_plan *plan, const char *machine_tokens)
{
    struct strings tokens = {0};
    size_t len = 1;

    if (*machine_tokens)
        strings_addf(&tokens, "%s", machine_tokens);
    strings_addf(&tokens, "yolk.encoding=percent");
    if (plan)
        strings_addf(&tokens, "yolk.stdio=%s,%s,%s", kind_name(plan->kind[0]),
                     kind_name(plan->kind[1]), kind_name(plan->kind[2]));
    else
        strings_addf(&tokens, "console=ttyS0");
    if (options->leak_check)
        strings_addf(&tokens, "yolk.leakcheck");
    if (options->ip)
        bootline_encode(&tokens, "ip=", options->ip);
    volumes_add_tokens(&tokens, options);
    if (options->verbose)
        strings_addf(&tokens, "loglevel=3");
    if (options->trace)
        add_trace(&tokens, options->trace);
    bootline_encode(&tokens, "init=", payload->guest_path);
    bootline_encode(&tokens, "yolk.argv0=", options->program);
    if (options->workdir)
        bootline_encode(&tokens, "yolk.cwd=", options->workdir);
    for (size_t i = 0; i < options->env.nr; i++)
        bootline_encode(&tokens, "", options->env.items[i]);
    if (*options->args) {
        strings_addf(&tokens, "--");
        for (char **arg = options->args; *arg; arg++)
            bootline_encode(&tokens, "", *arg);
    }
    for (size_t i = 0; i < tokens.nr; i++)
        len += strlen(tokens.items[i]) + 1;
    if (len > BOOTLINE_MAX)
        die(STATUS_FAILED,
            "the arguments and environment are too long: %zu bytes when encoded, the limit is %d",
            len, BOOTLINE_MAX);
    char *line = xmalloc(len), *p = line;
    for (size_t i = 0; i < tokens.nr; i++) {
        p = stpcpy(p, i ? " " : "");
        p = stpcpy(p, tokens.items[i]);
        free(tokens.items[i]);
    }
    free(tokens.items);
    return line;
}
