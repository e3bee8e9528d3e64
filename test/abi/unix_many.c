/* Many messages at once, and files to and from sockets: sendmmsg, recvmmsg, sendfile, splice. */
#include "socket_test.h"

#include <sys/sendfile.h>

static void many(int type)
{
    int s[2];
    char in[8][8];
    struct mmsghdr m[8];
    struct iovec iov[8];
    NEED(socketpair(AF_UNIX, type, 0, s) == 0);
    memset(m, 0, sizeof m);
    for (int i = 0; i < 5; i++) {
        iov[i] = (struct iovec){"message" + i, (size_t)(7 - i)};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    SHOW(syscall(SYS_sendmmsg, s[0], m, 5, 0));
    say("%u %u %u %u %u", m[0].msg_len, m[1].msg_len, m[2].msg_len, m[3].msg_len, m[4].msg_len);
    for (int i = 0; i < 8; i++) {
        iov[i] = (struct iovec){in[i], 4};
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
        m[i].msg_len = 99;
    }
    SHOW(syscall(SYS_recvmmsg, s[1], m, 2, 0, NULL));
    say("%u %u %u flags %x", m[0].msg_len, m[1].msg_len, m[2].msg_len, m[0].msg_hdr.msg_flags);
    SHOW(syscall(SYS_recvmmsg, s[1], m, 8, MSG_WAITFORONE, NULL));
    SHOW(syscall(SYS_recvmmsg, s[1], m, 8, MSG_DONTWAIT, NULL));
    SHOW(syscall(SYS_recvmmsg, s[1], m, 0, 0, NULL));
    SHOW(syscall(SYS_sendmmsg, s[1], m, 0, 0));
    struct timespec ts = {0, 1000000000};
    SHOW(syscall(SYS_recvmmsg, s[1], m, 8, 0, &ts));
    SHOW(syscall(SYS_recvmmsg, -1, m, 8, 0, NULL));
    SHOW(syscall(SYS_sendmmsg, 0, m, 8, 0) == -1);
    NEED(send(s[0], "x", 1, 0) == 1);
    m[1].msg_hdr.msg_iov = (void *)8;
    SHOW(syscall(SYS_recvmmsg, s[1], m, 8, MSG_DONTWAIT, NULL));
    SHOW(syscall(SYS_sendmmsg, s[0], m, 2, 0));
    close(s[0]);
    close(s[1]);
}

static void files(int type)
{
    int s[2], p[2], f = open("data", O_CREAT | O_RDWR, 0600);
    char buf[64];
    off_t at = 3;
    NEED(f >= 0 && write(f, "0123456789abcdef", 16) == 16);
    NEED(socketpair(AF_UNIX, type, 0, s) == 0 && pipe(p) == 0);
    SHOW(sendfile(s[0], f, &at, 5));
    SHOW(recv(s[1], buf, 64, 0));
    say("%.5s %ld", buf, (long)at);
    SHOW(sendfile(f, s[1], NULL, 5));
    SHOW(write(p[1], "through a pipe", 14));
    SHOW(splice(p[0], NULL, s[0], NULL, 7, 0));
    SHOW(splice(p[0], NULL, s[0], NULL, 100, 0));
    SHOW(splice(s[1], NULL, p[1], NULL, 100, 0));
    SHOW(read(p[0], buf, 64));
    SHOW(splice(s[1], &at, p[1], NULL, 100, 0));
    SHOW(splice(s[1], NULL, s[0], NULL, 100, 0));
    SHOW(fcntl(s[1], F_SETFL, O_NONBLOCK));
    while (recv(s[1], buf, 64, 0) > 0)
        ;
    SHOW(splice(s[1], NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
    close(s[0]);
    SHOW(splice(s[1], NULL, p[1], NULL, 100, 0));
    unlink("data");
    close(f);
    close(p[0]);
    close(p[1]);
    close(s[1]);
}

/* /proc/net/unix tells of what is bound. */
static void listed(void)
{
    int a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_DGRAM, 0);
    NEED(un_bind(a, "@abi-listed") == 0 && listen(a, 1) == 0 && un_bind(b, "listed.sock") == 0);
    FILE *f = fopen("/proc/net/unix", "r");
    char line[300], inode[30], found[2][200] = {"", ""};
    struct stat st;
    NEED(f);
    while (fgets(line, sizeof line, f)) {
        char *name = strstr(line, "@abi-listed"), *path = strstr(line, "listed.sock");
        if (!name && !path)
            continue;
        NEED(fstat(name ? a : b, &st) == 0);
        snprintf(inode, sizeof inode, " %lu ", (unsigned long)st.st_ino);
        if (!strstr(line, inode)) /* another process's */
            continue;
        unsigned refs, protocol, flags, kind, state;
        NEED(sscanf(strchr(line, ':') + 1, "%x %x %x %x %x", &refs, &protocol, &flags, &kind,
                    &state) == 5);
        snprintf(found[!name], sizeof found[0], "refs %u protocol %u flags %x type %u state %u %s",
                 refs, protocol, flags, kind, state, name ? "abstract" : path);
    }
    say("%s%s", found[0], found[1]);
    fclose(f);
    close(a);
    close(b);
    unlink("listed.sock");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    many(SOCK_STREAM);
    many(SOCK_DGRAM);
    many(SOCK_SEQPACKET);
    files(SOCK_STREAM);
    files(SOCK_DGRAM);
    files(SOCK_SEQPACKET);
    listed();
    return done();
}
