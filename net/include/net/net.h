/* The network as a whole, for the layers above. */
#pragma once

#include <vfs/text_file.h>

void net_init(void); /* boot: the families */

/* /proc/net/unix. */
int net_show_unix(struct text *t, struct inode *i);
