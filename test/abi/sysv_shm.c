/* System V shared memory: keys, attaching, rights, what is left when it is removed. */
#include "abi.h"

#include <sys/ipc.h>
#include <sys/shm.h>

#define KEY 0x59303131

static void stat_of(const char *what, int id)
{
    struct shmid_ds ds;
    if (shmctl(id, IPC_STAT, &ds) < 0) {
        say("  %s: %s", what, strerror(errno));
        return;
    }
    say("  %s: key %x, mode %o, size %lu, attached %lu, by us %d %d, times %d %d %d", what,
        (unsigned)ds.shm_perm.__key, ds.shm_perm.mode, (unsigned long)ds.shm_segsz,
        (unsigned long)ds.shm_nattch, ds.shm_cpid == getpid(), ds.shm_lpid == getpid(),
        ds.shm_atime != 0, ds.shm_dtime != 0, ds.shm_ctime != 0);
}

static void test_get(void)
{
    say("-- get");
    SHOW(shmget(KEY, 5000, 0600));
    int id = shmget(KEY, 5000, IPC_CREAT | 0640);
    NEED(id >= 0);
    CHECK(shmget(KEY, 0, 0) == id);
    CHECK(shmget(KEY, 5000, IPC_CREAT) == id);
    SHOW(shmget(KEY, 5001, 0));
    SHOW(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600));
    SHOW(shmget(IPC_PRIVATE, 0, IPC_CREAT | 0600));
#ifndef __i386__ /* 4 GiB are no error */
    SHOW(shmget(IPC_PRIVATE, -1, IPC_CREAT | 0600));
#endif
    stat_of("new", id);
    SHOW(shmctl(id, IPC_RMID, NULL));
    stat_of("removed", id);
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmget(KEY, 0, 0));
    SHOW(shmctl(-1, IPC_RMID, NULL));
    SHOW(shmctl(id, 99, NULL));
}

static void test_attach(void)
{
    say("-- attach");
    int id = shmget(IPC_PRIVATE, 3 * PAGE - 10, 0600);
    unsigned char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
    NEED(a != (void *)-1 && b != (void *)-1);
    stat_of("twice", id);
    a[5] = 77;
    a[3 * PAGE - 1] = 1;
    say("seen: %d, zero: %d", b[5], b[6]);
    say_fault("writing to the read-only one", WRITES(b), b);
    SHOW(mprotect(b, PAGE, PROT_READ | PROT_WRITE));
    say_fault("behind the end", READS(a + 3 * PAGE), a + 3 * PAGE);
    SHOW(shmdt(b + PAGE));
    SHOW(shmdt(b));
    SHOW(shmdt(b));
    SHOW(shmdt(b + 1));
    stat_of("once", id);
    unsigned char *room = map_pages(8, PROT_READ);
    SHOW_OK(shmat(id, room, 0));
    SHOW_OK(shmat(id, room + 1, 0));
    SHOW_OK(shmat(id, NULL, SHM_REMAP));
    CHECK(shmat(id, room + PAGE + 5, SHM_RND | SHM_REMAP) == room + PAGE);
    say("there too: %d", room[PAGE + 5]);
    say_fault("before", READS(room), room);
    SHOW(munmap(room + 2 * PAGE, PAGE)); /* a hole in it */
    stat_of("with a hole", id);
    SHOW(shmdt(room + PAGE));
    say_fault("its first page", READS(room + PAGE), room + PAGE);
    say_fault("its last page", READS(room + 3 * PAGE), room + 3 * PAGE);
    say_fault("behind", READS(room + 4 * PAGE), room + 4 * PAGE);
    munmap(room, 8 * PAGE);
    SHOW_OK(shmat(id + 100, NULL, 0));
    SHOW_OK(shmat(-1, NULL, 0));
    SHOW(shmctl(id, IPC_RMID, NULL));
    stat_of("removed but attached", id);
    CHECK(shmat(id, NULL, 0) != (void *)-1);
    stat_of("attached once more", id);
    say("still there: %d", a[5]);
    SHOW(shmdt(a));
    stat_of("one left", id);
}

static void test_control(void)
{
    say("-- control");
    struct shmid_ds ds;
    int id = shmget(IPC_PRIVATE, PAGE, 0600);
    NEED(shmctl(id, IPC_STAT, &ds) == 0);
    ds.shm_perm.mode = 01444;
    ds.shm_perm.uid = 5;
    SHOW(shmctl(id, IPC_SET, &ds));
    stat_of("set", id);
    SHOW(shmctl(id, SHM_LOCK, NULL));
    stat_of("locked", id);
    SHOW(shmctl(id, SHM_UNLOCK, NULL));
    SHOW(shmctl(id, IPC_SET, (void *)8));
#ifndef __i386__ /* there musl itself copies to it */
    SHOW(shmctl(id, IPC_STAT, (void *)8));
#endif
    SHOW(seteuid(1000));
    SHOW_OK(shmat(id, NULL, 0));
    SHOW_OK(shmat(id, NULL, SHM_RDONLY));
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmctl(id, IPC_SET, &ds));
    SHOW(shmctl(id, SHM_LOCK, NULL));
    SHOW(seteuid(0));
    SHOW(shmctl(id, IPC_RMID, NULL));
}

int main(void)
{
    test_get();
    test_attach();
    test_control();
    return done();
}
