/* From records to lines.
 *
 * Records are put in order by their numbers, and each goes to its thread.  A line is printed as far as it is known; when
 * another thread has something to say meanwhile, it is left unfinished and resumed later, as strace does. */
#include "tracelog.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <syscalls/trace.h>
#include <syscalls/trace_record.h>
#include <time.h>

#include "tracecount.h"
#include "yolk.h"

#define TEXT_SIZE (1 << 20)

struct traced {
    struct traced *next;
    uint32_t tid;
    bool is_inside;    /* a call has begun */
    bool is_printed;   /* its beginning, not held back for its result */
    struct trace call; /* kept from its beginning to its end */
    char *begun;       /* the text of its beginning */
    uint64_t began_ns, began_cpu_ns;
};

struct pending {
    uint64_t seq;
    struct trace_record *record;
};

struct tracelog {
    const struct trace_config *config;
    struct trace_options options;
    FILE *to;
    uint8_t *bytes; /* of a record that is not complete */
    size_t len, size;
    struct pending *heap; /* records that came before their turn */
    size_t nr_heap, heap_size;
    uint64_t next_seq, wall_offset, last_ns, lost;
    bool has_ended, has_time, has_begun;
    uint8_t
        abi; /* of the last call; the one that started the program was x86-64's, as strace has it */
    struct traced *threads;
    unsigned nr_threads;
    struct traced *open; /* whose line has no end yet */
    unsigned column;     /* of that line */
    char *text;
    uint8_t *scratch;
    struct tracecount *counts;
    const struct trace_record *current; /* whose chunks are read */
};

/* --- the program's memory, out of a record ---------------------------------------------------------------------------------- */

static const struct trace_chunk *first_chunk(const struct trace_record *r)
{
    return (const struct trace_chunk *)(r + 1);
}

static const struct trace_chunk *next_chunk(const struct trace_chunk *c)
{
    return (const struct trace_chunk *)((const uint8_t *)(c + 1) + (c->got + 7UL) / 8 * 8);
}

static const struct trace_chunk *find_chunk(const struct trace_record *r, uint64_t addr)
{
    const uint8_t *end = (const uint8_t *)r + r->size;

    for (const struct trace_chunk *c = first_chunk(r); (const uint8_t *)(c + 1) <= end;
         c = next_chunk(c)) {
        if (c->got > (size_t)(end - (const uint8_t *)(c + 1)))
            return NULL;
        if (addr >= c->addr && addr - c->addr < c->got)
            return c;
    }
    return NULL;
}

static size_t read_record(struct trace *t, uint64_t addr, void *dst, size_t n)
{
    const struct tracelog *log = t->owner;
    size_t done = 0;

    while (done < n) {
        const struct trace_chunk *c = find_chunk(log->current, addr + done);
        if (!c)
            break;
        size_t at = addr + done - c->addr, len = c->got - at;
        if (len > n - done)
            len = n - done;
        memcpy((uint8_t *)dst + done, (const uint8_t *)(c + 1) + at, len);
        done += len;
    }
    return done;
}

/* --- threads --------------------------------------------------------------------------------------------------------------- */

static struct traced *thread_of(struct tracelog *log, uint32_t tid)
{
    struct traced *t;

    for (t = log->threads; t; t = t->next)
        if (t->tid == tid)
            return t;
    t = xmalloc(sizeof *t);
    t->tid = tid;
    t->next = log->threads;
    log->threads = t;
    log->nr_threads++;
    return t;
}

static void thread_forget(struct tracelog *log, struct traced *gone)
{
    for (struct traced **p = &log->threads; *p; p = &(*p)->next) {
        if (*p != gone)
            continue;
        *p = gone->next;
        break;
    }
    free(gone->begun);
    free(gone);
    log->nr_threads--;
}

/* --- pieces of lines ----------------------------------------------------------------------------------------------------------- */

static void say_text(struct tracelog *log, const char *s)
{
    fputs(s, log->to);
    log->column += (unsigned)strlen(s);
}

static void say_wall_clock(struct tracelog *log, uint64_t wall)
{
    time_t sec = (time_t)(wall / 1000000000);
    unsigned how = log->config->wall_clock;
    char text[64], date[32];
    struct tm tm;

    strftime(date, sizeof date, how >= 3 ? "%s" : "%H:%M:%S", localtime_r(&sec, &tm));
    if (how >= 2)
        snprintf(text, sizeof text, "%s.%06ju ", date, (uintmax_t)(wall / 1000 % 1000000));
    else
        snprintf(text, sizeof text, "%s ", date);
    say_text(log, text);
}

static void say_time(struct tracelog *log, uint64_t ns)
{
    const struct trace_config *c = log->config;
    uint64_t since = log->has_time ? ns - log->last_ns : 0;
    char text[64];

    if (c->wall_clock)
        say_wall_clock(log, ns + log->wall_offset);
    if (!c->relative)
        return;
    log->has_time = true;
    log->last_ns = ns;
    snprintf(text, sizeof text, c->wall_clock ? "(+%6ju.%06ju) " : "%6ju.%06ju ",
             (uintmax_t)(since / 1000000000), (uintmax_t)(since / 1000 % 1000000));
    say_text(log, text);
}

/* What stands in front of a line; whoever had one open is left unfinished. */
static void begin_line(struct tracelog *log, const struct traced *t, uint64_t ns)
{
    char text[32];

    if (log->open) {
        fputs(" <unfinished ...>\n", log->to);
        log->open = NULL;
    }
    log->column = 0;
    if (log->config->follows && log->config->file) {
        snprintf(text, sizeof text, "%-5u ", t->tid);
        say_text(log, text);
    } else if (log->nr_threads > 1) {
        snprintf(text, sizeof text, "[pid %5u] ", t->tid);
        say_text(log, text);
    }
    say_time(log, ns);
}

static void pad_to_result(struct tracelog *log)
{
    say_text(log, " ");
    while (log->column < log->config->column)
        say_text(log, " ");
    say_text(log, "= ");
}

static bool prints_lines(const struct tracelog *log)
{
    return !log->config->json && (!log->config->counts || log->config->lines_too);
}

/* Only some results are wanted: a call is printed when it has one. */
static bool holds_back(const struct tracelog *log)
{
    return log->config->only_success || log->config->only_error;
}

/* --- objects --------------------------------------------------------------------------------------------------------------------- */

static json_t *object_of(struct tracelog *log, const struct trace_record *r)
{
    return json_pack("{s:I, s:f}", "tid", (json_int_t)r->tid, "time",
                     (double)(r->time_ns + log->wall_offset) / 1e9);
}

/* Bytes that are no UTF-8 were escaped by the decoder. */
static void set_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, json_string(text));
}

static void print_object(struct tracelog *log, json_t *o)
{
    json_dumpf(o, log->to, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(16) | JSON_COMPACT);
    fputc('\n', log->to);
    json_decref(o);
}

static void object_of_call(struct tracelog *log, struct traced *t, const struct trace_record *r,
                           const char *args, const char *result)
{
    json_t *o = json_pack("{s:I, s:f}", "tid", (json_int_t)r->tid, "time",
                          (double)(t->began_ns + log->wall_offset) / 1e9);

    set_text(o, "call", syscall_name(t->call.sc));
    set_text(o, "args", args);
    if (r->type == TRACE_LEAVE) {
        bool failed = r->ret < 0 && r->ret >= -4095;
        json_object_set_new(o, "result", json_integer(failed ? -1 : r->ret));
        if (failed && trace_errno_name((int)-r->ret))
            set_text(o, "error", trace_errno_name((int)-r->ret));
        set_text(o, "text", result);
        json_object_set_new(o, "seconds", json_real((double)(r->time_ns - t->began_ns) / 1e9));
    }
    print_object(log, o);
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

static void print_beginning(struct tracelog *log, struct traced *t, uint64_t ns)
{
    begin_line(log, t, ns);
    say_text(log, t->begun);
    log->open = t;
    t->is_printed = true;
}

/* Notes go to the terminal alone. */
static bool prints_notes(const struct tracelog *log)
{
    return prints_lines(log) && !log->config->quiet && !log->config->file;
}

static void leave_unfinished(struct tracelog *log)
{
    if (log->open)
        fputs(" <unfinished ...>\n", log->to);
    log->open = NULL;
}

/* The first execve was made by whoever started the program. */
static void note_abi(struct tracelog *log, const struct trace_record *r)
{
    bool is_start =
        !log->has_begun && r->nr < SYSCALL_NUMBERS && syscall_row(r->abi, r->nr) == ROW_execve;

    log->has_begun = true;
    if (is_start || r->abi == log->abi || r->abi >= NR_ABIS)
        return;
    log->abi = r->abi;
    if (!prints_notes(log))
        return;
    leave_unfinished(log);
    fprintf(log->to, "[ Process PID=%u runs in %s mode. ]\n", r->tid,
            r->abi == ABI_I386 ? "32 bit" : "64 bit");
}

static void on_enter(struct tracelog *log, const struct trace_record *r)
{
    note_abi(log, r);
    struct traced *t = thread_of(log, r->tid);
    unsigned row = r->abi < NR_ABIS ? syscall_find_row(r->abi, r->nr) : ROW_UNKNOWN;

    t->call = (struct trace){.sc = syscall_of_row(row),
                             .options = &log->options,
                             .read = read_record,
                             .owner = log,
                             .nr = r->nr,
                             .abi = r->abi,
                             .saved_mask_at = r->extra,
                             .out = log->text,
                             .size = TEXT_SIZE,
                             .scratch = log->scratch};
    memcpy(t->call.arg, r->arg, sizeof t->call.arg);
    *log->text = 0;
    trace_enter(&t->call);
    free(t->begun);
    t->begun = xstrdup(log->text);
    t->began_ns = r->time_ns;
    t->began_cpu_ns = r->cpu_ns;
    t->is_inside = true;
    t->is_printed = false;
    if (prints_lines(log) && !holds_back(log))
        print_beginning(log, t, r->time_ns);
}

/* The beginning is there or not, and then all of it is printed now. */
static void continue_line(struct tracelog *log, struct traced *t, uint64_t ns)
{
    if (!t->is_printed) {
        print_beginning(log, t, t->began_ns);
    } else if (log->open != t) {
        begin_line(log, t, ns);
        say_text(log, "<... ");
        say_text(log, syscall_name(t->call.sc));
        say_text(log, " resumed>");
    }
}

static bool is_wanted(const struct tracelog *log, int64_t ret)
{
    bool failed = ret < 0 && ret >= -4095;

    return !(failed ? log->config->only_success : log->config->only_error);
}

static void print_end(struct tracelog *log, struct traced *t, const struct trace_record *r,
                      const char *args, const char *result)
{
    continue_line(log, t, r->time_ns);
    say_text(log, args);
    pad_to_result(log);
    fputs(result, log->to);
    if (log->config->durations)
        fprintf(log->to, " <%ju.%06ju>", (uintmax_t)((r->time_ns - t->began_ns) / 1000000000),
                (uintmax_t)((r->time_ns - t->began_ns) / 1000 % 1000000));
    fputc('\n', log->to);
    log->open = NULL;
}

static void on_leave(struct tracelog *log, const struct trace_record *r)
{
    struct traced *t = thread_of(log, r->tid);

    if (!t->is_inside)
        return;
    t->is_inside = false;
    t->call.ret = r->ret;
    t->call.len = 0;
    *log->text = 0;
    trace_leave_args(&t->call);
    char *args = xstrdup(log->text);
    t->call.len = 0;
    *log->text = 0;
    trace_result(&t->call);
    if (log->counts)
        tracecount_add(log->counts, log->abi, syscall_row_of(t->call.sc),
                       r->cpu_ns - t->began_cpu_ns, r->ret < 0 && r->ret >= -4095);
    if (log->config->json && is_wanted(log, r->ret)) {
        char *all = xasprintf("%s%s", t->begun + strlen(syscall_name(t->call.sc)) + 1, args);
        all[strlen(all) - 1] = 0; /* the bracket */
        object_of_call(log, t, r, all, log->text);
        free(all);
    } else if (prints_lines(log) && is_wanted(log, r->ret)) {
        print_end(log, t, r, args, log->text);
    }
    free(args);
}

/* A call that will have no result. */
static void abandon(struct tracelog *log, struct traced *t, const struct trace_record *r)
{
    if (!t->is_inside)
        return;
    t->is_inside = false;
    if (log->config->json) {
        object_of_call(log, t, r, t->begun + strlen(syscall_name(t->call.sc)) + 1, "?");
    } else if (prints_lines(log) && !holds_back(log)) {
        continue_line(log, t, r->time_ns);
        /* strace tells so when the arguments were not all known. */
        say_text(log, t->call.next < t->call.sc->argc ? " <unfinished ...>)" : ")");
        pad_to_result(log);
        fputs("?\n", log->to);
        log->open = NULL;
    }
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------------ */

static void on_signal(struct tracelog *log, const struct trace_record *r)
{
    struct traced *t = thread_of(log, r->tid);
    const char *name = trace_signal_name((int)r->nr);
    struct trace call = {.options = &log->options,
                         .read = read_record,
                         .owner = log,
                         .out = log->text,
                         .size = TEXT_SIZE,
                         .scratch = log->scratch};

    *log->text = 0;
    trace_siginfo(&call, TRACE_SIGINFO_AT);
    if (log->config->json) {
        json_t *o = object_of(log, r);
        set_text(o, "signal", name ? name : "?");
        set_text(o, "info", log->text);
        print_object(log, o);
    } else if (prints_lines(log)) {
        begin_line(log, t, r->time_ns);
        fprintf(log->to, "--- %s %s ---\n", name ? name : "?", log->text);
    }
}

static void on_stop(struct tracelog *log, const struct trace_record *r)
{
    const char *name = trace_signal_name((int)r->nr);

    if (!prints_lines(log))
        return;
    begin_line(log, thread_of(log, r->tid), r->time_ns);
    fprintf(log->to, "--- stopped by %s ---\n", name ? name : "?");
}

static void on_exit_record(struct tracelog *log, const struct trace_record *r)
{
    struct traced *t = thread_of(log, r->tid);
    int sig = (int)r->ret & 0x7f, code = (int)r->ret >> 8 & 0xff;
    const char *name = trace_signal_name(sig);

    abandon(log, t, r);
    if (log->config->json) {
        json_t *o = object_of(log, r);
        if (sig)
            set_text(o, "killed", name ? name : "?");
        else
            json_object_set_new(o, "exited", json_integer(code));
        print_object(log, o);
    } else if (prints_lines(log) && log->config->quiet < 2) {
        begin_line(log, t, r->time_ns);
        if (sig)
            fprintf(log->to, "+++ killed by %s +++\n", name ? name : "?");
        else
            fprintf(log->to, "+++ exited with %d +++\n", code);
    }
    thread_forget(log, t);
}

static void on_clone(struct tracelog *log, const struct trace_record *r)
{
    thread_of(log, r->tid);
    if (!prints_notes(log))
        return;
    leave_unfinished(log);
    fprintf(log->to, "yolk: Process %u attached\n", r->tid);
}

static void handle(struct tracelog *log, const struct trace_record *r)
{
    log->current = r;
    switch (r->type) {
    case TRACE_HELLO:
        if (r->arg[0] != TRACE_VERSION)
            die(STATUS_FAILED,
                "the kernel's trace is of version %ju, this command knows version %d",
                (uintmax_t)r->arg[0], TRACE_VERSION);
        log->wall_offset = r->arg[1];
        break;
    case TRACE_ENTER:
        on_enter(log, r);
        break;
    case TRACE_LEAVE:
        on_leave(log, r);
        break;
    case TRACE_SIGNAL:
        on_signal(log, r);
        break;
    case TRACE_EXIT:
        on_exit_record(log, r);
        break;
    case TRACE_CLONE:
        on_clone(log, r);
        break;
    case TRACE_STOP:
        on_stop(log, r);
        break;
    case TRACE_END:
        log->has_ended = true;
        log->lost = r->arg[0];
        break;
    }
}

/* --- order ------------------------------------------------------------------------------------------------------------------------------ */

static void heap_swap(struct pending *a, struct pending *b)
{
    struct pending c = *a;

    *a = *b;
    *b = c;
}

static void heap_add(struct tracelog *log, struct trace_record *r)
{
    if (log->nr_heap == log->heap_size) {
        log->heap_size = log->heap_size ? 2 * log->heap_size : 64;
        log->heap = xrealloc(log->heap, log->heap_size * sizeof *log->heap);
    }
    size_t i = log->nr_heap++;
    log->heap[i] = (struct pending){r->seq, r};
    for (; i && log->heap[(i - 1) / 2].seq > log->heap[i].seq; i = (i - 1) / 2)
        heap_swap(&log->heap[i], &log->heap[(i - 1) / 2]);
}

static struct trace_record *heap_take(struct tracelog *log)
{
    struct trace_record *r = log->heap[0].record;

    log->heap[0] = log->heap[--log->nr_heap];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < log->nr_heap && log->heap[child].seq < log->heap[least].seq)
                least = child;
        if (least == i)
            return r;
        heap_swap(&log->heap[i], &log->heap[least]);
        i = least;
    }
}

static void take_turns(struct tracelog *log)
{
    while (log->nr_heap && log->heap[0].seq == log->next_seq) {
        struct trace_record *r = heap_take(log);
        log->next_seq++;
        handle(log, r);
        free(r);
    }
}

void tracelog_feed(struct tracelog *log, const void *bytes, size_t n)
{
    size_t at = 0;

    if (log->len + n > log->size) {
        log->size = 2 * (log->len + n);
        log->bytes = xrealloc(log->bytes, log->size);
    }
    memcpy(log->bytes + log->len, bytes, n);
    log->len += n;
    while (log->len - at >= sizeof(struct trace_record)) {
        uint32_t size;
        memcpy(&size, log->bytes + at, sizeof size);
        if (size < sizeof(struct trace_record) || size % 8)
            die(STATUS_FAILED, "the kernel's trace cannot be read: a record of %u bytes", size);
        if (log->len - at < size)
            break;
        struct trace_record *r = xmalloc(size);
        memcpy(r, log->bytes + at, size);
        at += size;
        heap_add(log, r);
        take_turns(log);
    }
    log->len -= at;
    memmove(log->bytes, log->bytes + at, log->len);
    fflush(log->to);
}

/* --- beginning and end ------------------------------------------------------------------------------------------------------------------- */

static int32_t utc_offset(void)
{
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&now, &tm);
    return (int32_t)tm.tm_gmtoff;
}

struct tracelog *tracelog_open(const struct trace_config *config)
{
    struct tracelog *log = xmalloc(sizeof *log);

    log->config = config;
    log->options = (struct trace_options){.strings = config->strings,
                                          .is_verbose = config->is_verbose,
                                          .names_fds = config->names_fds,
                                          .utc_offset = utc_offset(),
                                          .hex_strings = (uint8_t)config->hex};
    log->to = config->file ? fopen(config->file, "we") : stderr;
    if (!log->to)
        die(STATUS_FAILED, "-o %s: %s", config->file, strerror(errno));
    log->text = xmalloc(TEXT_SIZE);
    log->scratch = xmalloc(TRACE_SCRATCH(config->strings));
    if (config->counts)
        log->counts = tracecount_new();
    return log;
}

static void tracelog_free(struct tracelog *log)
{
    for (struct traced *t = log->threads, *next; t; t = next) {
        next = t->next;
        free(t->begun);
        free(t);
    }
    for (size_t i = 0; i < log->nr_heap; i++)
        free(log->heap[i].record);
    free(log->heap);
    free(log->bytes);
    free(log->text);
    free(log->scratch);
    free(log->counts);
    free(log);
}

bool tracelog_close(struct tracelog *log)
{
    bool is_whole = log->has_ended && !log->lost && !log->nr_heap && !log->len;

    if (log->open)
        fputs(" <unfinished ...>\n", log->to);
    if (log->counts)
        tracecount_print(log->counts, log->to);
    bool is_written = !fflush(log->to) && !ferror(log->to);
    if (log->config->file && fclose(log->to))
        is_written = false;
    if (!is_written)
        say("the trace cannot be written%s%s: %s", log->config->file ? " to " : "",
            log->config->file ? log->config->file : "", strerror(errno));
    if (log->lost)
        say("the trace lacks %ju pieces of the program's memory", (uintmax_t)log->lost);
    else if (!is_whole)
        say("the trace is not complete: the machine ended before it had sent all");
    tracelog_free(log);
    return is_whole && is_written;
}
