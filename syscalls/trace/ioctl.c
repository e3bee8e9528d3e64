/* Requests of devices: terminals, and what every descriptor knows. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/fs.h>
#include <linux/ioctl.h>

#include "decode.h"

struct winsize_k {
    uint16_t rows, columns, x, y;
};

void trace_show_ioctl(struct trace *t, unsigned i)
{
    static const char *const directions[] = {"_IOC_NONE", "_IOC_WRITE", "_IOC_READ",
                                             "_IOC_READ|_IOC_WRITE"};
    uint32_t v = (uint32_t)t->arg[i];
    const char *name = trace_flag_name(&trace_flags_ioctl, v);

    if (name) {
        trace_put(t, name);
        return;
    }
    trace_put(t, "_IOC(");
    trace_put(t, directions[_IOC_DIR(v)]);
    trace_put(t, ", ");
    trace_put_x(t, _IOC_TYPE(v));
    trace_put(t, ", ");
    trace_put_x(t, _IOC_NR(v));
    trace_put(t, ", ");
    trace_put_x(t, _IOC_SIZE(v));
    trace_put_char(t, ')');
}

bool trace_ioctl_has_no_arg(uint32_t request)
{
    switch (request) {
    case TIOCEXCL:
    case TIOCNXCL:
    case TIOCNOTTY:
    case FIOCLEX:
    case FIONCLEX:
        return true;
    default:
        return false;
    }
}

bool trace_ioctl_is_late(uint32_t request)
{
    switch (request) {
    case TCGETS:
    case TIOCGWINSZ:
    case TIOCGPGRP:
    case TIOCGSID:
    case TIOCOUTQ:
    case FIONREAD:
    case TIOCGETD:
    case TIOCGPTN:
    case TIOCMGET:
    case FIGETBSZ:
        return true;
    default:
        return false;
    }
}

static const char *baud_name(uint32_t cflag)
{
    static const char *const slow[] = {"B0",    "B50",   "B75",    "B110",  "B134",  "B150",
                                       "B200",  "B300",  "B600",   "B1200", "B1800", "B2400",
                                       "B4800", "B9600", "B19200", "B38400"};
    static const char *const fast[] = {NULL,       "B57600",   "B115200",  "B230400",
                                       "B460800",  "B500000",  "B576000",  "B921600",
                                       "B1000000", "B1152000", "B1500000", "B2000000",
                                       "B2500000", "B3000000", "B3500000", "B4000000"};

    return cflag & CBAUDEX ? fast[cflag & 15] : slow[cflag & 15];
}

static void put_termios(struct trace *t, uint64_t addr)
{
    struct termios s;
    static const struct {
        uint8_t word;
        uint32_t bit;
        const char *on, *off;
    } modes[] = {{1, OPOST, " opost", " -opost"},
                 {3, ISIG, " isig", " -isig"},
                 {3, ICANON, " icanon", " -icanon"},
                 {3, ECHO, " echo", " -echo"}};

    if (!trace_fetch(t, addr, &s, sizeof(s)))
        return;
    const uint32_t words[] = {s.c_iflag, s.c_oflag, s.c_cflag, s.c_lflag};
    if (t->options->is_verbose) {
        const char *const names[] = {"c_iflags", "c_oflags", "c_cflags", "c_lflags"};
        trace_put_char(t, '{');
        for (unsigned n = 0; n < 4; n++)
            trace_field_x(t, names[n], words[n]);
        trace_field_u(t, "c_line", s.c_line);
        trace_put(t, ", ...}");
        return;
    }
    const char *baud = baud_name(s.c_cflag);
    trace_put_char(t, '{');
    trace_put(t, baud ? baud : "B???");
    for (unsigned n = 0; n < sizeof(modes) / sizeof(*modes); n++)
        trace_put(t, words[modes[n].word] & modes[n].bit ? modes[n].on : modes[n].off);
    trace_put(t, " ...}");
}

static void put_winsize(struct trace *t, uint64_t addr)
{
    struct winsize_k w;

    if (!trace_fetch(t, addr, &w, sizeof(w)))
        return;
    trace_put_char(t, '{');
    trace_field_u(t, "ws_row", w.rows);
    trace_field_u(t, "ws_col", w.columns);
    trace_field_u(t, "ws_xpixel", w.x);
    trace_field_u(t, "ws_ypixel", w.y);
    trace_put_char(t, '}');
}

static void put_int_behind(struct trace *t, uint64_t addr)
{
    int32_t v;

    if (!trace_fetch(t, addr, &v, sizeof(v)))
        return;
    trace_put_char(t, '[');
    trace_put_d(t, v);
    trace_put_char(t, ']');
}

void trace_show_ioctl_arg(struct trace *t, unsigned i)
{
    uint64_t v = t->arg[i];

    switch ((uint32_t)t->arg[1]) {
    case TCGETS:
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        put_termios(t, v);
        break;
    case TIOCGWINSZ:
    case TIOCSWINSZ:
        put_winsize(t, v);
        break;
    case TIOCGPGRP:
    case TIOCSPGRP:
    case TIOCGSID:
    case TIOCOUTQ:
    case FIONREAD:
    case FIONBIO:
    case FIOASYNC:
    case TIOCGETD:
    case TIOCSETD:
    case TIOCGPTN:
    case TIOCSPTLCK:
    case FIGETBSZ:
        put_int_behind(t, v);
        break;
    case TCFLSH:
        trace_put_enum(t, &trace_flags_tcflush, v);
        break;
    case TCXONC:
        trace_put_enum(t, &trace_flags_tcxonc, v);
        break;
    case TCSBRK:
    case TIOCSCTTY:
        trace_put_d(t, (int)v);
        break;
    default:
        trace_put_x(t, v);
    }
}
