/* Connections that ended wait for old packets of theirs; how many do is tcp_max_tw_buckets' to say. */
#include "inet_test.h"

enum { CONNECTIONS = 1200, LOOKS = 100 };

static int read_number(const char *path)
{
    FILE *f = fopen(path, "r");
    int n = -1;
    NEED(f && fscanf(f, "%d", &n) == 1);
    fclose(f);
    return n;
}

/* Lines of the port's own connections in that state. */
static int nr_waiting(int port)
{
    FILE *f = fopen("/proc/net/tcp", "r");
    char line[256];
    int nr = 0, local, state;
    NEED(f);
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%*d: %*8x:%x %*8x:%*x %x", &local, &state) == 2 && local == port &&
            state == 6)
            nr++;
    fclose(f);
    return nr;
}

int main(void)
{
    struct sockaddr_storage a;
    int l = tcp_listener(AF_INET, &a, 5), port = local_port(l), nr = 0;
    bool some = false;
    for (int k = 0; k < CONNECTIONS; k++) {
        char byte;
        int c = socket(AF_INET, SOCK_STREAM, 0);
        NEED(connect(c, (struct sockaddr *)&a, addr_len(AF_INET)) == 0);
        int s = accept(l, NULL, NULL);
        NEED(close(s) == 0 && read(c, &byte, 1) == 0 && close(c) == 0);
        if (k % 100 == 0)
            some |= nr_waiting(port) > 0;
    }
    int allowed = read_number("/proc/sys/net/ipv4/tcp_max_tw_buckets");
    for (int k = 0; k < LOOKS && (k == 0 || nr > allowed); k++) {
        NEED(usleep(50000) == 0);
        nr = nr_waiting(port);
    }
    printf("some wait: %d, none too many: %d\n", some && nr > 0, nr <= allowed);
    return 0;
}
