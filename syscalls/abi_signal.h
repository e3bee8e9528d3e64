/* Layouts of the user structures of signal calls: the kernel form here, the user's in abi_signal.c. */
#pragma once

#include <core/usercopy.h>
#include <proc/signal.h>
#include <proc/process.h>

#define SIGSET_SIZE sizeof(uint64_t)

/* All answer 0 or -EFAULT. */
must_check int user_get_sigaction(struct uptr p, struct sigaction_k *a);
must_check int user_put_sigaction(struct uptr p, const struct sigaction_k *a);
must_check int user_get_altstack(struct uptr p, struct sigaltstack_state *s);
must_check int user_put_altstack(struct uptr p, const struct sigaltstack_state *s);
must_check int user_get_siginfo(struct uptr p, siginfo_t *info);
must_check int user_put_siginfo(struct uptr p, const siginfo_t *info);
