/* The root file system as the boot steps use it. */
#pragma once

#include <vfs/path.h>

const struct path *boot_root(void); /* borrowed; after boot_files began */
const struct cred *boot_root_cred(void);
/* The directory that holds `name`, made with its parents where missing; *dir is referenced.  0 or -errno. */
must_check int boot_make_dirs(const char *name, struct path *dir);
