/* What gdb is let loose on: threads of which the test knows what they wait for. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ends[2], ready;

static void *waits_for_lock(void *arg)
{
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *waits_for_pipe(void *arg)
{
    char byte;

    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    return read(ends[0], &byte, 1) == 1 ? arg : NULL;
}

__attribute__((noinline)) int all_asleep(int number)
{
    __asm__ volatile("" ::: "memory");
    return number + 1;
}

/* Whether the thread sleeps, as its file in /proc says. */
static int is_asleep(int tid)
{
    char path[64], text[256], state = '?';

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "r");
    if (file && fgets(text, sizeof text, file))
        sscanf(text, "%*d (%*[^)]) %c", &state);
    if (file)
        fclose(file);
    return state == 'S';
}

int main(int argc, char **argv)
{
    pthread_t first, second;
    int number = 41;

    printf("%d %s\n", argc, argv[argc - 1]);
    fflush(stdout);
    open("/dev/zero", O_RDONLY);
    if (pipe(ends))
        return 1;
    pthread_mutex_lock(&lock);
    pthread_create(&first, NULL, waits_for_lock, NULL);
    pthread_create(&second, NULL, waits_for_pipe, NULL);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 2 || !is_asleep(getpid() + 1) ||
           !is_asleep(getpid() + 2))
        usleep(1000);
    number = all_asleep(number);
    pthread_mutex_unlock(&lock);
    if (write(ends[1], "x", 1) != 1)
        return 1;
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    printf("number %d\n", number);
    return 0;
}
