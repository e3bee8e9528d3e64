/* sources: kernel/cmdline.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "../../kernel/include/image/cmdline.h"

static struct cmdline line;

static void parse(const char *s)
{
    static char text[4096];

    assert_true((size_t)snprintf(text, sizeof(text), "%s", s) < sizeof(text));
    assert_int_equal(cmdline_parse(text, &line), 0);
}

static void defaults(void **state)
{
    (void)state;
    parse("");
    assert_string_equal(line.init, "/init");
    assert_string_equal(line.cwd, "/");
    assert_null(line.argv0);
    assert_int_equal(line.nr_args, 0);
    assert_int_equal(line.stdio[0], STDIO_TTY);
}

static void sorts_words(void **state)
{
    (void)state;
    parse("console=ttyS0 HOME=/root init=/bin/a foo net.ifnames=0 X= -- a --b \"c d\" HOME=2");
    assert_string_equal(line.console, "ttyS0");
    assert_string_equal(line.init, "/bin/a");
    assert_int_equal(line.nr_env, 2);
    assert_string_equal(line.env[0], "HOME=/root");
    assert_string_equal(line.env[1], "X=");
    assert_int_equal(line.nr_args, 4);
    assert_string_equal(line.args[1], "--b");
    assert_string_equal(line.args[2], "c d");
    assert_string_equal(line.args[3], "HOME=2");
    assert_int_equal(line.nr_unknown, 2);
    assert_string_equal(line.unknown[0], "foo");
}

static void decodes_percent(void **state)
{
    (void)state;
    parse("A=%41 yolk.encoding=percent B=%42%0a init=/a%20b -- \"\" %22 %2 %zz %25");
    assert_string_equal(line.env[0], "A=%41");
    assert_string_equal(line.env[1], "B=B\n");
    assert_string_equal(line.init, "/a b");
    parse("yolk.encoding=percent %69nit=x %63onsole=y");
    assert_int_equal(line.nr_env, 2);
    assert_string_equal(line.env[0], "init=x");
    assert_string_equal(line.init, "/init");
    parse("A=%41 yolk.encoding=percent B=%42%0a init=/a%20b -- \"\" %22 %2 %zz %25");
    assert_int_equal(line.nr_args, 5);
    assert_string_equal(line.args[0], "");
    assert_string_equal(line.args[1], "\"");
    assert_string_equal(line.args[2], "%2");
    assert_string_equal(line.args[3], "%zz");
    assert_string_equal(line.args[4], "%");
}

static void reads_stdio(void **state)
{
    (void)state;
    parse("yolk.stdio=pipe,tty,null");
    assert_int_equal(line.stdio[0], STDIO_PIPE);
    assert_int_equal(line.stdio[1], STDIO_TTY);
    assert_int_equal(line.stdio[2], STDIO_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(sorts_words),
        cmocka_unit_test(decodes_percent),
        cmocka_unit_test(reads_stdio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
