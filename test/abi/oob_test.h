/* For the programs that send MSG_OOB. */
#pragma once

#include "socket_test.h"

static int s[2]; /* what is sent into the first comes out of the second */

static void end(void)
{
    close(s[0]);
    close(s[1]);
}

static void get(size_t room, int flags)
{
    char buf[64] = "";
    struct iovec iov = {buf, room};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    long n = recvmsg(s[1], &m, flags | MSG_DONTWAIT);
    const char *what = flags & MSG_OOB    ? (flags & MSG_PEEK ? "peek oob" : "oob")
                       : flags & MSG_PEEK ? "peek"
                                          : "read";
    if (n < 0)
        say("%s: %s", what, strerror(errno));
    else
        say("%s: %ld \"%s\", flags %x", what, n, buf, (unsigned)m.msg_flags);
}

static void put(const char *text, int flags)
{
    long n = send(s[0], text, strlen(text), flags);
    say("send \"%s\"%s: %s", text, flags & MSG_OOB ? " oob" : "", n < 0 ? strerror(errno) : "good");
    CHECK(n < 0 || n == (long)strlen(text));
}
