/* sources: vfs/ldisc.c
 *
 * libFuzzer: a terminal's settings, bytes typed, read and written, in any order.  Nothing is read that was not typed. */
#include <stdlib.h>
#include <string.h>

#include "../../vfs/ldisc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_echo(struct ldisc_sink *s, const char *bytes, size_t n)
{
    static volatile char last;

    (void)s;
    for (size_t i = 0; i < n; i++)
        last = bytes[i];
    (void)last;
}

static void on_signal(struct ldisc_sink *s, int sig)
{
    (void)s;
    if (sig < 1 || sig > 64)
        abort();
}

static void on_flush(struct ldisc_sink *s)
{
    (void)s;
}

/* One step, made of at most `n` bytes: how many it used. */
static size_t step(struct ldisc *l, const uint8_t *data, size_t n)
{
    struct ldisc_sink sink = {on_echo, on_signal, on_flush};
    struct termios2 settings = l->settings;
    uint8_t out[300];
    char shown[LDISC_EXPANSION];
    bool is_end;
    size_t len = n > 1 ? data[1] : 0;

    len = len < n - 1 ? len : n - 1;
    switch (data[0] % 6) {
    case 0: /* flags as they come, and one special character */
        memcpy(&settings.c_iflag, data + 1,
               len < 4 * sizeof(tcflag_t) ? len : 4 * sizeof(tcflag_t));
        if (len > 17)
            settings.c_cc[data[17] % sizeof(settings.c_cc)] = data[18];
        ldisc_set(l, &settings);
        break;
    case 1:
        if (ldisc_read(l, out, len, &is_end) > len)
            abort();
        break;
    case 2:
        ldisc_flush(l);
        break;
    case 3:
        for (size_t i = 0; i < len; i++)
            if (ldisc_output(l, data[1 + i], shown) > LDISC_EXPANSION)
                abort();
        break;
    default:
        if (ldisc_input(l, data + 1, len, &sink) > len)
            abort();
    }
    if (ldisc_count(l) > LDISC_SIZE || l->head - l->read > LDISC_SIZE ||
        l->canon - l->read > l->head - l->read)
        abort();
    (void)ldisc_is_readable(l, len & 1);
    return 1 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ldisc *l = malloc(sizeof(*l));

    ldisc_init(l);
    while (size > 0) {
        size_t used = step(l, data, size);
        data += used;
        size -= used;
    }
    free(l);
    return 0;
}
