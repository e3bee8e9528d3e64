/* The machine's name and its end, as far as programs have a say in them. */
#include <proc/system.h>

#include <arch/arch.h>
#include <base/string.h>
#include <core/lock.h>

static struct spinlock name_lock = SPINLOCK_INIT(RANK_DRIVER); /* guards: */
static char hostname[SYSTEM_NAME_MAX + 1] = "yolk";
static char domainname[SYSTEM_NAME_MAX + 1] = "(none)";

static system_end_fn *end_hook;

static void copy_name(char to[SYSTEM_NAME_MAX + 1], const char *from)
{
    spin_lock(&name_lock);
    strlcpy(to, from, SYSTEM_NAME_MAX + 1);
    spin_unlock(&name_lock);
}

void system_get_hostname(char name[SYSTEM_NAME_MAX + 1])
{
    copy_name(name, hostname);
}

void system_set_hostname(const char *name)
{
    copy_name(hostname, name);
}

void system_get_domainname(char name[SYSTEM_NAME_MAX + 1])
{
    copy_name(name, domainname);
}

void system_set_domainname(const char *name)
{
    copy_name(domainname, name);
}

void system_on_end(system_end_fn *fn)
{
    end_hook = fn;
}

noreturn void system_end(bool is_restart)
{
    if (end_hook)
        end_hook(is_restart);
    if (is_restart)
        arch_reboot();
    arch_poweroff(0);
}
