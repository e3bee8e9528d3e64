/* flock and record locks within one process; open file description locks exclude each other even
 * there. */
#include <sys/file.h>

#include "abi.h"

#ifndef F_OFD_SETLK
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#endif

static volatile bool got_it;

static void *wait_for_it(void *arg)
{
    int fd = (int)(intptr_t)arg;

    NEED(flock(fd, LOCK_EX) == 0);
    got_it = true;
    return NULL;
}

int main(void)
{
    int a = open("f", O_RDWR | O_CREAT, 0600), b = open("f", O_RDWR), c = dup(a);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    pthread_t thread;

    SHOW(flock(a, LOCK_EX));
    SHOW(flock(c, LOCK_EX | LOCK_NB)); /* the same open file */
    SHOW(flock(b, LOCK_EX | LOCK_NB));
    SHOW(flock(b, LOCK_SH | LOCK_NB));
    SHOW(flock(a, LOCK_SH));
    SHOW(flock(b, LOCK_SH | LOCK_NB));
    SHOW(flock(b, LOCK_UN));
    SHOW(flock(a, LOCK_EX));
    NEED(pthread_create(&thread, NULL, wait_for_it, (void *)(intptr_t)b) == 0);
    sleep_ms(20);
    say("it waits: %d", !got_it);
    SHOW(flock(a, LOCK_UN));
    pthread_join(thread, NULL);
    say("it got it: %d", got_it);
    close(b);
    b = open("f", O_RDWR);
    SHOW(flock(a, LOCK_EX | LOCK_NB)); /* closing let go */
    SHOW(flock(a, LOCK_NB));
    SHOW(flock(99, LOCK_EX));

    SHOW(fcntl(a, F_SETLK, &lock));
    SHOW(fcntl(b, F_SETLK, &lock)); /* the owner is the process */
    SHOW(fcntl(b, F_GETLK, &lock));
    say("free: %d", lock.l_type == F_UNLCK);
    lock = (struct flock){.l_type = F_UNLCK, .l_whence = SEEK_SET};
    SHOW(fcntl(a, F_SETLK, &lock));
    lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 10};
    SHOW(fcntl(a, F_OFD_SETLK, &lock));
    lock.l_start = 105;
    SHOW(fcntl(b, F_OFD_SETLK, &lock));
    SHOW(fcntl(b, F_OFD_GETLK, &lock));
    say("type %d, start %ld, length %ld, pid %d", lock.l_type, (long)lock.l_start, (long)lock.l_len,
        lock.l_pid);
    lock.l_type = 99;
    SHOW(fcntl(a, F_SETLK, &lock));
    unlink("f");
    return done();
}
