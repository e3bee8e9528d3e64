/* Whether KVM is worth using here. */
#pragma once

#include <stdbool.h>

/* True when the CPU has virtualisation of its own, /dev/kvm opens, and a guest has run under it
 * (tried once a boot of the host; the answer is kept in the user's cache).  A /dev/kvm that only
 * imitates hangs on ordinary guests. */
bool accel_kvm_is_real(void);
/* The same in words, for `yolk doctor`. */
const char *accel_explain(void);
