/* Structures that the two ABIs lay out differently.  Each function reads one of the traced program's into x86-64's form;
 * false: it is not there, and its address was printed. */
#pragma once

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <stdbool.h>
#include <stdint.h>

struct trace;

struct trace_action {
    uint64_t handler, flags, restorer, mask;
    unsigned nr_signals; /* that the mask is of */
};

bool trace_fetch_stat(struct trace *t, uint64_t addr, struct stat *d);
bool trace_fetch_statfs(struct trace *t, uint64_t addr, struct statfs *d);
bool trace_fetch_flock(struct trace *t, uint64_t addr, struct flock *d);
bool trace_fetch_rusage(struct trace *t, uint64_t addr, struct rusage *d);
bool trace_fetch_sysinfo(struct trace *t, uint64_t addr, struct sysinfo *d);
bool trace_fetch_tms(struct trace *t, uint64_t addr, struct tms *d);
bool trace_fetch_timex(struct trace *t, uint64_t addr, struct __kernel_timex *d);
bool trace_fetch_action(struct trace *t, uint64_t addr, struct trace_action *a);
bool trace_fetch_stack(struct trace *t, uint64_t addr, stack_t *d);
bool trace_fetch_sigevent(struct trace *t, uint64_t addr, struct sigevent *d);
bool trace_fetch_siginfo(struct trace *t, uint64_t addr, siginfo_t *d);
/* The mask that a frame restores; nothing is printed when it is not there. */
bool trace_fetch_frame_mask(struct trace *t, uint64_t *mask);
