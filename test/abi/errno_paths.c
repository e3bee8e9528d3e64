/* Which error comes first when the directory, the path, the flags and the memory are wrong: the calls on
 * names. */
#include <sys/xattr.h>

#include "matrix.h"

static char path_long[300], path_longer[PATH_MAX + 10];

#define AT_CWD               \
    {                        \
        "AT_FDCWD", AT_FDCWD \
    }
#define DIRS                                             \
    AT_CWD, FD_(CLOSED), FD_(FILE), FD_(DIR), FD_(PATH), \
    {                                                    \
        "dir O_PATH", 80                                 \
    }
#define P_(path)          \
    {                     \
#path, (long)path \
    }
#define BAD_PATHS                                                                                  \
    NULL_, WILD_, P_(""), P_("nothing"), P_("nothing/x"), P_("file/x"), P_("file/"), P_("loop/x"), \
        {"long", (long)path_long},                                                                 \
    {                                                                                              \
        "longer", (long)path_longer                                                                \
    }
#define FLAGS N_(0), {"SYMLINK_NOFOLLOW", 0x100}, {"EMPTY_PATH", 0x1000}, N_(-1)

static const struct timespec good_times[2], bad_times[2] = {{0, 0}, {0, -1}};

static const struct matrix_call mkdirs[] = {
    {"mkdirat", SYS_mkdirat, {{DIRS}, {BAD_PATHS, P_("file"), P_(".")}, {N_(0777)}}},
};

static const struct matrix_call calls[] = {
    {"newfstatat", SYS_newfstatat, {{DIRS}, {BAD_PATHS, P_("file")}, {NULL_, WRITABLE_}, {FLAGS}}},
    {"statx",
     SYS_statx,
     {{DIRS},
      {NULL_, WILD_, P_(""), P_("nothing"), P_("file/x"), P_("file")},
      {FLAGS, {"SYNC_TYPE", 0x6000}},
      {N_(0), {"reserved", 0x80000000}},
      {NULL_, WRITABLE_}}},
    {"faccessat2",
     SYS_faccessat2,
     {{DIRS}, {BAD_PATHS, P_("file")}, {N_(0), N_(7), N_(8)}, {FLAGS, {"EACCESS", 0x200}}}},
    {"faccessat", SYS_faccessat, {{DIRS}, {BAD_PATHS, P_("file")}, {N_(0), N_(8)}}},
    {"readlinkat",
     SYS_readlinkat,
     {{DIRS, {"link O_PATH", 81}},
      {BAD_PATHS, P_("file"), P_("loop")},
      {NULL_, WRITABLE_},
      {N_(0), N_(-1), N_(10)}}},
    {"fchmodat2", 452, {{DIRS}, {BAD_PATHS, P_("file")}, {N_(0644)}, {FLAGS}}},
    {"fchownat", SYS_fchownat, {{DIRS}, {BAD_PATHS, P_("file")}, {N_(-1)}, {N_(-1)}, {FLAGS}}},
    {"utimensat",
     SYS_utimensat,
     {{DIRS},
      {BAD_PATHS, P_("file")},
      {NULL_, WILD_, {"good", (long)good_times}, {"bad", (long)bad_times}},
      {FLAGS}}},
    {"unlinkat",
     SYS_unlinkat,
     {{DIRS},
      {NULL_,
       P_(""),
       P_("."),
       P_(".."),
       P_("/"),
       P_("nothing"),
       P_("file/"),
       P_("file/x"),
       P_("full"),
       P_("full/"),
       P_("full/."),
       {"long", (long)path_long}},
      {N_(0), N_(0x200), N_(0x400)}}},
    {"truncate", SYS_truncate, {{BAD_PATHS, P_("file"), P_("full")}, {N_(-1), N_(100)}}},
    {"chdir", SYS_chdir, {{BAD_PATHS, P_("file")}}},
    {"chroot", SYS_chroot, {{BAD_PATHS, P_("file")}}},
    {"statfs", SYS_statfs, {{BAD_PATHS, P_("file")}, {NULL_, WRITABLE_}}},
    {"setxattr",
     SYS_setxattr,
     {{BAD_PATHS, P_("file")},
      {NULL_, P_(""), P_("user"), P_("what.ever"), P_("trusted.a"), {"long", (long)path_long}},
      {NULL_, WRITABLE_},
      {N_(0), N_(1), N_(65537)},
      {N_(0), N_(3), N_(4)}}},
    {"getxattr",
     SYS_getxattr,
     {{BAD_PATHS, P_("file")},
      {NULL_, P_(""), P_("user"), P_("what.ever"), P_("trusted.b"), {"long", (long)path_long}},
      {NULL_, WRITABLE_},
      {N_(0), N_(1), N_(65537)}}},
    {"execve", SYS_execve, {{BAD_PATHS, P_("file"), P_("full")}, {NULL_, WILD_}, {NULL_, WILD_}}},
    {"inotify_add_watch",
     SYS_inotify_add_watch,
     {{FD_(CLOSED), FD_(FILE), {"inotify", 82}},
      {NULL_, P_(""), P_("nothing"), P_("file")},
      {N_(0), N_(2), {"ADD|CREATE", 0x30000000}, {"ONLYDIR", 0x01000002}}}},
    {"inotify_rm_watch",
     SYS_inotify_rm_watch,
     {{FD_(CLOSED), FD_(FILE), {"inotify", 82}}, {N_(-1), N_(0), N_(77)}}},
    {"umount2",
     SYS_umount2,
     {{NULL_, P_(""), P_("nothing"), P_("file"), P_("full")},
      {N_(0), N_(4), N_(5), N_(8), N_(16)}}},
};

static void remove_made(long result)
{
    (void)result;
    rmdir("nothing");
    rmdir("full/nothing");
}

int main(void)
{
    memset(path_long, 'l', sizeof path_long - 1);
    memset(path_longer, '/', sizeof path_longer - 1);
    matrix_fds();
    matrix_memory();
    NEED(symlink("loop", "loop") == 0 && mkdir("full", 0755) == 0 && mkdir("full/x", 0755) == 0);
    matrix_place(open("full", O_PATH), 80);
    matrix_place(open("loop", O_PATH | O_NOFOLLOW), 81);
    matrix_place((int)syscall(SYS_inotify_init1, 0), 82);
    MATRIX(mkdirs, remove_made);
    MATRIX(calls, NULL);
    return done();
}
