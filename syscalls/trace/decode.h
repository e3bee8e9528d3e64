/* What the parts of the decoder share: printing, reading the program's memory, and one function for each way an
 * argument is shown. */
#pragma once

#include <syscalls/trace.h>

#include "flags.h"

/* out.c: text. */
void trace_put(struct trace *t, const char *s);
void trace_put_char(struct trace *t, char c);
void trace_put_d(struct trace *t, int64_t v);
void trace_put_u(struct trace *t, uint64_t v);
void trace_put_u_width(struct trace *t, uint64_t v, unsigned digits);   /* zeros in front */
void trace_put_x(struct trace *t, uint64_t v);                          /* 0x1f; 0 is "0" */
void trace_put_o(struct trace *t, uint64_t v);                          /* 017; 0 is "0" */
void trace_put_addr(struct trace *t, uint64_t v);                       /* NULL, 0x1f */
void trace_put_hex_width(struct trace *t, uint64_t v, unsigned digits); /* 0x0fffff */
void trace_put_mode(struct trace *t, uint32_t v); /* three octal digits at least */
void trace_put_comment(struct trace *t, const char *s);
/* Bytes between quotes, escaped; `is_short`: "..." follows. */
void trace_put_quoted(struct trace *t, const uint8_t *bytes, size_t n, bool is_short);

/* read.c: the program's memory. */
/* n bytes; otherwise the address is printed, as strace does when the call failed, too. */
bool trace_fetch(struct trace *t, uint64_t addr, void *dst, size_t n);
bool trace_fetch_quietly(struct trace *t, uint64_t addr, void *dst, size_t n);
uint64_t trace_fetch_long(struct trace *t, uint64_t addr,
                          bool *is_there); /* a pointer or long of the program's ABI */
static inline unsigned long_size(const struct trace *t)
{
    return t->abi == ABI_I386 ? 4 : 8;
}
void trace_put_string(struct trace *t, uint64_t addr,
                      size_t max); /* up to its NUL; max 0: the options' limit */
void trace_put_path(struct trace *t, uint64_t addr);
void trace_put_bytes(struct trace *t, uint64_t addr, uint64_t n);
void trace_put_iovec(struct trace *t, uint64_t addr, uint64_t nr,
                     uint64_t limit); /* bytes that are there in all */
void trace_put_fd(struct trace *t, int fd);
/* [a, b, ...] of `nr` elements of `size` bytes. */
typedef void element_fn(struct trace *t, uint64_t addr);
void trace_put_array(struct trace *t, uint64_t addr, uint64_t nr, size_t size, element_fn *fn);
void trace_put_string_array(struct trace *t, uint64_t addr);
/* A field: ", name=" or, the first, "{name=". */
void trace_field(struct trace *t, const char *name);
void trace_field_d(struct trace *t, const char *name, int64_t v);
void trace_field_u(struct trace *t, const char *name, uint64_t v);
void trace_field_x(struct trace *t, const char *name, uint64_t v);
void trace_field_addr(struct trace *t, const char *name, uint64_t v);
void trace_field_flags(struct trace *t, const char *name, const struct flag_table *f, uint64_t v);
void trace_field_enum(struct trace *t, const char *name, const struct flag_table *f, uint64_t v);

/* time.c */
void trace_put_timespec(struct trace *t, uint64_t addr);
void trace_put_open_flags(struct trace *t, uint32_t v); /* basic.c */
/* A time of day as a comment, and without that. */
void trace_put_local_time(struct trace *t, int64_t sec, uint64_t nsec);
void trace_put_local_time_alone(struct trace *t, int64_t sec, uint64_t nsec);
void trace_put_itimer(struct trace *t, uint64_t addr, bool is_spec);
void trace_save_limit(struct trace *t, unsigned i); /* of argument i, which the call changes */
void trace_put_timeval(struct trace *t, uint64_t addr);
/* signal.c */
void trace_put_signal(struct trace *t, int sig);
void trace_put_restored_mask(struct trace *t);
void trace_put_sigset(struct trace *t, uint64_t addr, uint64_t size);
/* process.c */
void trace_put_clone3_result(struct trace *t);
void trace_put_wait_status(struct trace *t, int status);
/* net.c */
void trace_put_sockaddr(struct trace *t, uint64_t addr, uint64_t len);
void trace_save_msg_namelen(struct trace *t); /* recvmsg's, before the call changes it */
/* subcall.c: i386's calls that are many. */
/* The call takes the place of the one that it is behind, if it is. */
void trace_unfold(struct trace *t);
/* The result, where the program finds it in memory. */
void trace_take_result(struct trace *t);
/* The call is this one, or i386's other of the same. */
bool trace_is(const struct trace *t, enum row row);
/* ipc.c */
bool trace_ipc_is_late(const struct trace *t, unsigned i);
/* i386.c */
void trace_put_user_desc(struct trace *t, uint64_t addr);
void trace_aux_entry(struct trace *t);
/* ioctl.c */
bool trace_ioctl_has_no_arg(uint32_t request);
bool trace_ioctl_is_late(uint32_t request);

/* One for each value of kinds.def's `show`. */
typedef void show_fn(struct trace *t, unsigned i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls" /* many kinds are shown alike */
#define KIND(name, type, how, when, show, names) show_fn trace_show_##show;
#include "kinds.def"
#undef KIND
#pragma GCC diagnostic pop

/* What a row shows beyond its arguments' kinds: before the first, and when it has ended. */
void trace_enter_row(struct trace *t);
void trace_leave_row(struct trace *t);
/* What stands behind a result. */
void trace_aux_open_flags(struct trace *t);
void trace_aux_poll(struct trace *t);
void trace_aux_select(struct trace *t);
void trace_aux_signal(struct trace *t);
void trace_aux_handler(struct trace *t);
void trace_aux_mask(struct trace *t);
void trace_aux_policy(struct trace *t);
void trace_aux_persona(struct trace *t);
void trace_aux_time(struct trace *t);
void trace_aux_limit(struct trace *t);
void trace_aux_timex(struct trace *t);
/* cmd.c: arguments that depend on another. */
enum when { WHEN_ENTRY, WHEN_EXIT, WHEN_BY_CMD };
bool trace_arg_is_absent(const struct trace *t, unsigned i);
bool trace_arg_is_late(const struct trace *t,
                       unsigned i); /* of a WHEN_BY_CMD kind: known when the call has ended */
/* The table of names of argument i's kind. */
const struct flag_table *trace_arg_table(const struct trace *t, unsigned i);
static inline bool failed(const struct trace *t)
{
    return t->is_exit && t->ret < 0;
}
