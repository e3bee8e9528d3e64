/* Which error comes first: System V IPC and message queues that do not exist. */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "matrix.h"

#define IDS N_(-1), N_(0x7ffffff0)

static const struct matrix_call calls[] = {
    {"shmget", SYS_shmget, {{N_(0x59a1f7e3)}, {N_(0), N_(4096)}, {N_(0)}}},
    {"shmget, private",
     SYS_shmget,
     {{N_(0)}, {N_(0), N_(-1), {"huge", (long)0x7fffffffffffffff}}, {N_(0)}}},
    {"shmat",
     SYS_shmat,
     {{IDS}, {NULL_, {"odd", 0x10010001}}, {N_(0), N_(SHM_REMAP), N_(SHM_RDONLY), N_(SHM_RND)}}},
    {"shmdt", SYS_shmdt, {{NULL_, {"odd", 0x10010001}, WRITABLE_}}},
    {"shmctl",
     SYS_shmctl,
     {{IDS},
      {N_(IPC_RMID), N_(IPC_SET), N_(IPC_STAT), N_(SHM_LOCK), N_(99), N_(-1)},
      {NULL_, WILD_, WRITABLE_}}},
    {"semget", SYS_semget, {{N_(0), N_(0x59a1f7e3)}, {N_(-1), N_(32001)}, {N_(0)}}},
    {"semop", SYS_semop, {{IDS}, {NULL_, WILD_, WRITABLE_}, {N_(0), N_(1), N_(501)}}},
    {"semtimedop",
     SYS_semtimedop,
     {{IDS},
      {NULL_, WRITABLE_},
      {N_(0), N_(1), N_(501)},
      {NULL_, WILD_, {"wrong time", 0x10011100}}}},
    {"semctl",
     SYS_semctl,
     {{IDS},
      {N_(-1), N_(0)},
      {N_(IPC_RMID), N_(IPC_STAT), N_(GETVAL), N_(SETVAL), N_(GETALL), N_(SETALL), N_(99)},
      {NULL_, WILD_}}},
    {"msgget", SYS_msgget, {{N_(0x59a1f7e3)}, {N_(0)}}},
    {"msgsnd",
     SYS_msgsnd,
     {{IDS},
      {NULL_, WILD_, WRITABLE_, {"type 1", 0x10011200}},
      {N_(0), N_(-1), N_(8193)},
      {N_(0), N_(IPC_NOWAIT)}}},
    {"msgrcv",
     SYS_msgrcv,
     {{IDS},
      {NULL_, WRITABLE_},
      {N_(0), N_(-1)},
      {N_(0)},
      {N_(IPC_NOWAIT), N_(040000), N_(040000 | IPC_NOWAIT)}}},
    {"msgctl",
     SYS_msgctl,
     {{IDS}, {N_(IPC_RMID), N_(IPC_SET), N_(IPC_STAT), N_(99)}, {NULL_, WILD_, WRITABLE_}}},
};

int main(void)
{
    matrix_fds();
    matrix_memory();
    *(struct timespec *)0x10011100 = (struct timespec){0, -1};
    *(long *)0x10011200 = 1;
    MATRIX(calls, NULL);
    return done();
}
