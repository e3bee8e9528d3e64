/* The control port: lines of text to and from the host command (docs/DESIGN.md), and how the machine ends.
 *
 * Without such a port the log goes to the serial port and the status to power-off alone. */
#include <arch/arch.h>
#include <base/log.h>
#include <base/string.h>
#include <core/console.h>
#include <dev/console.h>
#include <image/boot.h>
#include <image/terminal.h>
#include <linux/signal.h>
#include <proc/signal.h>

#define FLUSH_NS 2000000000UL /* how long power-off waits for a host that does not read */
/* The same for the status, which must not be lost: a busy host may take seconds to get round to it. */
#define STATUS_NS 60000000000UL

static struct port *control;

/* --- from the host: "winsize ROWS COLUMNS", "signal NAME", "dump" ---------------------------------------- */

static char input[64]; /* private to the port's one reader */
static size_t input_len;

static void handle_signal(const char *name)
{
    static const struct {
        const char *name;
        int sig;
    } known[] = {{"INT", SIGINT}, {"TERM", SIGTERM}, {"QUIT", SIGQUIT}, {"HUP", SIGHUP}};

    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(name, known[i].name) == 0)
            signal_send_group(1, known[i].sig, NULL);
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
        arch_dump_cpus();
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

static void control_say(const char *text)
{
    port_write_all(control, text, strlen(text));
}

/* Log lines carry their level in their text; the host shows them on its standard error. */
static void control_log(const char *s, size_t n)
{
    control_say("log 1 ");
    port_write_all(control, s, n);
}

static void control_panicked(void)
{
    port_flush_all(FLUSH_NS);
    control_say("fail 125 the kernel panicked\n");
    port_flush_all(FLUSH_NS);
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

/* The host has read all that was said, or will never read. */
static void wait_until_read(void)
{
    uint64_t give_up = arch_clock_ns() + STATUS_NS;

    while (!port_flush(control) && arch_clock_ns() < give_up)
        arch_relax();
}

void control_end(unsigned status, const char *reason, ...)
{
    char text[256], line[320];
    va_list args;

    if (reason) {
        va_start(args, reason);
        vsnprintf(text, sizeof(text), reason, args);
        va_end(args);
    }
    if (control) {
        if (reason)
            snprintf(line, sizeof(line), "fail %u %s\n", status, text);
        else
            snprintf(line, sizeof(line), "exit %u\n", status);
        /* port_write_all gives up soon, as what it writes is mostly log lines: so first make room. */
        wait_until_read();
        control_say(line);
        port_flush_all(FLUSH_NS);
        wait_until_read();
    } else if (reason) {
        log_error("%s", text);
    }
    arch_poweroff(status);
}
