/* Which error comes first: opening, making and moving names. */
#include "matrix.h"

static char path_long[300];

#define AT_CWD               \
    {                        \
        "AT_FDCWD", AT_FDCWD \
    }
#define DIRS AT_CWD, FD_(CLOSED), FD_(FILE)
#define P_(path)          \
    {                     \
#path, (long)path \
    }
#define NAMES                                                                            \
    NULL_, P_(""), P_("nothing"), P_("nothing/"), P_("file"), P_("file/"), P_("file/x"), \
        P_("full"), P_("loop"), P_("dangling"),                                          \
    {                                                                                    \
        "long", (long)path_long                                                          \
    }

static const struct matrix_call opens[] = {
    {"openat",
     SYS_openat,
     {{DIRS, FD_(PATH)},
      {NAMES},
      {N_(0), N_(1), N_(2), N_(3), N_(O_DIRECTORY), N_(O_NOFOLLOW), N_(O_PATH),
       N_(O_PATH | O_NOFOLLOW), N_(O_DIRECTORY | O_CREAT), N_(O_TMPFILE), N_(O_TMPFILE | O_RDWR)},
      {N_(0600)}}},
    {"openat, new",
     SYS_openat,
     {{AT_CWD},
      {NULL_,
       P_(""),
       P_("nothing/"),
       P_("file"),
       P_("file/"),
       P_("file/x"),
       P_("full"),
       P_("full/"),
       P_("loop"),
       P_("dangling"),
       {"long", (long)path_long}},
      {N_(O_CREAT | O_EXCL), N_(O_CREAT | O_EXCL | O_NOFOLLOW),
       N_(O_CREAT | O_WRONLY | O_NOFOLLOW)},
      {N_(0600)}}},
};

static const struct matrix_call calls[] = {
    {"mknodat",
     SYS_mknodat,
     {{DIRS},
      {NULL_,
       P_(""),
       P_("nothing/"),
       P_("file"),
       P_("file/"),
       P_("file/x"),
       P_("full"),
       P_("dangling"),
       P_("."),
       {"long", (long)path_long}},
      {N_(0), N_(S_IFDIR), N_(S_IFLNK), N_(0130000), N_(S_IFSOCK)},
      {N_(0)}}},
    {"symlinkat",
     SYS_symlinkat,
     {{NULL_, P_(""), P_("x")},
      {DIRS},
      {NULL_, P_(""), P_("nothing/"), P_("file"), P_("file/x"), P_("full"), P_("full/"),
       P_("dangling"), P_(".")}}},
    {"linkat",
     SYS_linkat,
     {{DIRS},
      {NULL_, P_(""), P_("nothing"), P_("file"), P_("file/"), P_("full"), P_("loop")},
      {DIRS},
      {NULL_, P_(""), P_("file"), P_("file/x"), P_("full"), P_("none/")},
      {N_(0), N_(0x400), N_(0x1000), N_(1)}}},
    {"renameat2",
     SYS_renameat2,
     {{AT_CWD, FD_(CLOSED)},
      {NULL_, P_(""), P_("nothing"), P_("."), P_(".."), P_("file/"), P_("full"), P_("full/x")},
      {AT_CWD, FD_(FILE)},
      {NULL_, P_(""), P_("."), P_("full"), P_("full/x/y"), P_("file/x"), P_("other")},
      {N_(1), N_(3), N_(8)}}},
    {"rename",
     SYS_rename,
     {{P_("nothing"), P_("file"), P_("file/"), P_("full"), P_("other"), P_("loop")},
      {P_("."), P_(".."), P_("full"), P_("full/x/y"), P_("file/x"), P_("other/"), P_("none/")}}},
    {"rmdir",
     SYS_rmdir,
     {{P_("."), P_(".."), P_("/"), P_("full"), P_("full/x/.."), P_("file"), P_("loop"),
       P_("dangling")}}},
    {"mkdir",
     SYS_mkdir,
     {{P_("."), P_(".."), P_("/"), P_("full"), P_("full/"), P_("file"), P_("file/"), P_("loop"),
       P_("loop/"), P_("dangling")},
      {N_(0777)}}},
};

int main(void)
{
    memset(path_long, 'l', sizeof path_long - 1);
    matrix_fds();
    matrix_memory();
    NEED(symlink("loop", "loop") == 0 && symlink("gone", "dangling") == 0);
    NEED(mkdir("full", 0755) == 0 && mkdir("full/x", 0755) == 0 && mkdir("other", 0755) == 0);
    MATRIX(opens, matrix_close);
    MATRIX(calls, NULL);
    return done();
}
