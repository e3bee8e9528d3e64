/* The control channel. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "terminal.h"

short control_wants(const struct relay *relay)
{
    return (short)(POLLIN | (relay->to_guest_len ? POLLOUT : 0));
}

void control_keep_log(struct relay *relay, const char *bytes, size_t size)
{
    if (size > LOG_SIZE) {
        bytes += size - LOG_SIZE;
        size = LOG_SIZE;
    }
    if (relay->log_len + size > LOG_SIZE) {
        size_t drop = relay->log_len + size - LOG_SIZE;
        memmove(relay->log, relay->log + drop, relay->log_len - drop);
        relay->log_len -= drop;
    }
    memcpy(relay->log + relay->log_len, bytes, size);
    relay->log_len += size;
}

void control_print_log(struct relay *relay)
{
    const char *text = relay->log, *end = relay->log + relay->log_len;
    unsigned lines = 0;

    if (!relay->log_len)
        return;
    for (const char *p = end - 1; p > text; p--) {
        if (p[-1] == '\n' && ++lines == 20) {
            text = p;
            break;
        }
    }
    say("the end of the kernel's log:");
    fprintf(stderr, "%.*s%s", (int)(end - text), text, end[-1] == '\n' ? "" : "\n");
}

static void handle_log(struct relay *relay, const char *text)
{
    char *end;

    strtoul(text, &end, 10);
    end += *end == ' ';
    if (!strncmp(end, "yolk: ", 6)) /* we say that ourselves */
        end += 6;
    control_keep_log(relay, end, strlen(end));
    control_keep_log(relay, "\n", 1);
    say("kernel: %s", end);
}

static void handle_line(struct relay *relay, char *line)
{
    char *end;

    if (!strncmp(line, "exit ", 5)) {
        unsigned long status = strtoul(line + 5, &end, 10);
        if (end != line + 5 && status <= 255)
            relay_exit_status(relay, (int)status);
    } else if (!strncmp(line, "fail ", 5)) {
        unsigned long status = strtoul(line + 5, &end, 10);
        bool known = status >= STATUS_FAILED && status <= STATUS_NOT_FOUND;
        relay_fail(relay, known ? (int)status : STATUS_FAILED, *end == ' ' ? end + 1 : end);
    } else if (!strncmp(line, "log ", 4)) {
        handle_log(relay, line + 4);
    } else if (relay->options->verbose) {
        say("unknown control line: %s", line);
    }
}

static void take_bytes(struct relay *relay, const char *bytes, size_t size)
{
    for (; size; bytes++, size--) {
        if (*bytes == '\n') {
            relay->line[relay->line_len] = 0;
            handle_line(relay, relay->line);
            relay->line_len = 0;
        } else if (relay->line_len < sizeof relay->line - 1) {
            relay->line[relay->line_len++] = *bytes;
        }
    }
}

static void send_waiting(struct relay *relay)
{
    ssize_t n = write(relay->control, relay->to_guest, relay->to_guest_len);

    if (n > 0) {
        relay->to_guest_len -= (size_t)n;
        memmove(relay->to_guest, relay->to_guest + n, relay->to_guest_len);
    }
}

void control_ready(struct relay *relay, short events)
{
    char buffer[4096];

    if (events & POLLOUT)
        send_waiting(relay);
    if (!(events & (POLLIN | POLLHUP | POLLERR)))
        return;
    ssize_t n = read(relay->control, buffer, sizeof buffer);
    if (n > 0) {
        take_bytes(relay, buffer, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        close(relay->control);
        relay->control = -1;
    }
}

void control_send(struct relay *relay, const char *line)
{
    size_t len = strlen(line);

    /* A guest that reads nothing loses the newest lines, not our memory. */
    if (relay->control < 0 || relay->to_guest_len + len + 1 > sizeof relay->to_guest)
        return;
    memcpy(relay->to_guest + relay->to_guest_len, line, len);
    relay->to_guest[relay->to_guest_len + len] = '\n';
    relay->to_guest_len += len + 1;
}

void control_send_size(struct relay *relay)
{
    unsigned rows, columns;
    char line[64];

    if (!terminal_size(&rows, &columns))
        return;
    snprintf(line, sizeof line, "winsize %u %u", rows, columns);
    control_send(relay, line);
}

void control_read_errors(struct relay *relay)
{
    char buffer[1024];
    ssize_t n = read(relay->errors, buffer, sizeof buffer);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        close(relay->errors);
        relay->errors = -1;
        while (relay->errors_len && relay->errors_text[relay->errors_len - 1] == '\n')
            relay->errors_text[--relay->errors_len] = 0;
        return;
    }
    size_t room = sizeof relay->errors_text - 1 - relay->errors_len;
    size_t len = (size_t)n < room ? (size_t)n : room;
    memcpy(relay->errors_text + relay->errors_len, buffer, len);
    relay->errors_len += len;
}
