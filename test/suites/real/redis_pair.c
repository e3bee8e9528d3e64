/* redis-pair SERVER'S OPTIONS -- redis-cli|redis-benchmark OPTIONS: both ends of a conversation over an AF_UNIX socket.
 *
 * A guest has one process.  So Redis's server runs in a thread, and its client, once the server's socket answers, in the first
 * one; their objects are Redis's own, with `main` renamed and everything else made local (build.sh).  The client's end
 * is the end of the program. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int server_main(int argc, char **argv);
int cli_main(int argc, char **argv);
int benchmark_main(int argc, char **argv);

static int nr_server;
static char **server_args;

static void *serve(void *unused)
{
    (void)unused;
    exit(server_main(nr_server, server_args));
}

/* The server makes its socket while we look on: there is nothing else to wait for. */
static void wait_for_server(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    for (;;) {
        int s = socket(AF_UNIX, SOCK_STREAM, 0);
        int failed = connect(s, (struct sockaddr *)&address, sizeof address);

        close(s);
        if (!failed)
            return;
        usleep(1000);
    }
}

/* The server overwrites its arguments, up to the last one, to set its title: the client gets copies. */
int main(int argc, char **argv)
{
    const char *path = NULL;
    char *client[32];
    int nr = 0;
    pthread_attr_t attr;
    pthread_t thread;

    while (nr_server < argc && strcmp(argv[nr_server], "--")) {
        if (!strcmp(argv[nr_server], "--unixsocket"))
            path = strdup(argv[nr_server + 1]);
        nr_server++;
    }
    for (int i = nr_server + 1; i < argc && nr < 31; i++)
        client[nr++] = strdup(argv[i]);
    if (!path || !nr) {
        fprintf(stderr, "redis-pair … --unixsocket PATH … -- redis-cli|redis-benchmark …\n");
        return 2;
    }
    client[nr] = NULL;
    argv[nr_server] = NULL;
    server_args = argv;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 8 << 20); /* Redis counts on the stack of a process */
    if (pthread_create(&thread, &attr, serve, NULL))
        return 2;
    wait_for_server(path);
    return (strcmp(client[0], "redis-cli") ? benchmark_main : cli_main)(nr, client);
}
