/* The root file system as the boot steps use it. */
#pragma once

#include <vfs/path.h>

const struct path *root_path(void); /* borrowed; after boot_files began */
const struct cred *root_cred(void);
/* The directory that holds `name`, made with its parents where missing; *dir is referenced.  0 or -errno. */
must_check int root_make_dirs(const char *name, struct path *dir);
