/* How the machine ends: the host is told, then the power goes. */
#include <arch/arch.h>
#include <base/log.h>
#include <base/string.h>
#include <image/boot.h>

void control_end(unsigned status, const char *reason, ...)
{
    char text[256];
    va_list args;

    if (reason) {
        va_start(args, reason);
        vsnprintf(text, sizeof(text), reason, args);
        va_end(args);
        log_error("%s", text);
    }
    arch_poweroff(status);
}
