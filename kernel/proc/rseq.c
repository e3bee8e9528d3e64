/* rseq(2).
 *
 * The scheduler posts THREAD_CALL to a thread with has_rseq whenever it was preempted, or moved to another CPU; the
 * rest happens here on its way back to ring 3.  A move after that posts it again, so the number that the program
 * reads is the one it runs on. */
#include <base/errno.h>
#include <core/usercopy.h>
#include <linux/rseq.h>
#include <proc/process.h>
#include <proc/rseq.h>

#include <asm/signal.h>

#define AREA_SIZE \
    32 /* of the first version, which is what programs without AT_RSEQ_FEATURE_SIZE register */

static struct uptr field(const struct task *t, size_t offset)
{
    return uptr_add(t->rseq.area, offset);
}

void rseq_reset(struct task *t)
{
    t->rseq = (struct rseq_state){0};
    t->thread.has_rseq = false;
}

long rseq_register(struct uptr area, uint32_t len, uint32_t sig)
{
    struct task *t = current_task();

    if (!uptr_is_null(t->rseq.area)) {
        if (uptr_word(t->rseq.area) != uptr_word(area) || t->rseq.len != len)
            return -EINVAL;
        return t->rseq.sig != sig ? -EPERM : -EBUSY;
    }
    if (len < AREA_SIZE || uptr_word(area) % alignof(struct rseq) != 0)
        return -EINVAL;
    if (uptr_is_null(area) || uptr_word(area) > USER_TOP - len)
        return -EFAULT;
    t->rseq = (struct rseq_state){.area = area, .len = len, .sig = sig};
    t->thread.has_rseq = true;
    thread_post(&t->thread, THREAD_CALL); /* stores the CPU's number before the program goes on */
    return 0;
}

/* 0 or -EFAULT.  `number` is also what cpu_id_start gets, except that this must always be a valid index. */
static int store_cpu(const struct task *t, uint32_t number)
{
    uint32_t start = number == (uint32_t)RSEQ_CPU_ID_UNINITIALIZED ? 0 : number;
    int err = user_put(field(t, offsetof(struct rseq, cpu_id_start)), &start);

    return err < 0 ? err : user_put(field(t, offsetof(struct rseq, cpu_id)), &number);
}

long rseq_unregister(struct uptr area, uint32_t len, uint32_t sig)
{
    struct task *t = current_task();

    if (uptr_is_null(t->rseq.area) || uptr_word(t->rseq.area) != uptr_word(area) ||
        t->rseq.len != len)
        return -EINVAL;
    if (t->rseq.sig != sig)
        return -EPERM;
    int err = store_cpu(t, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED);
    if (err < 0)
        return err;
    rseq_reset(t);
    return 0;
}

/* Does the descriptor make sense?  The four bytes before the abort handler hold the program's signature, so that
 * this cannot be used to jump anywhere else. */
static int check_section(const struct task *t, const struct rseq_cs *cs)
{
    uint32_t sig;

    if (cs->version != 0 || cs->start_ip >= USER_TOP ||
        cs->post_commit_offset > USER_TOP - cs->start_ip || cs->abort_ip >= USER_TOP ||
        cs->abort_ip < sizeof(sig) || cs->abort_ip - cs->start_ip < cs->post_commit_offset)
        return -EINVAL;
    if (user_get((struct uptr){cs->abort_ip - sizeof(sig)}, &sig) < 0)
        return -EFAULT;
    return sig == t->rseq.sig ? 0 : -EINVAL;
}

/* Restart the section that the program was in, if it was. */
static int abort_section(const struct task *t, struct regs *regs)
{
    static const uint64_t none;
    struct uptr at = field(t, offsetof(struct rseq, rseq_cs));
    struct rseq_cs cs;
    uint64_t pointer;

    if (user_get(at, &pointer) < 0)
        return -EFAULT;
    if (pointer == 0)
        return 0;
    if (user_get((struct uptr){pointer}, &cs) < 0)
        return -EFAULT;
    int err = check_section(t, &cs);
    if (err < 0)
        return err;
    if (user_put(at, &none) < 0)
        return -EFAULT;
    if (regs->rip - cs.start_ip < cs.post_commit_offset)
        regs->rip = cs.abort_ip;
    return 0;
}

void rseq_return_to_user(struct regs *regs)
{
    const struct task *t = current_task();

    if (uptr_is_null(t->rseq.area))
        return;
    if (abort_section(t, regs) < 0 || store_cpu(t, this_cpu()->index) < 0)
        signal_force(SIGSEGV);
}
