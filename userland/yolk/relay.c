/* Moving bytes between the machine's channels and our descriptors until the machine has ended.
 *
 * One poll loop.  Bytes go through pumps, each with a buffer of its own: a pump reads only when its
 * buffer is empty and waits for its target before it writes, so a slow reader holds back its writer
 * and nobody else.  The standard descriptors belong to other processes as well and are never made
 * nonblocking; instead no more is written at a time than poll has promised room for. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "keys.h"
#include "relay.h"
#include "run.h"
#include "terminal.h"
#include "tracelog.h"

#define BACKGROUND_LOOK 0.25 /* seconds between looks whether we are in the foreground */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- Pumps --- */

static void pump_open(struct pump *pump, int from, int to)
{
    struct stat st;

    pump->from = from;
    pump->to = to;
    pump->size = sizeof pump->buffer;
    /* poll() promises room for PIPE_BUF bytes; a file takes any number, a nonblocking socket takes
     * what it can. */
    if (to >= 0 && to <= STDERR_FILENO && !fstat(to, &st) && !S_ISREG(st.st_mode))
        pump->size = 4096;
}

static bool pump_is_empty(const struct pump *pump)
{
    return pump->start == pump->end;
}

/* The end of stdin: the guest learns it by its port's end.  A terminal's channel carries output as
 * well and stays. */
static void pump_finish(struct relay *relay, struct pump *pump)
{
    bool is_shared = pump->to == relay->tty.from || pump->to == relay->out.from;

    pump->from = -1;
    if (pump == &relay->input && !is_shared)
        shutdown(pump->to, SHUT_WR);
}

/* The guest's terminal has ended its lines already, and so does ours while it is gdb's. */
static size_t drop_returns(char *text, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++)
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
            text[kept++] = text[i];
    return kept;
}

static void pump_read(struct relay *relay, struct pump *pump)
{
    ssize_t n = read(pump->from, pump->buffer, pump->size);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    pump->start = 0;
    pump->end = n > 0 ? (size_t)n : 0;
    if (n <= 0) {
        if (pump == &relay->input && relay->raw)
            relay_lost_terminal(relay);
        pump_finish(relay, pump);
    } else if (pump == &relay->input && relay->raw) {
        pump->end = keys_filter(relay, pump->buffer, pump->end);
    } else if (pump == &relay->tty && relay->options->debugger && !relay->raw) {
        pump->end = drop_returns(pump->buffer, pump->end);
    } else if (pump == &relay->serial) {
        control_keep_log(relay, pump->buffer, pump->end);
        if (!relay->options->verbose)
            pump->end = 0;
    }
}

/* The target is gone: whoever feeds it learns so by its channel's end, as a writer to a pipe
 * without readers does. */
static void pump_break(struct relay *relay, struct pump *pump)
{
    pump->start = pump->end = 0;
    pump->to = -1;
    if (pump->from >= 0 && pump != &relay->input) {
        shutdown(pump->from, SHUT_RDWR);
        pump->from = -1;
    }
    if (pump == &relay->input)
        pump->from = -1;
}

static void pump_write(struct relay *relay, struct pump *pump)
{
    ssize_t n = write(pump->to, pump->buffer + pump->start, pump->end - pump->start);

    if (n >= 0)
        pump->start += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        pump_break(relay, pump);
}

static bool pump_is_done(const struct pump *pump)
{
    return pump->from < 0 && pump_is_empty(pump);
}

/* --- The end --- */

static void set_outcome(struct relay *relay, int status, const char *reason)
{
    if (relay->outcome->reason)
        return;
    relay->outcome->status = status;
    relay->outcome->reason = reason;
}

void relay_stop(struct relay *relay, int status, const char *reason)
{
    set_outcome(relay, status, reason);
    relay->is_stopping = true;
    relay->give_up_at =
        now() + 1; /* what it wrote before is still passed on, if its reader takes it */
    if (relay->pid > 0)
        kill(relay->pid, SIGKILL);
}

void relay_exit_status(struct relay *relay, int status)
{
    set_outcome(relay, status, "exit");
    relay->give_up_at = now() + 2; /* powering off takes no time */
}

void relay_fail(struct relay *relay, int status, const char *text)
{
    say("%s", text);
    set_outcome(relay, status, "failed");
    relay->give_up_at = now() + 2;
}

void relay_lost_terminal(struct relay *relay)
{
    control_send(relay, "signal HUP");
    relay->give_up_at = now() + 2;
}

/* --- Signals --- */

static int open_signals(void)
{
    static const int wanted[] = {SIGCHLD, SIGINT,   SIGTERM, SIGHUP,
                                 SIGQUIT, SIGWINCH, SIGCONT, SIGUSR1};
    struct sigaction old;
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        /* What nohup and the like told us to ignore stays ignored. */
        if (!sigaction(wanted[i], NULL, &old) && old.sa_handler == SIG_IGN && wanted[i] != SIGCHLD)
            continue;
        sigaddset(&set, wanted[i]);
    }
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static void on_child(struct relay *relay)
{
    int status;

    if (relay->options->debugger && debugger_reap(relay->options->debugger))
        relay_stop(relay, relay->options->debugger->status, "debugger");
    if (relay->pid <= 0 || waitpid(relay->pid, &status, WNOHANG) != relay->pid)
        return;
    relay->pid = 0;
    relay->qemu_status = status;
}

/* The first is the program's to handle; the second means that it did not. */
static void on_interrupt(struct relay *relay, const char *name, int signal)
{
    if (relay->interrupts++ == 0 && relay->control >= 0)
        control_send(relay, name);
    else
        relay_stop(relay, 128 + signal, "interrupted");
}

static void on_signal(struct relay *relay)
{
    struct signalfd_siginfo info;

    while (read(relay->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            on_child(relay);
            break;
        case SIGINT:
            on_interrupt(relay, "signal INT", SIGINT);
            break;
        case SIGTERM:
            if (!relay->options->debugger || !debugger_end(relay->options->debugger))
                on_interrupt(relay, "signal TERM", SIGTERM);
            break;
        case SIGQUIT:
            on_interrupt(relay, "signal QUIT", SIGQUIT);
            break;
        case SIGHUP:
            relay_lost_terminal(relay);
            break;
        case SIGCONT:
            if (relay->raw)
                relay->raw = terminal_make_raw();
            control_send_size(relay);
            break;
        case SIGWINCH:
            control_send_size(relay);
            break;
        case SIGUSR1:
            control_send(relay, "dump");
            break;
        }
    }
}

/* --- The trace --- */

static void read_trace(struct relay *relay)
{
    static char buffer[1 << 16];
    ssize_t n = read(relay->trace, buffer, sizeof buffer);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0) {
        tracelog_feed(relay->tracelog, buffer, (size_t)n);
    } else {
        close(relay->trace);
        relay->trace = -1;
    }
}

/* --- The loop --- */

static struct pump *const *all_pumps(struct relay *relay)
{
    static struct pump *pumps[NR_PUMPS];
    struct pump *const list[NR_PUMPS] = {&relay->input, &relay->tty, &relay->out, &relay->err,
                                         &relay->serial};

    memcpy(pumps, list, sizeof pumps);
    return pumps;
}

static void open_pumps(struct relay *relay, const struct machine *machine,
                       const struct stdio_plan *plan)
{
    const int *channel = machine->channel;
    bool serial_only = machine_is_serial_only();
    int screen = terminal_output_fd();

    for (int i = 0; i < NR_PUMPS; i++)
        all_pumps(relay)[i]->from = all_pumps(relay)[i]->to = -1;
    pump_open(&relay->tty, channel[CHANNEL_TTY], screen);
    pump_open(&relay->out, channel[CHANNEL_STDOUT], STDOUT_FILENO);
    pump_open(&relay->err, channel[CHANNEL_STDERR], STDERR_FILENO);
    if (serial_only)
        pump_open(&relay->out, channel[CHANNEL_SERIAL], STDOUT_FILENO);
    else
        pump_open(&relay->serial, channel[CHANNEL_SERIAL], STDERR_FILENO);
    if (serial_only)
        pump_open(&relay->input, STDIN_FILENO, channel[CHANNEL_SERIAL]);
    else if (plan->kind[0] == STDIO_TTY)
        pump_open(&relay->input, STDIN_FILENO, channel[CHANNEL_TTY]);
    else if (plan->kind[0] == STDIO_PIPE)
        pump_open(&relay->input, STDIN_FILENO, channel[CHANNEL_STDIN]);
    relay->on_terminal = plan->kind[0] == STDIO_TTY;
    if (relay->on_terminal)
        relay->raw = terminal_make_raw();
}

/* A server that was started with `&` leaves the keys to the shell, and is stopped if it does not.  That it is in the
 * foreground again it has to find out by itself: bash tells only a job that was stopped. */
static bool is_in_background(struct relay *relay)
{
    if (!relay->on_terminal || relay->input.from < 0)
        return false;
    if (!terminal_is_ours())
        return true;
    if (!relay->raw)
        relay->raw = terminal_make_raw();
    return false;
}

static int add_poll(struct pollfd *polls, int nr, int fd, short events)
{
    polls[nr] = (struct pollfd){.fd = fd, .events = events};
    return nr + 1;
}

/* True when the machine is gone and all that it wrote has been passed on. */
static bool is_over(struct relay *relay)
{
    struct pump *const *pumps = all_pumps(relay);

    if (relay->pid)
        return false;
    if (relay->is_stopping && now() >= relay->give_up_at)
        return true;
    for (int i = 0; i < NR_PUMPS; i++)
        if (pumps[i] != &relay->input && !pump_is_done(pumps[i]))
            return false;
    return relay->control < 0 && relay->errors < 0 && relay->trace < 0;
}

static int poll_timeout(const struct relay *relay, bool is_background)
{
    double limit = 0, time = now();

    if (relay->options->timeout && !relay->is_stopping)
        limit = relay->began + relay->options->timeout;
    if (relay->give_up_at && (!limit || relay->give_up_at < limit))
        limit = relay->give_up_at;
    if (is_background && (!limit || limit > time + BACKGROUND_LOOK))
        limit = time + BACKGROUND_LOOK;
    if (!limit)
        return -1;
    if (limit <= time)
        return 0;
    return limit - time > 1e6 ? 1000000000 : (int)((limit - time) * 1000) + 1;
}

static void check_time(struct relay *relay)
{
    double time = now();

    if (relay->is_stopping)
        return;
    if (relay->options->timeout && time >= relay->began + relay->options->timeout) {
        say("stopped after %g seconds (--timeout)", relay->options->timeout);
        relay_stop(relay, STATUS_TIMEOUT, "timeout");
    } else if (relay->give_up_at && time >= relay->give_up_at) {
        relay_stop(relay, 128 + SIGHUP, "interrupted");
    }
}

/* The first sign of life: by then QEMU listens on what is published. */
static void notice_guest(struct relay *relay, const struct pollfd *polls, int nr)
{
    for (int i = 1; i < nr && !relay->has_raised && relay->options->publish.nr; i++) {
        bool from_guest = polls[i].fd != relay->errors && polls[i].fd != STDIN_FILENO;
        if (!from_guest || !(polls[i].revents & POLLIN))
            continue;
        forward_raise_backlogs(relay->pid);
        relay->has_raised = true;
    }
}

static void turn(struct relay *relay)
{
    struct pump *const *pumps = all_pumps(relay);
    struct pollfd polls[4 + NR_PUMPS];
    bool is_background = is_in_background(relay);
    int nr = 0;

    nr = add_poll(polls, nr, relay->signals, POLLIN);
    nr = add_poll(polls, nr, relay->control, control_wants(relay));
    nr = add_poll(polls, nr, relay->errors, POLLIN);
    nr = add_poll(polls, nr, relay->trace, POLLIN);
    for (int i = 0; i < NR_PUMPS; i++) {
        bool empty = pump_is_empty(pumps[i]);
        bool waits = empty && is_background && pumps[i] == &relay->input;
        int fd = waits ? -1 : empty ? pumps[i]->from : pumps[i]->to;
        nr = add_poll(polls, nr, fd, empty ? POLLIN : POLLOUT);
    }
    if (poll(polls, (nfds_t)nr, poll_timeout(relay, is_background)) < 0 && errno != EINTR)
        die(STATUS_FAILED, "poll: %s", strerror(errno));
    notice_guest(relay, polls, nr);
    if (polls[1].revents)
        control_ready(relay, polls[1].revents);
    if (polls[2].revents)
        control_read_errors(relay);
    if (polls[3].revents)
        read_trace(relay);
    for (int i = 0; i < NR_PUMPS; i++) {
        if (!polls[4 + i].revents)
            continue;
        if (polls[4 + i].events == POLLIN)
            pump_read(relay, pumps[i]);
        else
            pump_write(relay, pumps[i]);
    }
    if (polls[0].revents)
        on_signal(relay);
    check_time(relay);
}

/* Nothing said how the program ended: tell what is known. */
static void explain_missing_status(struct relay *relay)
{
    int status = relay->qemu_status;

    /* gdb's way to end a session. */
    if (relay->options->debugger && WIFEXITED(status) && !WEXITSTATUS(status)) {
        set_outcome(relay, 0, "debugger");
        return;
    }
    set_outcome(relay, STATUS_FAILED, "failed");
    if (relay->errors_len)
        say("QEMU: %s", relay->errors_text);
    if (WIFSIGNALED(status))
        say("QEMU was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) && !(WEXITSTATUS(status) & 1 && !relay->errors_len))
        say("QEMU ended with status %d", WEXITSTATUS(status));
    else if (!relay->errors_len)
        say("the machine ended without an exit status");
    if (!strcmp(relay->options->accel, "kvm"))
        say("without --accel=kvm the machine is emulated (see `yolk doctor`)");
    control_print_log(relay);
}

void relay_run(struct machine *machine, const struct run_options *options,
               const struct stdio_plan *plan, struct outcome *outcome)
{
    struct relay *relay = xmalloc(sizeof *relay);

    outcome->reason = NULL;
    relay->options = options;
    relay->has_raised = false;
    relay->outcome = outcome;
    relay->pid = machine->pid;
    relay->control = machine->channel[CHANNEL_CONTROL];
    relay->errors = machine->errors;
    relay->trace = machine->channel[CHANNEL_TRACE];
    if (options->trace)
        relay->tracelog = tracelog_open(options->trace);
    relay->began = now();
    relay->signals = open_signals();
    open_pumps(relay, machine, plan);
    on_child(relay); /* it may have ended before its signal was asked for */
    if (plan->has_tty)
        control_send_size(relay);
    while (!is_over(relay))
        turn(relay);
    terminal_restore();
    if (machine_is_serial_only() && WIFEXITED(relay->qemu_status) &&
        WEXITSTATUS(relay->qemu_status) & 1 && !relay->errors_len)
        set_outcome(relay, WEXITSTATUS(relay->qemu_status) >> 1, "exit");
    if (!outcome->reason)
        explain_missing_status(relay);
    else if (options->pcap && strstr(relay->errors_text, "dump write error"))
        say("--pcap %s: there is no room, the end is missing (%s)", options->pcap,
            relay->errors_text);
    else if (options->verbose && relay->errors_len)
        say("QEMU: %s", relay->errors_text);
    if (relay->tracelog && !tracelog_close(relay->tracelog) && outcome->status < STATUS_TIMEOUT)
        outcome->status = STATUS_FAILED;
    outcome->seconds = now() - relay->began;
    free(relay);
}
