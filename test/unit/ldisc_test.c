/* sources: vfs/ldisc.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <signal.h>

#include "../../vfs/ldisc.h"

/* --- a terminal that writes down what happens ------------------------------------------------- */

static struct ldisc ldisc;
static char screen[8192];
static size_t screen_len;
static int signals[8], nr_signals;

static void on_echo(struct ldisc_sink *s, const char *bytes, size_t n)
{
    (void)s;
    assert_true(screen_len + n < sizeof(screen));
    memcpy(screen + screen_len, bytes, n);
    screen_len += n;
    screen[screen_len] = '\0';
}

static void on_signal(struct ldisc_sink *s, int sig)
{
    (void)s;
    signals[nr_signals++] = sig;
}

static void on_flush(struct ldisc_sink *s)
{
    (void)s;
}

static struct ldisc_sink sink = {on_echo, on_signal, on_flush};

static int begin(void **state)
{
    (void)state;
    ldisc_init(&ldisc);
    screen_len = 0;
    screen[0] = '\0';
    nr_signals = 0;
    return 0;
}

static size_t type(const char *bytes)
{
    return ldisc_input(&ldisc, (const uint8_t *)bytes, strlen(bytes), &sink);
}

static void set_flags(unsigned on_iflag, unsigned off_iflag, unsigned on_lflag, unsigned off_lflag)
{
    struct termios2 t = ldisc.settings;
    t.c_iflag = (t.c_iflag | on_iflag) & ~off_iflag;
    t.c_lflag = (t.c_lflag | on_lflag) & ~off_lflag;
    ldisc_set(&ldisc, &t);
}

static void expect_read(size_t size, const char *text, bool ends)
{
    uint8_t buf[LDISC_SIZE];
    bool is_end;
    size_t n = ldisc_read(&ldisc, buf, size, &is_end);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(buf, text, n);
    assert_int_equal(is_end, ends);
}

/* --- canonical mode --------------------------------------------------------------------------- */

static void line_is_delivered_when_complete(void **state)
{
    (void)state;
    type("hello");
    assert_false(ldisc_is_readable(&ldisc, false));
    type("\r");
    assert_true(ldisc_is_readable(&ldisc, true));
    assert_string_equal(screen, "hello\r\n");
    assert_int_equal(ldisc_count(&ldisc), 6);
    expect_read(100, "hello\n", true);
    assert_false(ldisc_is_readable(&ldisc, false));
}

static void short_reads_share_a_line(void **state)
{
    (void)state;
    type("abcd\nef\n");
    expect_read(3, "abc", false);
    expect_read(3, "d\n", true);
    expect_read(3, "ef\n", true);
}

static void erase_word_and_line(void **state)
{
    (void)state;
    type("ab\x7f\x7f\x7f"
         "one two  \x17"
         "x\x15"
         "ok\n");
    assert_string_equal(
        screen, "ab\b \b\b \bone two  \b \b\b \b\b \b\b \b\b \bx\b \b\b \b\b \b\b \b\b \bok\r\n");
    expect_read(100, "ok\n", true);
}

static void erase_takes_whole_characters(void **state)
{
    (void)state;
    type("\xc3\xa9\x7f\xe6\xbc\xa2z\n");
    assert_string_equal(screen, "\xc3\xa9\b \b\xe6\xbc\xa2z\r\n");
    expect_read(100, "\xe6\xbc\xa2z\n", true);
}

static void erase_tab_goes_back_to_where_it_began(void **state)
{
    (void)state;
    type("ab\t\x7f");
    assert_string_equal(screen, "ab\t\b\b\b\b\b\b");
}

static void control_characters_are_shown_with_a_caret(void **state)
{
    (void)state;
    type("\x01\x7f\x16\x03\n");
    assert_string_equal(screen, "^A\b \b\b \b^\b^C\r\n");
    expect_read(100, "\x03\n", true);
}

static void reprint_shows_the_line_again(void **state)
{
    (void)state;
    type("ab\x12");
    assert_string_equal(screen, "ab^R\r\nab");
}

static void end_of_file(void **state)
{
    (void)state;
    type("\x04");
    expect_read(100, "", true);
    type("ab\x04");
    assert_string_equal(screen, "ab");
    assert_int_equal(ldisc_count(&ldisc), 2);
    expect_read(100, "ab", true);
    type("cd\x04"); /* right behind the last byte asked for: it must not be a second end of file */
    expect_read(2, "cd", true);
    assert_false(ldisc_is_readable(&ldisc, false));
}

static void a_line_too_long_is_cut(void **state)
{
    (void)state;
    char line[5000];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    assert_int_equal(type(line), strlen(line));
    assert_int_equal(type("\n"), 1);
    assert_int_equal(ldisc_count(&ldisc), LDISC_SIZE);
    assert_int_equal(type("more\n"), 0); /* refused until somebody reads */
    uint8_t buf[LDISC_SIZE];
    bool is_end;
    assert_int_equal(ldisc_read(&ldisc, buf, sizeof(buf), &is_end), LDISC_SIZE);
    assert_true(is_end);
    assert_int_equal(type("more\n"), 5);
}

/* --- signals and flow ------------------------------------------------------------------------- */

static void signals_flush_and_echo(void **state)
{
    (void)state;
    type("abc\x03\x1c\x1a");
    assert_int_equal(nr_signals, 3);
    assert_int_equal(signals[0], SIGINT);
    assert_int_equal(signals[1], SIGQUIT);
    assert_int_equal(signals[2], SIGTSTP);
    assert_string_equal(screen, "abc^C^\\^Z");
    type("\n");
    expect_read(100, "\n", true);
}

static void noflsh_keeps_the_line(void **state)
{
    (void)state;
    set_flags(0, 0, NOFLSH, 0);
    type("abc\x03\n");
    expect_read(100, "abc\n", true);
}

static void stop_and_go(void **state)
{
    (void)state;
    type("\x13");
    assert_true(ldisc.is_stopped);
    type("a");
    assert_true(ldisc.is_stopped);
    type("\x11");
    assert_false(ldisc.is_stopped);
    set_flags(IXANY, 0, 0, 0);
    type("\x13x");
    assert_false(ldisc.is_stopped);
}

/* --- raw mode --------------------------------------------------------------------------------- */

static void raw_mode_passes_everything(void **state)
{
    (void)state;
    set_flags(0, ICRNL | IXON, 0, ICANON | ECHO | ISIG | IEXTEN);
    type("a\r\x03\x04\x13");
    assert_string_equal(screen, "");
    assert_int_equal(nr_signals, 0);
    assert_int_equal(ldisc_count(&ldisc), 5);
    expect_read(3, "a\r\x03", false);
    expect_read(9, "\x04\x13", false);
}

static void vmin_counts_for_poll(void **state)
{
    (void)state;
    set_flags(0, 0, 0, ICANON);
    ldisc.settings.c_cc[VMIN] = 3;
    type("ab");
    assert_true(ldisc_is_readable(&ldisc, false));
    assert_false(ldisc_is_readable(&ldisc, true));
    type("c");
    assert_true(ldisc_is_readable(&ldisc, true));
}

static void full_raw_buffer_refuses(void **state)
{
    (void)state;
    set_flags(0, 0, 0, ICANON | ECHO);
    char line[5000];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    assert_int_equal(type(line), LDISC_SIZE);
    assert_int_equal(type("y"), 0);
}

static void mode_changes_keep_input(void **state)
{
    (void)state;
    type("half");
    set_flags(0, 0, 0, ICANON);
    assert_true(ldisc_is_readable(&ldisc, false));
    set_flags(0, 0, ICANON, 0);
    assert_true(ldisc_is_readable(&ldisc, false)); /* typed in raw mode: as good as a line */
    expect_read(100, "half", true);
}

/* --- output ----------------------------------------------------------------------------------- */

static void output_processing(void **state)
{
    (void)state;
    char out[LDISC_EXPANSION];
    assert_int_equal(ldisc_output(&ldisc, '\n', out), 2);
    assert_memory_equal(out, "\r\n", 2);
    ldisc_output(&ldisc, 'a', out);
    ldisc.settings.c_oflag |= XTABS;
    assert_int_equal(ldisc_output(&ldisc, '\t', out), 7);
    ldisc.settings.c_oflag |= ONOCR;
    assert_int_equal(ldisc_output(&ldisc, '\r', out), 1);
    assert_int_equal(ldisc_output(&ldisc, '\r', out), 0);
    ldisc.settings.c_oflag = 0;
    assert_int_equal(ldisc_output(&ldisc, '\n', out), 1);
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_is_delivered_when_complete),
        TEST(short_reads_share_a_line),
        TEST(erase_word_and_line),
        TEST(erase_takes_whole_characters),
        TEST(erase_tab_goes_back_to_where_it_began),
        TEST(control_characters_are_shown_with_a_caret),
        TEST(reprint_shows_the_line_again),
        TEST(end_of_file),
        TEST(a_line_too_long_is_cut),
        TEST(signals_flush_and_echo),
        TEST(noflsh_keeps_the_line),
        TEST(stop_and_go),
        TEST(raw_mode_passes_everything),
        TEST(vmin_counts_for_poll),
        TEST(full_raw_buffer_refuses),
        TEST(mode_changes_keep_input),
        TEST(output_processing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
