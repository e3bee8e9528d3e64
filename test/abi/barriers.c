/* membarrier(2) and rseq(2): registration, errors, and what they promise. */
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <sched.h>

#include "abi.h"

#define SIGNATURE 0x53053053

static struct rseq area, second;
static volatile bool is_over;

static long barrier(int command, unsigned flags)
{
    return syscall(SYS_membarrier, command, flags, 0);
}

static long rseq(struct rseq *at, uint32_t len, int flags, uint32_t signature)
{
    return syscall(SYS_rseq, at, len, flags, signature);
}

static void *spin(void *unused)
{
    (void)unused;
    while (!is_over)
        ;
    return NULL;
}

static void barriers(void)
{
    pthread_t t;

    CHECK((barrier(MEMBARRIER_CMD_QUERY, 0) & 0x1ff) == 0x1ff);
    SHOW(barrier(MEMBARRIER_CMD_QUERY, 1));
    SHOW(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
    SHOW(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0));
    SHOW(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0));
    SHOW(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
    SHOW(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0));
    SHOW(barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0));
    NEED(pthread_create(&t, NULL, spin, NULL) == 0);
    for (int i = 0; i < 200; i++) {
        NEED(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0);
        NEED(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0) == 0);
        NEED(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0) == 0);
    }
    is_over = true;
    pthread_join(t, NULL);
    SHOW(barrier(MEMBARRIER_CMD_GLOBAL, 0));
    SHOW(barrier(1 << 20, 0));
    SHOW(barrier(3, 0));
}

/* A critical section that only ends when it is aborted: the kernel must do that when it preempts the thread. */
static bool is_aborted_by_preemption(void)
{
    long aborted = 0;

    __asm__ volatile(".pushsection __rseq_cs, \"aw\"\n"
                     ".balign 32\n"
                     "3: .long 0, 0\n"
                     ".quad 1f, 2f - 1f, 4f\n"
                     ".popsection\n"
                     "leaq 3b(%%rip), %%rax\n"
                     "movq %%rax, %1\n"
                     "1: pause\n"
                     "jmp 1b\n"
                     "2:\n"
                     ".long %c2\n"
                     "4: movl $1, %k0\n"
                     : "+r"(aborted), "=m"(area.rseq_cs)
                     : "i"(SIGNATURE)
                     : "rax", "memory");
    return aborted && area.rseq_cs == 0;
}

static void sequences(void)
{
    pthread_t t;
    cpu_set_t one;

    SHOW(rseq(&area, 8, 0, SIGNATURE));
    SHOW(rseq((void *)((char *)&area + 4), 32, 0, SIGNATURE));
    SHOW(rseq(&area, 32, 8, SIGNATURE));
    SHOW(rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    area.cpu_id = (uint32_t)RSEQ_CPU_ID_UNINITIALIZED;
    SHOW(rseq(&area, 32, 0, SIGNATURE));
    CHECK(area.cpu_id == (uint32_t)sched_getcpu() || area.cpu_id_start == area.cpu_id);
    SHOW(rseq(&area, 32, 0, SIGNATURE));
    SHOW(rseq(&area, 32, 0, SIGNATURE + 1));
    SHOW(rseq(&second, 32, 0, SIGNATURE));
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    NEED(sched_setaffinity(0, sizeof one, &one) == 0);
    say("on CPU %u", area.cpu_id);
    is_over = false;
    NEED(pthread_create(&t, NULL, spin, NULL) ==
         0); /* inherits the CPU, and takes it away now and then */
    CHECK(is_aborted_by_preemption());
    is_over = true;
    pthread_join(t, NULL);
    SHOW(rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIGNATURE + 1));
    SHOW(rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    CHECK(area.cpu_id == (uint32_t)RSEQ_CPU_ID_UNINITIALIZED);
    SHOW(rseq(&area, 32, RSEQ_FLAG_UNREGISTER, SIGNATURE));
}

int main(void)
{
    barriers();
    sequences();
    return done();
}
