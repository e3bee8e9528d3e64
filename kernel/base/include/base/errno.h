/* Error numbers, from Linux's own header, and the restart codes that never leave the kernel.
 *
 * Functions answer >= 0 or minus an errno; a positive errno exists nowhere. */
#pragma once

#include <linux/errno.h>

/* Told apart only by the code that delivers signals (proc/signal.h): what an interrupted call becomes. */
#define ERESTARTSYS           512 /* restart if the handler has SA_RESTART or no handler runs, else EINTR */
#define ERESTARTNOINTR        513 /* always restart */
#define ERESTARTNOHAND        514 /* restart only if no handler runs, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* like NOHAND, but restart through restart_syscall(2) */
