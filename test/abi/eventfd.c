/* eventfd: counting, the semaphore kind, overflow, blocking on both sides. */
#include <poll.h>
#include <sys/eventfd.h>

#include "abi.h"

static int event;

static void *add_later(void *arg)
{
    wait_until_asleep(getpid());
    NEED(write(event, &(uint64_t){5}, 8) == 8);
    return arg;
}

static void *take_later(void *arg)
{
    uint64_t value;

    wait_until_asleep(getpid());
    NEED(read(event, &value, 8) == 8);
    *(uint64_t *)arg = value;
    return NULL;
}

int main(void)
{
    uint64_t value = 0;
    pthread_t thread;

    event = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    NEED(event >= 0);
    struct pollfd p = {event, POLLIN | POLLOUT, 0};
    SHOW(read(event, &value, 8));
    say("value %lu", value);
    SHOW(read(event, &value, 8));
    value = 7;
    SHOW(write(event, &value, 8));
    SHOW(write(event, &value, 8));
    SHOW(read(event, &value, 8));
    say("value %lu", value);
    value = UINT64_MAX;
    SHOW(write(event, &value, 8));
    value = UINT64_MAX - 1;
    SHOW(write(event, &value, 8));
    SHOW(poll(&p, 1, 0));
    say("full: %x", p.revents);
    value = 1;
    SHOW(write(event, &value, 8));
    value = 0;
    SHOW(write(event, &value, 8));
    SHOW(read(event, &value, 4));
    SHOW(write(event, &value, 4));
    SHOW(read(event, &value, 8));
    say("value %lx", value);
    SHOW(poll(&p, 1, 0));
    say("empty: %x", p.revents);
    close(event);
    event = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    for (int i = 0; i < 3; i++) {
        value = 0;
        SHOW(read(event, &value, 8));
        say("value %lu", value);
    }
    close(event);
    event = eventfd(0, 0);
    NEED(pthread_create(&thread, NULL, add_later, NULL) == 0);
    SHOW(read(event, &value, 8));
    say("value %lu", value);
    pthread_join(thread, NULL);
    value = UINT64_MAX - 1;
    NEED(write(event, &value, 8) == 8);
    NEED(pthread_create(&thread, NULL, take_later, &value) == 0);
    SHOW(write(event, &(uint64_t){6}, 8)); /* until somebody reads */
    pthread_join(thread, NULL);
    say("value %lx", value);
    SHOW(read(event, &value, 8));
    say("value %lu", value);
    SHOW(eventfd(0, 0x100));
    SHOW(lseek(event, 0, SEEK_SET));
    return done();
}
