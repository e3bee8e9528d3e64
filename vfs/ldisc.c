/* The line discipline; see ldisc.h.  Behaviour follows Linux's N_TTY, the order of the tests
 * included. */
#include <asm/signal.h>
#include <base/string.h>
#include <ldisc.h>

#define DISABLED 0 /* _POSIX_VDISABLE: a control character that is switched off */

/* --- small questions -------------------------------------------------------------------------- */

static bool has_input_flag(const struct ldisc *l, unsigned flag)
{
    return l->settings.c_iflag & flag;
}

static bool has_local_flag(const struct ldisc *l, unsigned flag)
{
    return l->settings.c_lflag & flag;
}

static bool is_char(const struct ldisc *l, uint8_t c, int which)
{
    return c == l->settings.c_cc[which] && c != DISABLED;
}

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c >= 0xc0;
}

/* The second or a later byte of a UTF-8 sequence: takes no column of its own. */
static bool is_continuation(const struct ldisc *l, uint8_t c)
{
    return has_input_flag(l, IUTF8) && (c & 0xc0) == 0x80;
}

static uint8_t *byte_at(struct ldisc *l, unsigned index)
{
    return &l->buf[index % LDISC_SIZE];
}

static bool is_end_at(const struct ldisc *l, unsigned index)
{
    unsigned n = index % LDISC_SIZE;
    return l->ends[n / 64] >> (n % 64) & 1;
}

static void mark_end(struct ldisc *l, unsigned index, bool is_end)
{
    unsigned n = index % LDISC_SIZE;
    uint64_t bit = 1UL << (n % 64);
    l->ends[n / 64] = (l->ends[n / 64] & ~bit) | (is_end ? bit : 0);
}

/* --- output ----------------------------------------------------------------------------------- */

static size_t output_tab(struct ldisc *l, char *out)
{
    unsigned spaces = 8 - l->column % 8;
    l->column += spaces;
    if ((l->settings.c_oflag & TABDLY) != XTABS) {
        out[0] = '\t';
        return 1;
    }
    memset(out, ' ', spaces);
    return spaces;
}

static size_t output_newline(struct ldisc *l, char *out)
{
    unsigned flags = l->settings.c_oflag;
    if (flags & (ONLRET | ONLCR))
        l->column = 0;
    l->line_column = l->column;
    size_t n = 0;
    if (flags & ONLCR)
        out[n++] = '\r';
    out[n++] = '\n';
    return n;
}

static size_t output_return(struct ldisc *l, char *out)
{
    unsigned flags = l->settings.c_oflag;
    if ((flags & ONOCR) && l->column == 0)
        return 0;
    if (!(flags & OCRNL) || (flags & ONLRET))
        l->line_column = l->column = 0;
    out[0] = flags & OCRNL ? '\n' : '\r';
    return 1;
}

size_t ldisc_output(struct ldisc *l, uint8_t c, char out[LDISC_EXPANSION])
{
    if (l->settings.c_oflag & OPOST) {
        if (c == '\n')
            return output_newline(l, out);
        if (c == '\r')
            return output_return(l, out);
        if (c == '\t')
            return output_tab(l, out);
        if (c == '\b' && l->column > 0)
            l->column--;
        if (!is_control(c) && !is_continuation(l, c))
            l->column++;
        if ((l->settings.c_oflag & OLCUC) && c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
    }
    out[0] = c;
    return 1;
}

/* --- echo ------------------------------------------------------------------------------------- */

static void echo_byte(struct ldisc *l, struct ldisc_sink *sink, uint8_t c)
{
    char out[LDISC_EXPANSION];
    sink->echo(sink, out, ldisc_output(l, c, out));
}

/* A typed byte as it is shown: a control character as ^X. */
static void echo_char(struct ldisc *l, struct ldisc_sink *sink, uint8_t c)
{
    if (has_local_flag(l, ECHOCTL) && is_control(c) && c != '\t') {
        const char shown[2] = {'^', (char)(c ^ 0x40)};
        sink->echo(sink, shown, sizeof(shown));
        l->column += 2;
    } else {
        echo_byte(l, sink, c);
    }
}

/* Wipe the last column. */
static void echo_rubout(struct ldisc *l, struct ldisc_sink *sink)
{
    echo_byte(l, sink, '\b');
    echo_byte(l, sink, ' ');
    echo_byte(l, sink, '\b');
}

static void finish_erasing(struct ldisc *l, struct ldisc_sink *sink)
{
    if (l->is_erasing)
        echo_byte(l, sink, '/');
    l->is_erasing = false;
}

/* Before a byte of the line is echoed. */
static void begin_echo(struct ldisc *l, struct ldisc_sink *sink)
{
    finish_erasing(l, sink);
    if (l->canon == l->head)
        l->line_column = l->column;
}

/* Columns that the line being typed takes from its last tab (or its start) to the end; *from: where
 * it starts. */
static unsigned columns_since_tab(struct ldisc *l, unsigned *from)
{
    unsigned columns = 0;
    *from = l->line_column;
    for (unsigned i = l->head; i != l->canon;) {
        uint8_t c = *byte_at(l, --i);
        if (c == '\t') {
            *from = 0;
            break;
        }
        if (is_control(c))
            columns += has_local_flag(l, ECHOCTL) ? 2 : 0;
        else if (!is_continuation(l, c))
            columns++;
    }
    return columns;
}

static void echo_erase_tab(struct ldisc *l, struct ldisc_sink *sink)
{
    unsigned from, columns = columns_since_tab(l, &from);
    for (unsigned n = 8 - (from + columns) % 8; n > 0; n--) {
        sink->echo(sink, "\b", 1);
        if (l->column > 0)
            l->column--;
    }
}

/* --- editing ---------------------------------------------------------------------------------- */

/* Show that the character at [head, head + len) has just gone from the line. */
static void echo_erased(struct ldisc *l, struct ldisc_sink *sink, unsigned len, bool is_single)
{
    uint8_t c = *byte_at(l, l->head);
    if (has_local_flag(l, ECHOPRT)) {
        if (!l->is_erasing)
            echo_byte(l, sink, '\\');
        l->is_erasing = true;
        echo_char(l, sink, c);
        for (unsigned i = 1; i < len; i++)
            echo_byte(l, sink, *byte_at(l, l->head + i));
    } else if (is_single && !has_local_flag(l, ECHOE)) {
        echo_char(l, sink, l->settings.c_cc[VERASE]);
    } else if (c == '\t') {
        echo_erase_tab(l, sink);
    } else {
        if (is_control(c) && has_local_flag(l, ECHOCTL))
            echo_rubout(l, sink);
        if (!is_control(c) || has_local_flag(l, ECHOCTL))
            echo_rubout(l, sink);
    }
}

/* Where the last character of the line begins; ->head when only its tail is left in the line. */
static unsigned last_char(struct ldisc *l)
{
    unsigned i = l->head;
    do
        i--;
    while (is_continuation(l, *byte_at(l, i)) && i != l->canon);
    return is_continuation(l, *byte_at(l, i)) ? l->head : i;
}

enum erase { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static void erase(struct ldisc *l, struct ldisc_sink *sink, enum erase what)
{
    bool has_echo = has_local_flag(l, ECHO), has_seen_word = false;
    if (l->head == l->canon)
        return;
    bool is_wiped =
        has_local_flag(l, ECHOK) && has_local_flag(l, ECHOKE) && has_local_flag(l, ECHOE);
    if (what == ERASE_LINE && !(has_echo && is_wiped)) {
        l->head = l->canon;
        if (has_echo) {
            finish_erasing(l, sink);
            echo_char(l, sink, l->settings.c_cc[VKILL]);
            if (has_local_flag(l, ECHOK))
                echo_byte(l, sink, '\n');
        }
        return;
    }
    while (l->head != l->canon) {
        unsigned start = last_char(l), len = l->head - start;
        if (len == 0)
            break;
        bool is_in_word = is_word(*byte_at(l, start));
        if (what == ERASE_WORD && has_seen_word && !is_in_word)
            break;
        has_seen_word |= is_in_word;
        l->head = start;
        if (has_echo)
            echo_erased(l, sink, len, what == ERASE_CHAR);
        if (what == ERASE_CHAR)
            break;
    }
    if (l->head == l->canon && has_echo)
        finish_erasing(l, sink);
}

static void reprint(struct ldisc *l, struct ldisc_sink *sink)
{
    finish_erasing(l, sink);
    echo_char(l, sink, l->settings.c_cc[VREPRINT]);
    echo_byte(l, sink, '\n');
    for (unsigned i = l->canon; i != l->head; i++)
        echo_char(l, sink, *byte_at(l, i));
}

/* --- input ------------------------------------------------------------------------------------ */

/* Can one more byte be taken off the driver's hands?  A line too long to fit is cut, not refused:
 * or nobody could ever end it. */
static bool has_room(const struct ldisc *l)
{
    unsigned used = l->head - l->read;
    if (has_local_flag(l, ICANON))
        return used < LDISC_SIZE - 1 || l->canon == l->read;
    return used < LDISC_SIZE;
}

static void store(struct ldisc *l, uint8_t c, bool is_end)
{
    *byte_at(l, l->head) = c;
    mark_end(l, l->head, is_end);
    l->head++;
}

/* A byte of data, echoed or not.  A return that became a newline is shown as one; a newline as
 * such, which is ordinary in raw mode, as ^J. */
static void put_data(struct ldisc *l, struct ldisc_sink *sink, uint8_t c, bool was_return)
{
    /* In canonical mode the last place is the newline's. */
    unsigned limit = has_local_flag(l, ICANON) ? LDISC_SIZE - 1 : LDISC_SIZE;
    if (l->head - l->read >= limit) {
        if (has_input_flag(l, IMAXBEL))
            sink->echo(sink, "\a", 1);
        return;
    }
    if (has_local_flag(l, ECHO)) {
        begin_echo(l, sink);
        if (c == '\n' && was_return)
            echo_byte(l, sink, c);
        else
            echo_char(l, sink, c);
    }
    store(l, c, false);
}

static void end_line(struct ldisc *l, uint8_t c)
{
    store(l, c, true);
    l->canon = l->head;
    l->is_pushed = false;
}

/* The characters that canonical mode reacts to: true when `c` was one. */
static bool input_canonical(struct ldisc *l, struct ldisc_sink *sink, uint8_t c)
{
    bool has_echo = has_local_flag(l, ECHO), is_extended = has_local_flag(l, IEXTEN);
    if (is_char(l, c, VERASE)) {
        erase(l, sink, ERASE_CHAR);
    } else if (is_char(l, c, VKILL)) {
        erase(l, sink, ERASE_LINE);
    } else if (is_extended && is_char(l, c, VWERASE)) {
        erase(l, sink, ERASE_WORD);
    } else if (is_extended && is_char(l, c, VLNEXT)) {
        l->is_literal = true;
        if (has_echo && has_local_flag(l, ECHOCTL)) {
            finish_erasing(l, sink);
            sink->echo(sink, "^\b", 2);
        }
    } else if (is_extended && has_echo && is_char(l, c, VREPRINT)) {
        reprint(l, sink);
    } else if (c == '\n') {
        if (has_echo || has_local_flag(l, ECHONL))
            echo_byte(l, sink, '\n');
        end_line(l, c);
    } else if (is_char(l, c, VEOF)) {
        end_line(l, DISABLED);
    } else if (is_char(l, c, VEOL) || (is_extended && is_char(l, c, VEOL2))) {
        if (has_echo) {
            begin_echo(l, sink);
            echo_char(l, sink, c);
        }
        end_line(l, c);
    } else {
        return false;
    }
    return true;
}

static void input_signal(struct ldisc *l, struct ldisc_sink *sink, uint8_t c, int sig)
{
    if (!has_local_flag(l, NOFLSH)) {
        ldisc_flush(l);
        sink->flush_output(sink);
    }
    if (has_input_flag(l, IXON))
        l->is_stopped = false;
    if (has_local_flag(l, ECHO))
        echo_char(l, sink, c);
    sink->signal(sink, sig);
}

/* ^S ^Q ^C ^\ ^Z: true when `c` was one. */
static bool input_control(struct ldisc *l, struct ldisc_sink *sink, uint8_t c)
{
    if (has_input_flag(l, IXON) && is_char(l, c, VSTART)) {
        l->is_stopped = false;
        return true;
    }
    if (has_input_flag(l, IXON) && is_char(l, c, VSTOP)) {
        l->is_stopped = true;
        return true;
    }
    if (!has_local_flag(l, ISIG))
        return false;
    if (is_char(l, c, VINTR))
        input_signal(l, sink, c, SIGINT);
    else if (is_char(l, c, VQUIT))
        input_signal(l, sink, c, SIGQUIT);
    else if (is_char(l, c, VSUSP))
        input_signal(l, sink, c, SIGTSTP);
    else
        return false;
    return true;
}

static void input_byte(struct ldisc *l, struct ldisc_sink *sink, uint8_t c)
{
    if (has_input_flag(l, ISTRIP))
        c &= 0x7f;
    if (has_input_flag(l, IUCLC) && has_local_flag(l, IEXTEN) && c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (l->is_literal) {
        l->is_literal = false;
        put_data(l, sink, c, false);
        return;
    }
    if (input_control(l, sink, c))
        return;
    if (has_input_flag(l, IXON) && has_input_flag(l, IXANY))
        l->is_stopped = false;
    bool was_return = c == '\r';
    if (was_return) {
        if (has_input_flag(l, IGNCR))
            return;
        if (has_input_flag(l, ICRNL))
            c = '\n';
    } else if (c == '\n' && has_input_flag(l, INLCR)) {
        c = '\r';
    }
    if (!has_local_flag(l, ICANON) || !input_canonical(l, sink, c))
        put_data(l, sink, c, was_return);
}

size_t ldisc_input(struct ldisc *l, const uint8_t *bytes, size_t n, struct ldisc_sink *sink)
{
    size_t done = 0;
    while (done < n && has_room(l))
        input_byte(l, sink, bytes[done++]);
    return done;
}

/* --- reading ---------------------------------------------------------------------------------- */

bool ldisc_is_readable(const struct ldisc *l, bool as_poll)
{
    if (has_local_flag(l, ICANON))
        return l->canon != l->read;
    unsigned wanted = as_poll && l->settings.c_cc[VTIME] == 0 ? l->settings.c_cc[VMIN] : 1;
    return l->head - l->read >= MAX(wanted, 1u);
}

static size_t copy_out(struct ldisc *l, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = *byte_at(l, l->read + i);
    l->read += n;
    return n;
}

size_t ldisc_read(struct ldisc *l, uint8_t *out, size_t n, bool *is_end)
{
    *is_end = false;
    if (!has_local_flag(l, ICANON)) {
        n = copy_out(l, out, MIN(n, (size_t)(l->head - l->read)));
        l->canon = l->read;
        return n;
    }
    size_t there = l->canon - l->read, end = 0;
    while (end < there && end <= n && !is_end_at(l, l->read + end))
        end++;
    bool has_end = end < there && end <= n;
    bool is_eof = has_end && !(l->is_pushed && l->read + end + 1 == l->canon) &&
                  *byte_at(l, l->read + end) == DISABLED;
    if (is_eof) { /* also when it comes right after the last byte asked for */
        n = copy_out(l, out, end);
        l->read++;
        *is_end = true;
        return n;
    }
    *is_end = has_end && end < n;
    return copy_out(l, out, *is_end ? end + 1 : MIN(n, there));
}

unsigned ldisc_count(const struct ldisc *l)
{
    if (!has_local_flag(l, ICANON))
        return l->head - l->read;
    unsigned n = 0;
    for (unsigned i = l->read; i != l->canon; i++)
        n += !(is_end_at(l, i) && l->buf[i % LDISC_SIZE] == DISABLED);
    return n;
}

void ldisc_flush(struct ldisc *l)
{
    l->read = l->canon = l->head;
    l->is_literal = l->is_erasing = l->is_pushed = false;
}

/* --- settings --------------------------------------------------------------------------------- */

void ldisc_set(struct ldisc *l, const struct termios2 *settings)
{
    bool was_canonical = has_local_flag(l, ICANON);
    l->settings = *settings;
    if (!has_input_flag(l, IXON))
        l->is_stopped = false;
    if (was_canonical == has_local_flag(l, ICANON))
        return;
    memset(l->ends, 0, sizeof(l->ends));
    l->is_literal = l->is_erasing = l->is_pushed = false;
    l->canon = l->read;
    if (!was_canonical && l->head != l->read) { /* what was typed in raw mode counts as a line */
        mark_end(l, l->head - 1, true);
        l->canon = l->head;
        l->is_pushed = true;
    }
}

void ldisc_init(struct ldisc *l)
{
    static const struct termios2 settings = {
        .c_iflag = ICRNL | IXON | IUTF8,
        .c_oflag = OPOST | ONLCR,
        .c_cflag = B38400 | CS8 | CREAD | HUPCL,
        .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .c_cc = {[VINTR] = 'C' & 0x1f,
                 [VQUIT] = '\\' & 0x1f,
                 [VERASE] = 0x7f,
                 [VKILL] = 'U' & 0x1f,
                 [VEOF] = 'D' & 0x1f,
                 [VMIN] = 1,
                 [VSTART] = 'Q' & 0x1f,
                 [VSTOP] = 'S' & 0x1f,
                 [VSUSP] = 'Z' & 0x1f,
                 [VREPRINT] = 'R' & 0x1f,
                 [VDISCARD] = 'O' & 0x1f,
                 [VWERASE] = 'W' & 0x1f,
                 [VLNEXT] = 'V' & 0x1f},
        .c_ispeed = 38400,
        .c_ospeed = 38400,
    };
    memset(l, 0, sizeof(*l));
    l->settings = settings;
}
