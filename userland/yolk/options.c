/* Values of options. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "yolk.h"

uint64_t option_size(const char *option, const char *text)
{
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"", 20},  {"b", 0},    {"k", 10},  {"kib", 10}, {"m", 20},  {"mib", 20},
                 {"g", 30}, {"gib", 30}, {"kb", 10}, {"mb", 20},  {"gb", 30}, {"t", 40}};
    char *end;

    errno = 0;
    unsigned long long value = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    for (size_t i = 0; value && !errno && i < sizeof units / sizeof *units; i++)
        if (!strcasecmp(end, units[i].suffix) && value <= UINT64_MAX >> units[i].shift)
            return value << units[i].shift;
    die(STATUS_FAILED, "--%s %s: it is a number with K, M or G after it", option, text);
}

unsigned long option_number(const char *option, const char *text, unsigned long min,
                            unsigned long max)
{
    char *end = NULL;

    errno = 0;
    unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    if (!end || *end || errno || value < min || value > max)
        die(STATUS_FAILED, "--%s %s: it is a number from %lu to %lu", option, text, min, max);
    return value;
}

double option_seconds(const char *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end || !isfinite(value) || value <= 0 || value > 1e9)
        die(STATUS_FAILED, "--%s %s: it is a number of seconds above 0", option, text);
    return value;
}
