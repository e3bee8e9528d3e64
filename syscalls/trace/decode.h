/* What the parts of the decoder share: printing, reading the program's memory, and one function for each way an
 * argument is shown. */
#pragma once

#include <syscalls/trace.h>

#include "flags.h"

/* out.c: text. */
void put(struct trace *t, const char *s);
void put_char(struct trace *t, char c);
void put_d(struct trace *t, int64_t v);
void put_u(struct trace *t, uint64_t v);
void put_u_width(struct trace *t, uint64_t v, unsigned digits); /* zeros in front */
void put_x(struct trace *t, uint64_t v);                        /* 0x1f; 0 is "0" */
void put_o(struct trace *t, uint64_t v);                        /* 017; 0 is "0" */
void put_addr(struct trace *t, uint64_t v);                     /* NULL, 0x1f */
void put_mode(struct trace *t, uint32_t v);                     /* three octal digits at least */
void put_comment(struct trace *t, const char *s);
/* Bytes between quotes, escaped; `is_short`: "..." follows. */
void put_quoted(struct trace *t, const uint8_t *bytes, size_t n, bool is_short);

/* read.c: the program's memory. */
/* n bytes; otherwise the address is printed, as strace does when the call failed, too. */
bool fetch(struct trace *t, uint64_t addr, void *dst, size_t n);
bool fetch_quietly(struct trace *t, uint64_t addr, void *dst, size_t n);
uint64_t fetch_long(struct trace *t, uint64_t addr,
                    bool *is_there); /* a pointer or long of the program's ABI */
static inline unsigned long_size(const struct trace *t)
{
    return t->abi == ABI_I386 ? 4 : 8;
}
void put_string(struct trace *t, uint64_t addr,
                size_t max); /* up to its NUL; max 0: the options' limit */
void put_path(struct trace *t, uint64_t addr);
void put_bytes(struct trace *t, uint64_t addr, uint64_t n);
void put_iovec(struct trace *t, uint64_t addr, uint64_t nr,
               uint64_t limit); /* bytes that are there in all */
void put_fd(struct trace *t, int fd);
/* [a, b, ...] of `nr` elements of `size` bytes. */
typedef void element_fn(struct trace *t, uint64_t addr);
void put_array(struct trace *t, uint64_t addr, uint64_t nr, size_t size, element_fn *fn);
void put_string_array(struct trace *t, uint64_t addr);
/* A field: ", name=" or, the first, "{name=". */
void field(struct trace *t, const char *name);
void field_d(struct trace *t, const char *name, int64_t v);
void field_u(struct trace *t, const char *name, uint64_t v);
void field_x(struct trace *t, const char *name, uint64_t v);
void field_addr(struct trace *t, const char *name, uint64_t v);
void field_flags(struct trace *t, const char *name, const struct flag_table *f, uint64_t v);
void field_enum(struct trace *t, const char *name, const struct flag_table *f, uint64_t v);

/* time.c */
void put_timespec(struct trace *t, uint64_t addr);
void put_open_flags(struct trace *t, uint32_t v); /* basic.c */
/* A time of day as a comment, and without that. */
void put_local_time(struct trace *t, int64_t sec, uint64_t nsec);
void put_local_time_alone(struct trace *t, int64_t sec, uint64_t nsec);
void put_itimer(struct trace *t, uint64_t addr, bool is_spec);
void put_timeval(struct trace *t, uint64_t addr);
/* signal.c */
void put_signal(struct trace *t, int sig);
void put_restored_mask(struct trace *t);
void put_sigset(struct trace *t, uint64_t addr, uint64_t size);
/* process.c */
void put_clone3_result(struct trace *t);
void put_wait_status(struct trace *t, int status);
/* net.c */
void put_sockaddr(struct trace *t, uint64_t addr, uint64_t len);
void save_msg_namelen(struct trace *t); /* recvmsg's, before the call changes it */
/* ioctl.c */
bool ioctl_has_no_arg(uint32_t request);
bool ioctl_is_late(uint32_t request);

/* One for each value of kinds.def's `show`. */
typedef void show_fn(struct trace *t, unsigned i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls" /* many kinds are shown alike */
#define KIND(name, type, how, when, show, names) show_fn show_##show;
#include "kinds.def"
#undef KIND
#pragma GCC diagnostic pop

/* What a row shows beyond its arguments' kinds: before the first, and when it has ended. */
void trace_enter_row(struct trace *t);
void trace_leave_row(struct trace *t);
/* What stands behind a result. */
void aux_open_flags(struct trace *t);
void aux_poll(struct trace *t);
void aux_select(struct trace *t);
void aux_signal(struct trace *t);
void aux_policy(struct trace *t);
void aux_persona(struct trace *t);
void aux_time(struct trace *t);
void aux_timex(struct trace *t);
/* cmd.c: arguments that depend on another. */
enum when { WHEN_ENTRY, WHEN_EXIT, WHEN_BY_CMD };
bool arg_is_absent(const struct trace *t, unsigned i);
bool arg_is_late(const struct trace *t,
                 unsigned i); /* of a WHEN_BY_CMD kind: known when the call has ended */
/* The table of names of argument i's kind. */
const struct flag_table *arg_table(const struct trace *t, unsigned i);
static inline bool failed(const struct trace *t)
{
    return t->is_exit && t->ret < 0;
}
