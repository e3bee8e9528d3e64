/* O_APPEND writes at the end whatever the offset; offsets are per open, shared by dup. */
#include "abi.h"

static void show_file(const char *path)
{
    char text[100] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);

    close(fd);
    say("%s: %zd \"%s\"", path, n, text);
}

static void *append(void *arg)
{
    int fd = open("many", O_WRONLY | O_APPEND);

    for (int i = 0; i < 500; i++)
        if (write(fd, arg, 4) != 4)
            abort();
    close(fd);
    return NULL;
}

int main(void)
{
    int a = open("file", O_RDWR | O_CREAT | O_APPEND, 0600), b = open("file", O_RDWR);
    char byte = 0;

    SHOW(write(a, "aaa", 3));
    SHOW(write(b, "B", 1));
    SHOW(write(a, "cc", 2));
    show_file("file");
    SHOW(lseek(a, 0, SEEK_SET));
    SHOW(write(a, "d", 1));
    SHOW(lseek(a, 0, SEEK_CUR));
    SHOW(pwrite(a, "e", 1, 0)); /* Linux appends here too */
    show_file("file");
    SHOW(lseek(a, 0, SEEK_CUR));
    int c = dup(b);
    SHOW(lseek(c, 2, SEEK_SET));
    SHOW(read(b, &byte, 1));
    say("read by the twin: %c", byte);
    SHOW(fcntl(b, F_SETFL, O_APPEND));
    SHOW(write(b, "f", 1));
    SHOW(fcntl(c, F_GETFL) & O_APPEND);
    SHOW(fcntl(b, F_SETFL, 0));
    SHOW(lseek(b, 0, SEEK_SET));
    SHOW(write(b, "X", 1));
    show_file("file");

    close(open("many", O_WRONLY | O_CREAT, 0600));
    pthread_t threads[4];
    for (size_t i = 0; i < NR(threads); i++)
        NEED(pthread_create(&threads[i], NULL, append,
                            (char[][5]){"aaaa", "bbbb", "cccc", "dddd"}[i]) == 0);
    for (size_t i = 0; i < NR(threads); i++)
        pthread_join(threads[i], NULL);
    static char all[9000];
    unsigned counts[4] = {0}, torn = 0;
    int fd = open("many", O_RDONLY);
    ssize_t n = read(fd, all, sizeof all);
    for (ssize_t i = 0; i + 3 < n; i += 4) {
        torn += all[i] != all[i + 1] || all[i] != all[i + 3];
        counts[all[i] - 'a']++;
    }
    say("appended by four threads: %zd bytes, %u %u %u %u, torn %u", n, counts[0], counts[1],
        counts[2], counts[3], torn);
    unlink("file");
    unlink("many");
    return done();
}
