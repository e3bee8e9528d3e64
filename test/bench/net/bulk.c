/* Serves one connection after the other at PORT: what comes first is a letter.
 *
 *     s    send zeros until the client has gone
 *     t    take all there is until its end, then tell how many bytes they were, in text
 *
 *     bulk PORT */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[64 << 10];

static void serve(int fd)
{
    ssize_t n;
    size_t bytes = 0;
    if (read(fd, buf, 1) != 1)
        return;
    if (buf[0] == 's') {
        while (write(fd, buf, sizeof(buf)) > 0) {
        }
        return;
    }
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        bytes += (size_t)n;
    dprintf(fd, "%zu\n", bytes);
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    at.sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "0"));
    signal(SIGPIPE, SIG_IGN);
    if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 8)) {
        perror("bulk");
        return 1;
    }
    puts("Ready to accept connections");
    fflush(stdout);
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        serve(fd);
        close(fd);
    }
    perror("bulk: accept");
    return 1;
}
