/* The control port: lines of text to and from the host command (docs/DESIGN.md), and how the machine ends.
 *
 * Without such a port the log goes to the serial port and the status to power-off alone. */
#include <arch/arch.h>
#include <base/log.h>
#include <base/string.h>
#include <core/atomic.h>
#include <core/console.h>
#include <core/sched.h>
#include <dev/console.h>
#include <image/boot.h>
#include <image/terminal.h>
#include <linux/signal.h>
#include <proc/signal.h>

#define LOG_NS 20000000UL /* how long a log line waits for a host that does not read, */
/* and how long the status does, which must not be lost: a busy host may take seconds to get round to it. */
#define STATUS_NS 60000000000UL

static struct port *control;

/* --- from the host: "winsize ROWS COLUMNS", "signal NAME", "dump" ---------------------------------------- */

static char input[64]; /* private to the port's one reader */
static size_t input_len;

/* atomic: those for a program that does not run yet, by number; it gets them as it begins */
static unsigned early_signals;
static bool has_begun; /* atomic */

static void send_signals(void)
{
    for (unsigned left = atomic_swap(&early_signals, 0); left; left &= left - 1)
        signal_send_group(1, __builtin_ctz(left), NULL);
}

void control_program_begins(void)
{
    atomic_store(&has_begun, true);
    send_signals();
}

static void handle_signal(const char *name)
{
    static const struct {
        const char *name;
        int sig;
    } known[] = {{"INT", SIGINT}, {"TERM", SIGTERM}, {"QUIT", SIGQUIT}, {"HUP", SIGHUP}};

    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(name, known[i].name) == 0)
            atomic_or(&early_signals, 1u << known[i].sig);
    if (atomic_load(&has_begun)) /* after it was noted: one of the two sees the other */
        send_signals();
}

static void handle_line(char *line)
{
    char *end;

    if (strncmp(line, "winsize ", 8) == 0) {
        unsigned rows = (unsigned)strtoul(line + 8, &end, 10);
        terminal_resize(rows, (unsigned)strtoul(end, NULL, 10));
    } else if (strncmp(line, "signal ", 7) == 0) {
        handle_signal(line + 7);
    } else if (strcmp(line, "dump") == 0) {
        sched_dump_cpus();
    }
}

static void control_readable(struct port_user *u, struct port *p)
{
    const void *bytes;
    size_t n;

    (void)u;
    while ((n = port_peek(p, &bytes)) > 0) {
        for (size_t i = 0; i < n; i++) {
            char c = ((const char *)bytes)[i];
            if (c == '\n') {
                input[input_len] = '\0';
                input_len = 0;
                handle_line(input);
            } else if (input_len < sizeof(input) - 1) {
                input[input_len++] = c;
            }
        }
        port_consume(p, n);
    }
}

/* --- to the host -------------------------------------------------------------------------------------------- */

/* The last line: the machine's end hangs on it. */
static void control_say_last(const char *text)
{
    (void)port_write_all(control, text, strlen(text), STATUS_NS);
    port_flush_all(STATUS_NS);
}

/* "log LEVEL TEXT"; the host shows the text on its standard error. */
static void control_log(enum log_level level, const char *line, size_t n)
{
    static char whole[6 + LOG_LINE_SIZE]; /* the log's lock guards it */
    size_t head = snprintf(whole, sizeof(whole), "log %u ", level);
    /* In one piece: half a line, when the host is slow, would swallow the next one. */
    n = MIN(n, sizeof(whole) - head);
    memcpy(whole + head, line, n);
    (void)port_write_all(control, whole, head + n, LOG_NS);
}

static void control_panicked(void)
{
    control_say_last("fail 125 the kernel panicked\n");
}

static struct log_sink log_sink = {.write = control_log};
static struct port_user user = {.readable = control_readable};

void control_init(void)
{
    control = port_find("yolk.control");
    if (!control || port_open(control, &user) < 0) {
        control = NULL;
        return;
    }
    log_add_sink(&log_sink);
    log_on_panic(control_panicked);
}

/* `reason` NULL: the program's own status. */
static void say_end(unsigned status, const char *reason)
{
    char line[320];

    if (control) {
        if (reason)
            snprintf(line, sizeof(line), "fail %u %s\n", status, reason);
        else
            snprintf(line, sizeof(line), "exit %u\n", status);
        control_say_last(line);
    } else if (reason) {
        log_error("%s", reason);
    }
}

void control_end(unsigned status, const char *reason, ...)
{
    char text[256];
    va_list args;

    if (reason) {
        va_start(args, reason);
        vsnprintf(text, sizeof(text), reason, args);
        va_end(args);
    }
    say_end(status, reason ? text : NULL);
    arch_poweroff(status);
}

/* The host hears a status of 0: it does not start the machine again. */
void control_restart(void)
{
    say_end(0, NULL);
    arch_reboot();
}
