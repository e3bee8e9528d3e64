/* What terminals ask about processes: job control (vfs/tty.h). */
#include "private.h"

#include <linux/signal.h>
#include <vfs/tty.h>

static void job_signal_group(int group, int sig)
{
    int nobody = signal_send_group(group, sig, NULL);
    (void)nobody; /* the group may be gone */
}

static void job_current(int *group, int *session, bool *is_session_leader)
{
    struct process *p = current_process();
    *group = process_group(p);
    *session = process_session(p);
    *is_session_leader = *session == p->pid;
}

struct group_search {
    int session;
    bool found;
};

static void find_session(void *arg, struct process *p)
{
    struct group_search *s = arg;
    if (process_session(p) == s->session)
        s->found = true;
}

static bool job_has_group(int session, int group)
{
    struct group_search s = {.session = session};
    process_visit_group(group, find_session, &s);
    return s.found;
}

static bool job_current_ignores(int sig)
{
    struct task *t = current_task();
    struct sighand *s = t->process->sighand;
    bool irqs = spin_lock_irq(&s->lock);
    bool ignores = (t->blocked & SIG_BIT(sig)) || s->action[sig - 1].handler == (uintptr_t)SIG_IGN;
    spin_unlock_irq(&s->lock, irqs);
    return ignores;
}

void jobs_init(void)
{
    static const struct tty_jobs jobs = {
        .signal_group = job_signal_group,
        .current = job_current,
        .has_group = job_has_group,
        .current_ignores = job_current_ignores,
        .is_orphaned = family_is_orphaned_group,
    };
    tty_set_jobs(&jobs);
}

void jobs_process_exits(struct process *p)
{
    if (process_session(p) == p->pid)
        tty_end_session(p->pid);
}
