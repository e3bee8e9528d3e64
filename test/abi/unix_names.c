/* Binding AF_UNIX sockets: paths, abstract names, automatic ones, and every way to get it wrong. */
#include "socket_test.h"

static void paths(void)
{
    int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un;
    socklen_t len;
    struct stat st;
    umask(022);
    SHOW(un_bind(a, "s1"));
    NEED(stat("s1", &st) == 0);
    say("mode %o", st.st_mode);
    SHOW(un_bind(a, "s2"));
    SHOW(un_bind(b, "s1"));
    SHOW(un_bind(b, "no/such/dir"));
    SHOW(un_bind(b, "s1/below"));
    len = sizeof un;
    SHOW(getsockname(a, (struct sockaddr *)&un, &len));
    say_addr("bound", &un, len);
    SHOW(open("s1", O_RDWR));
    SHOW(open("s1", O_PATH) >= 0);
    SHOW(un_connect(b, "s1"));
    SHOW(listen(a, 2));
    SHOW(un_connect(b, "s1"));
    SHOW(un_connect(b, "s1"));
    SHOW(rename("s1", "s3"));
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(un_connect(c, "s1"));
    SHOW(un_connect(c, "s3"));
    len = sizeof un;
    SHOW(getpeername(c, (struct sockaddr *)&un, &len));
    say_addr("peer", &un, len);
    close(a);
    int d = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(un_connect(d, "s3"));
    SHOW(unlink("s3"));
    SHOW(un_connect(d, "s3"));
    int plain = open("plain", O_CREAT | O_RDWR, 0600);
    SHOW(un_connect(d, "plain"));
    SHOW(un_bind(d, "plain"));
    unlink("plain");
    close(plain);
    SHOW(symlink("elsewhere", "link"));
    SHOW(un_bind(d, "link"));
    unlink("link");
    SHOW(un_connect(d, "."));
    /* Not NUL-terminated, and exactly full. */
    memset(&un, 0, sizeof un);
    un.sun_family = AF_UNIX;
    memset(un.sun_path, 'p', sizeof un.sun_path);
    SHOW(bind(d, (struct sockaddr *)&un, sizeof un));
    len = sizeof un;
    SHOW(getsockname(d, (struct sockaddr *)&un, &len));
    say("length %u", len);
    un.sun_path[107] = 'p';
    char name[110];
    memcpy(name, un.sun_path, 108);
    name[108] = 0;
    SHOW(unlink(name));
    close(b);
    close(c);
    close(d);
}

static void types(void)
{
    int d = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(un_bind(d, "dgram"));
    SHOW(un_connect(s, "dgram"));
    int q = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SHOW(un_connect(q, "dgram"));
    close(d);
    SHOW(un_connect(s, "dgram"));
    SHOW(unlink("dgram"));
    d = socket(AF_UNIX, SOCK_DGRAM, 0);
    SHOW(un_bind(d, "@abi-type"));
    SHOW(un_connect(s, "@abi-type"));
    SHOW(un_bind(s, "@abi-type"));
    close(d);
    close(s);
    close(q);
}

static void abstract(void)
{
    int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un;
    socklen_t len;
    SHOW(un_bind(a, "@abi-abstract"));
    SHOW(un_bind(b, "@abi-abstract"));
    SHOW(un_bind(b, "@abi-abstract2"));
    len = sizeof un;
    SHOW(getsockname(a, (struct sockaddr *)&un, &len));
    say_addr("bound", &un, len);
    close(a);
    a = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(un_bind(a, "@abi-abstract"));
    /* Bytes count, NULs among them. */
    int c = socket(AF_UNIX, SOCK_STREAM, 0);
    len = un_addr(&un, "@abi-abstract");
    SHOW(bind(c, (struct sockaddr *)&un, len + 1));
    SHOW(listen(a, 1));
    int d = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(connect(d, (struct sockaddr *)&un, len + 1));
    SHOW(connect(d, (struct sockaddr *)&un, len));
    close(a);
    close(b);
    close(c);
    close(d);
}

static void automatic(void)
{
    int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    socklen_t len;
    SHOW(bind(a, (struct sockaddr *)&un, 2));
    len = sizeof un;
    SHOW(getsockname(a, (struct sockaddr *)&un, &len));
    say("length %u, abstract %d", len, un.sun_path[0] == 0);
    CHECK(strspn(un.sun_path + 1, "0123456789abcdef") >= 5);
    un.sun_family = AF_UNIX;
    SHOW(bind(a, (struct sockaddr *)&un, 2));
    SHOW(un_bind(a, "@abi-again"));
    SHOW(set_opt(b, SOL_SOCKET, SO_PASSCRED, 1));
    len = sizeof un;
    SHOW(getsockname(b, (struct sockaddr *)&un, &len));
    say("length %u", len);
    SHOW(un_sendto(b, "x", 0, "@abi-nobody"));
    len = sizeof un;
    SHOW(getsockname(b, (struct sockaddr *)&un, &len));
    say("length %u", len);
    close(a);
    close(b);
}

static void wrong(void)
{
    int s = socket(AF_UNIX, SOCK_STREAM, 0), file = open("/dev/null", O_RDWR);
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "w"};
    struct sockaddr *p = (struct sockaddr *)&un;
    SHOW(bind(s, p, 0));
    SHOW(bind(s, p, 1));
    SHOW(bind(s, p, 111));
    SHOW(bind(s, p, 129));
    SHOW(bind(s, p, (socklen_t)-1));
    SHOW(bind(s, (struct sockaddr *)8, 5));
    SHOW(bind(file, p, 4));
    SHOW(bind(-1, p, 4));
    SHOW(bind(999, (struct sockaddr *)8, (socklen_t)-1));
    un.sun_family = AF_INET;
    SHOW(bind(s, p, 4));
    SHOW(connect(s, p, 4));
    SHOW(connect(s, p, 2));
    un.sun_family = AF_UNIX;
    SHOW(connect(s, p, 2));
    SHOW(connect(s, p, 0));
    SHOW(connect(s, p, 111));
    SHOW(connect(file, p, 4));
    socklen_t len = 4;
    SHOW(getsockname(s, (struct sockaddr *)8, &len));
    SHOW(getsockname(s, p, (socklen_t *)8));
    len = (socklen_t)-1;
    SHOW(getsockname(s, p, &len));
    len = 1;
    SHOW(getsockname(s, p, &len));
    say("length %u", len);
    SHOW(getsockname(file, p, &len));
    SHOW(mknod("node", S_IFSOCK | 0600, 0));
    SHOW(un_connect(s, "node"));
    SHOW(un_bind(s, "node"));
    SHOW(unlink("node"));
    close(s);
    close(file);
}

int main(void)
{
    paths();
    types();
    abstract();
    automatic();
    wrong();
    return done();
}
