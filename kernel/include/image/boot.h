/* The steps of boot_thread, in order.  Each ends the machine with a reason when it cannot go on. */
#pragma once

#include <arch/bootinfo.h>
#include <image/cmdline.h>

/* trace_port.c: when the boot line asks for a trace, it begins here, before other CPUs start; and where it goes. */
void boot_trace(const struct cmdline *line);
void boot_trace_port(void);
void trace_port_end(void);                     /* all records have left the machine */
void boot_devices(const struct cmdline *line); /* devices.c: buses, virtio, console ports */
void boot_files(const struct bootinfo *info,
                const struct cmdline *line);   /* files.c: the root file system */
void boot_volumes(const struct cmdline *line); /* volumes.c: shared folders */
void boot_network(const struct cmdline *line); /* network.c: network devices, /etc/hosts */
void boot_program(const struct cmdline *line); /* program.c: standard descriptors, process 1 */

/* leak_check.c, for yolk.leakcheck: what is in use before process 1 starts; and, when it has ended, in the last of its
 * threads: true when the check is on, which then ends the machine with this status once that
 * thread is gone, too. */
void leak_check_begin(void);
bool leak_check_end(unsigned status);

void control_init(void); /* control.c: after the devices */
/* Process 1 is there: it gets the signals that the host has sent for it meanwhile. */
void control_program_begins(void);
/* control.c: say to the host how it ended, and power off.  `reason` NULL: the program's own status. */
noreturn void control_end(unsigned status, const char *reason, ...) printf_like(2, 3);
/* The same for a program that restarts the machine. */
noreturn void control_restart(void);
