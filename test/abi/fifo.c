/* Named pipes: opening waits for the other side, or does not. */
#include "abi.h"

static void *open_to_write(void *arg)
{
    wait_until_asleep(getpid());
    int fd = open("fifo", O_WRONLY);

    NEED(fd >= 0 && write(fd, "hello", 5) == 5);
    close(fd);
    return arg;
}

int main(void)
{
    char text[10] = "";
    pthread_t thread;
    struct stat st;

    SHOW(mkfifo("fifo", 0600));
    SHOW(mkfifo("fifo", 0600));
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    NEED(pthread_create(&thread, NULL, open_to_write, NULL) == 0);
    int fd = open("fifo", O_RDONLY); /* until somebody opens it to write */
    SHOW(read(fd, text, sizeof text));
    say("%s", text);
    SHOW(read(fd, text, sizeof text));
    pthread_join(thread, NULL);
    close(fd);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK), writer = open("fifo", O_WRONLY | O_NONBLOCK);
    NEED(reader >= 0 && writer >= 0);
    SHOW(read(reader, text, 1));
    SHOW(write(writer, "abc", 3));
    SHOW(read(reader, text, 10));
    close(writer);
    SHOW(read(reader, text, 10));
    close(reader);
    int both = open("fifo", O_RDWR);
    SHOW(write(both, "x", 1));
    SHOW(read(both, text, 1));
    SHOW(lseek(both, 0, SEEK_SET));
    fstat(both, &st);
    say("a fifo: %d", S_ISFIFO(st.st_mode));
    SHOW(unlink("fifo"));
    return done();
}
