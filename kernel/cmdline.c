/* The boot line, cut into words and sorted into what the kernel, the environment and the program get. */
#include <base/errno.h>
#include <base/string.h>
#include <image/cmdline.h>

/* Cut the next word off *text: white space separates, double quotes group (and disappear), as on Linux. */
static char *next_word(char **text)
{
    char *from = *text, *to, *start;
    bool quoted = false;

    while (*from == ' ' || *from == '\t' || *from == '\n')
        from++;
    if (!*from)
        return NULL;
    start = to = from;
    for (; *from; from++) {
        if (*from == '"')
            quoted = !quoted;
        else if (!quoted && (*from == ' ' || *from == '\t' || *from == '\n'))
            break;
        else
            *to++ = *from;
    }
    *text = *from ? from + 1 : from;
    *to = '\0';
    return start;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX in place; a percent sign without two digits stands for itself. */
static void percent_decode(char *s)
{
    char *to = s;

    while (*s) {
        int high = *s == '%' ? hex_digit(s[1]) : -1;
        int low = high >= 0 ? hex_digit(s[2]) : -1;
        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            s += 3;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

/* The rest of `word` after `prefix`, or NULL. */
static const char *value_of(const char *word, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(word, prefix, n) == 0 ? word + n : NULL;
}

static void parse_stdio(const char *value, enum stdio_kind stdio[3])
{
    for (int i = 0; i < 3 && *value; i++) {
        switch (*value) {
        case 'p':
            stdio[i] = STDIO_PIPE;
            break;
        case 'n':
            stdio[i] = STDIO_NULL;
            break;
        case 'o':
            stdio[i] = STDIO_OUT;
            break;
        default:
            stdio[i] = STDIO_TTY;
        }
        const char *comma = strchr(value, ',');
        value = comma ? comma + 1 : "";
    }
}

static void parse_trace_flags(const char *flags, struct cmdline *out)
{
    out->trace_follows = strchr(flags, 'f') != NULL;
    out->trace_is_verbose = strchr(flags, 'v') != NULL;
    out->trace_names_fds = strchr(flags, 'y') != NULL;
}

/* yolk.trace, yolk.trace=CALLS, and how: true when it is one of them. */
static bool parse_trace(const char *word, struct cmdline *out)
{
    const char *v;

    if (strcmp(word, "yolk.trace") == 0)
        out->is_traced = true;
    else if ((v = value_of(word, "yolk.trace=")))
        out->trace = v, out->is_traced = true;
    else if ((v = value_of(word, "yolk.trace.signals=")))
        out->trace_signals = v;
    else if ((v = value_of(word, "yolk.trace.strings=")))
        out->trace_strings = (unsigned)strtoul(v, NULL, 10);
    else if ((v = value_of(word, "yolk.trace.flags=")))
        parse_trace_flags(v, out);
    else
        return false;
    return true;
}

static void append(const char *list[], unsigned max, unsigned *nr, const char *value)
{
    if (*nr < max)
        list[(*nr)++] = value;
}

/* A parameter of the kernel's own: true when it is one. */
static bool parse_own(const char *word, struct cmdline *out)
{
    const char *v;

    if ((v = value_of(word, "init=")))
        out->init = v;
    else if ((v = value_of(word, "console=")))
        out->console = v;
    else if ((v = value_of(word, "ip=")))
        out->ip = v;
    else if ((v = value_of(word, "loglevel=")))
        out->loglevel = (unsigned)strtoul(v, NULL, 10);
    else if ((v = value_of(word, "maxcpus=")))
        out->maxcpus = (unsigned)strtoul(v, NULL, 10);
    else if ((v = value_of(word, "yolk.argv0=")))
        out->argv0 = v;
    else if ((v = value_of(word, "yolk.cwd=")))
        out->cwd = v;
    else if ((v = value_of(word, "yolk.hostname=")))
        out->hostname = v;
    else if (strcmp(word, "yolk.leakcheck") == 0)
        out->leak_check = true;
    else if ((v = value_of(word, "yolk.stdio=")))
        parse_stdio(v, out->stdio);
    else if (parse_trace(word, out))
        return true;
    else if ((v = value_of(word, "virtio_mmio.device=")))
        append(out->virtio, ARRAY_LEN(out->virtio), &out->nr_virtio, v);
    else if ((v = value_of(word, "yolk.volume=")))
        append(out->volumes, ARRAY_LEN(out->volumes), &out->nr_volumes, v);
    else
        return strcmp(word, "quiet") == 0;
    return true;
}

/* NAME=VALUE without a dot in NAME goes to the program. */
static bool is_environment(const char *word)
{
    const char *equals = strchr(word, '=');
    const char *dot = strchr(word, '.');
    return equals && equals != word && (!dot || dot > equals);
}

int cmdline_parse(char *text, struct cmdline *out)
{
    bool is_encoded = false, is_args = false;
    char *word;

    *out = (struct cmdline){
        .init = "/init", .cwd = "/", .hostname = "yolk", .loglevel = 2, .maxcpus = ~0u};
    while ((word = next_word(&text))) {
        if (!is_args && strcmp(word, "--") == 0) {
            is_args = true;
            continue;
        }
        if (!is_args && strcmp(word, "yolk.encoding=percent") == 0) {
            is_encoded = true;
            continue;
        }
        if (is_args) {
            if (out->nr_args == CMDLINE_MAX_WORDS - 2)
                return -E2BIG;
            out->args[out->nr_args++] = word;
        } else if (parse_own(word, out)) {
            ; /* stored */
        } else if (is_environment(word)) {
            if (out->nr_env == CMDLINE_MAX_WORDS - 1)
                return -E2BIG;
            out->env[out->nr_env++] = word;
        } else if (out->nr_unknown < ARRAY_LEN(out->unknown)) {
            out->unknown[out->nr_unknown++] = word;
        }
        /* Only now: a name that is escaped (%69nit=x) is never one of our own parameters.  In place and towards the
         * front, so what points behind a plain prefix still does. */
        if (is_encoded)
            percent_decode(word);
    }
    return 0;
}
