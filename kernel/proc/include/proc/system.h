/* What uname(2) tells, and switching the machine off. */
#pragma once

#include <base/types.h>

#define SYSTEM_NAME     "Linux" /* programs compare it */
#define SYSTEM_RELEASE  "6.1.0-yolk"
#define SYSTEM_VERSION  "#1 SMP Yolk"
#define SYSTEM_NAME_MAX 64

/* NUL-terminated copies into `name`; and changing them (a longer name is cut). */
void system_get_hostname(char name[SYSTEM_NAME_MAX + 1]);
void system_set_hostname(const char *name);
void system_get_domainname(char name[SYSTEM_NAME_MAX + 1]);
void system_set_domainname(const char *name);

/* reboot(2) of a privileged program: the image may have output to drain and a host to tell.  Without a hook the
 * power goes at once.  Thread context; never returns. */
typedef void system_end_fn(bool is_restart);
void system_on_end(system_end_fn *fn);
noreturn void system_end(bool is_restart);
