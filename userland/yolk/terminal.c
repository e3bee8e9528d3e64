/* The person's terminal.
 *
 * Raw mode hands every key to the guest, whose own line discipline echoes, edits and makes signals.
 * Output processing is off too: the guest's terminal has already turned "\n" into "\r\n". */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

static struct termios saved;
static bool is_raw, will_restore;

bool terminal_is_ours(void)
{
    pid_t foreground =
        tcgetpgrp(STDIN_FILENO); /* -1: not our controlling terminal, so no job control */

    return foreground < 0 || foreground == getpgrp();
}

bool terminal_make_raw(void)
{
    struct termios raw;

    is_raw = false; /* what it was when it was taken from us is the shell's affair */
    if (!isatty(STDIN_FILENO) || !terminal_is_ours())
        return false;
    if (!will_restore) {
        if (tcgetattr(STDIN_FILENO, &saved))
            return false;
        atexit(terminal_restore);
        will_restore = true;
    }
    raw = saved;
    cfmakeraw(&raw);
    is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    return is_raw;
}

void terminal_restore(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
    is_raw = false;
}

bool terminal_is_raw(void)
{
    return is_raw;
}

int terminal_output_fd(void)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (isatty(fd))
            return fd;
    return isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
}

bool terminal_size(unsigned *rows, unsigned *columns)
{
    struct winsize size;
    int fd = isatty(STDIN_FILENO) ? STDIN_FILENO : terminal_output_fd();

    if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
        return false;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return true;
}
