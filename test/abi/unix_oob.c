/* MSG_OOB on AF_UNIX streams: one byte apart, its mark, SO_OOBINLINE, and what the others answer. */
#include "oob_test.h"

static void begin(const char *what)
{
    say("%s", what);
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
}

static void at_mark(void)
{
    int n = -1, bytes = -1;
    if (ioctl(s[1], SIOCATMARK, &n) < 0 || ioctl(s[1], FIONREAD, &bytes) < 0)
        say("mark: %s", strerror(errno));
    else
        say("mark: %d", n);
    say_ready("poll", s[1]);
}

int main(void)
{
    begin("alone");
    get(1, MSG_OOB);
    put("", MSG_OOB);
    put("x", MSG_OOB);
    at_mark();
    get(1, MSG_OOB | MSG_PEEK);
    get(0, MSG_OOB | MSG_PEEK);
    get(5, MSG_OOB);
    at_mark();
    get(1, MSG_OOB);
    get(5, MSG_PEEK);
    get(5, 0);
    at_mark();
    put("later", 0);
    get(5, 0);
    end();

    begin("in the middle");
    put("before!", MSG_OOB);
    put("after", 0);
    at_mark();
    get(16, MSG_PEEK);
    get(3, 0);
    at_mark();
    get(16, 0);
    at_mark();
    get(1, MSG_OOB);
    at_mark();
    get(16, 0);
    at_mark();
    end();

    begin("taken first");
    put("before!", MSG_OOB);
    put("after", 0);
    get(1, MSG_OOB);
    at_mark();
    get(16, 0);
    at_mark();
    get(16, 0);
    end();

    begin("not taken");
    put("before!", MSG_OOB);
    put("after", 0);
    get(16, 0);
    at_mark();
    get(16, MSG_PEEK);
    get(16, 0);
    get(1, MSG_OOB);
    get(16, 0);
    end();

    begin("only it, and not taken");
    put("!", MSG_OOB);
    get(16, MSG_PEEK);
    get(16, 0);
    at_mark();
    get(1, MSG_OOB);
    end();

    begin("two");
    put("a1", MSG_OOB);
    put("b2", MSG_OOB);
    at_mark();
    get(16, 0);
    at_mark();
    get(1, MSG_OOB);
    get(1, MSG_OOB);
    get(16, 0);
    end();

    begin("taken, and another");
    put("a1", MSG_OOB);
    get(1, MSG_OOB);
    put("b2", MSG_OOB);
    at_mark();
    get(16, 0);
    at_mark();
    get(16, 0);
    get(1, MSG_OOB);
    end();

    begin("inline");
    put("before!", MSG_OOB);
    put("after", 0);
    SHOW(set_opt(s[1], SOL_SOCKET, SO_OOBINLINE, 1));
    get(1, MSG_OOB);
    get(16, 0);
    at_mark();
    get(16, 0);
    at_mark();
    end();

    begin("the end");
    put("x!", MSG_OOB);
    close(s[0]);
    get(16, 0);
    get(1, MSG_OOB);
    get(16, 0);
    s[0] = -1;
    end();

    begin("nobody reads");
    SHOW(shutdown(s[1], SHUT_RD));
    put("x", MSG_OOB | MSG_NOSIGNAL);
    end();

    char byte;
    int n;
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    for (unsigned i = 0; i < NR(types); i++) {
        NEED(socketpair(AF_UNIX, types[i], 0, s) == 0);
        SHOW(send(s[0], "x", 1, MSG_OOB));
        SHOW(recv(s[1], &byte, 1, MSG_OOB | MSG_DONTWAIT));
        SHOW(ioctl(s[0], SIOCATMARK, &n) == -1);
        end();
    }
    return done();
}
