/* What klibc's formatter does not bring along: the variadic front. */
#include <base/string.h>

int snprintf(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(buf, size, format, args);
    va_end(args);
    return len;
}
