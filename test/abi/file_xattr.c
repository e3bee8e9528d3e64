/* Extended attributes that programs give to files, as every file system that has them keeps them. */
#include "file_test.h"

#include <sys/xattr.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names, which may come in any order. */
static void list(const char *path)
{
    char names[1024], *sorted[32];
    ssize_t n = llistxattr(path, names, sizeof names);
    unsigned nr = 0;
    say("%s: %zd bytes of names", path, n);
    for (char *p = names; n > 0 && p < names + n && nr < NR(sorted); p += strlen(p) + 1)
        sorted[nr++] = p;
    qsort(sorted, nr, sizeof *sorted, by_name);
    for (unsigned i = 0; i < nr; i++)
        say(" %s", sorted[i]);
}

static void value(const char *path, const char *name)
{
    char text[64] = "";
    ssize_t n = getxattr(path, name, text, sizeof text - 1);
    say("%s %s: %s", path, name, n < 0 ? strerror(errno) : text);
}

static void sizes(void)
{
    static char big[70000], back[70000];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 5 + (i >> 8));
    SHOW(setxattr("f", "user.one", "value", 5, 0));
    SHOW(getxattr("f", "user.one", NULL, 0));
    SHOW(getxattr("f", "user.one", back, 4));
    SHOW(getxattr("f", "user.one", back, 5));
    SHOW(getxattr("f", "user.one", back, sizeof back));
    CHECK(!memcmp(back, "value", 5));
    SHOW(setxattr("f", "user.big", big, 3000, 0));
    SHOW(getxattr("f", "user.big", NULL, 0));
    SHOW(getxattr("f", "user.big", back, 2999));
    SHOW(getxattr("f", "user.big", back, 3000));
    CHECK(!memcmp(big, back, 3000));
    SHOW(setxattr("f", "user.big", big, 65537, 0));
    SHOW(setxattr("f", "user.big", "short", 5, 0));
    value("f", "user.big");
    SHOW(listxattr("f", NULL, 0));
    SHOW(listxattr("f", back, 17));
    SHOW(listxattr("f", back, 18));
    list("f");
    SHOW(removexattr("f", "user.big"));
    SHOW(removexattr("f", "user.big"));
    SHOW(getxattr("f", "user.big", NULL, 0));
    list("f");
}

static void flags(void)
{
    SHOW(setxattr("f", "user.one", "again", 5, XATTR_CREATE));
    SHOW(setxattr("f", "user.two", "2", 1, XATTR_REPLACE));
    SHOW(setxattr("f", "user.two", "2", 1, XATTR_CREATE));
    SHOW(setxattr("f", "user.two", "zwei", 4, XATTR_REPLACE));
    SHOW(setxattr("f", "user.two", "2", 1, 4));
    SHOW(setxattr("f", "user.two", "2", 1, XATTR_REPLACE | XATTR_CREATE));
    value("f", "user.one");
    value("f", "user.two");
}

static void names(void)
{
    char name[300] = "user.";
    SHOW(setxattr("f", "other.name", "x", 1, 0));
    SHOW(setxattr("f", "name", "x", 1, 0));
    SHOW(setxattr("f", "user.", "x", 1, 0));
    SHOW(setxattr("f", "user", "x", 1, 0));
    SHOW(setxattr("f", "", "x", 1, 0));
    SHOW(getxattr("f", "other.name", NULL, 0));
    SHOW(getxattr("f", "user.", NULL, 0));
    SHOW(removexattr("f", "other.name"));
    memset(name + 5, 'n', 250);
    SHOW(setxattr("f", name, "long", 4, 0));
    value("f", name);
    SHOW(removexattr("f", name));
    name[255] = 'n';
    SHOW(setxattr("f", name, "longer", 4, 0));
    SHOW(getxattr("f", name, NULL, 0));
    SHOW(setxattr("nothing", "user.x", "x", 1, 0));
    SHOW(getxattr("nothing", "user.x", NULL, 0));
    SHOW(listxattr("nothing", NULL, 0));
    SHOW(removexattr("nothing", "user.x"));
}

static void kinds(void)
{
    NEED(mkdir("d", 0755) == 0 && symlink("f", "l") == 0);
    SHOW(setxattr("d", "user.d", "directory", 9, 0));
    value("d", "user.d");
    list("d");
    SHOW(setxattr("l", "user.via", "link", 4, 0));
    value("f", "user.via");
    SHOW(lsetxattr("l", "user.of", "link", 4, 0));
    SHOW(lgetxattr("l", "user.of", NULL, 0));
    SHOW(lremovexattr("l", "user.of"));
    list("l");
    int fd = open("f", O_RDONLY);
    SHOW(fsetxattr(fd, "user.fd", "descriptor", 10, 0));
    SHOW(fgetxattr(fd, "user.fd", NULL, 0));
    SHOW(fremovexattr(fd, "user.via"));
    close(fd);
    list("f");
}

/* They are the file's, whatever it is called. */
static void moves(void)
{
    NEED(link("f", "hard") == 0);
    value("hard", "user.two");
    SHOW(setxattr("hard", "user.hard", "link", 4, 0));
    value("f", "user.hard");
    NEED(rename("f", "g") == 0);
    list("g");
    NEED(unlink("hard") == 0);
    value("g", "user.hard");
    NEED(unlink("g") == 0);
    close(open("g", O_CREAT | O_WRONLY, 0644));
    list("g");
    unlink("g"), unlink("l"), rmdir("d");
}

int main(void)
{
    close(open("f", O_CREAT | O_WRONLY, 0644));
    list("f");
    sizes();
    flags();
    names();
    kinds();
    moves();
    return done();
}
