/* membarrier(2) and rseq(2): what programs use instead of atomics on their fast paths. */
#include <base/errno.h>
#include <core/sched.h>
#include <linux/membarrier.h>
#include <linux/rseq.h>
#include <proc/process.h>
#include <proc/rseq.h>
#include <syscalls/bodies.h>

#define GET_REGISTRATIONS_ \
    (1 << 9) /* newer than the oldest <linux/membarrier.h> that we build with */

#define COMMANDS                                                                                   \
    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                                     \
     MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |                 \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |      \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ | \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ | GET_REGISTRATIONS_)

/* Every private command must have been registered for: its registration is the bit above it. */
static bool is_registered(int cmd)
{
    return atomic_load(&current_process()->membarrier) & ((uint32_t)cmd << 1);
}

/* Abort the restartable sequences that threads of this process are in: their CPUs are interrupted by the barrier
 * and find the bit on the way back. */
static void abort_sequences(void)
{
    struct process *p = current_process();
    struct task *t;

    mutex_lock(&p->lock);
    list_for_each(t, &p->tasks, process_node)
        if (t->thread.has_rseq)
            atomic_or(&t->thread.work, THREAD_CALL);
    mutex_unlock(&p->lock);
}

/* An interrupt is a full barrier and returns by IRET, which serialises: one kind of round trip serves all. */
long sys_membarrier(int cmd, unsigned flags, int cpu_id)
{
    if (flags && (cmd != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ || flags != MEMBARRIER_CMD_FLAG_CPU))
        return -EINVAL;
    switch (cmd) {
    case MEMBARRIER_CMD_QUERY:
        return COMMANDS;
    case GET_REGISTRATIONS_:
        return (long)atomic_load(&current_process()->membarrier);
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
        sched_sync_cpus(NULL);
        return 0;
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
        atomic_or(&current_process()->membarrier, (uint32_t)cmd);
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
        if (!is_registered(cmd))
            return -EPERM;
        abort_sequences(); /* on every CPU, also when `flags` asks for one */
        sched_sync_cpus(current_thread()->vm);
        return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        if (!is_registered(cmd))
            return -EPERM;
        sched_sync_cpus(current_thread()->vm);
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_rseq(struct uptr rseq, unsigned rseq_len, int flags, unsigned sig)
{
    if (flags & RSEQ_FLAG_UNREGISTER)
        return flags == RSEQ_FLAG_UNREGISTER ? rseq_unregister(rseq, rseq_len, sig) : -EINVAL;
    return flags ? -EINVAL : rseq_register(rseq, rseq_len, sig);
}
