/* Parents and children: who is whose, and wait(2).
 *
 * One spinlock for the whole tree: it changes rarely and each change is a few instructions.  A
 * process that has ended stays in its parent's list as a zombie until it is waited for; the list
 * holds a reference. */
#include "private.h"

#include <linux/signal.h>
#include <linux/wait.h>
#include <proc/cred.h>

static struct spinlock family_lock = SPINLOCK_INIT(RANK_FAMILY);
/* guards parent, children, sibling and is_zombie of every process */

/* With family_lock. */
static void set_parent(struct process *child, struct process *parent)
{
    child->parent = parent;
    atomic_store(&child->parent_pid, parent ? parent->pid : 0);
}

void family_add(struct process *parent, struct process *child)
{
    spin_lock(&family_lock);
    set_parent(child, parent);
    list_push_back(&parent->children, &child->sibling);
    spin_unlock(&family_lock);
}

int process_parent_pid(struct process *p)
{
    return atomic_load(&p->parent_pid);
}

static int code_of_status(int status)
{
    return (status & 0x7f) == 0 ? CLD_EXITED : status & 0x80 ? CLD_DUMPED : CLD_KILLED;
}

static int value_of_status(int status)
{
    return (status & 0x7f) == 0 ? (status >> 8) & 0xff : status & 0x7f;
}

static void tell(struct process *parent, struct process *child, int code, int value, int sig)
{
    siginfo_t info = {.si_signo = sig, .si_code = code};
    info.si_pid = child->pid;
    info.si_uid = child->uid_at_exit;
    info._sifields._sigchld._status = value;
    info.si_utime = (long)(child->dead_usage.user_ns / 10000000);
    info.si_stime = (long)(child->dead_usage.kernel_ns / 10000000);
    if (sig)
        signal_send_process(parent, sig, &info);
    waitq_wake_all(&parent->wait_children);
}

/* Does the parent not care for zombies? */
static bool is_reaped_unseen(struct process *parent, int sig)
{
    struct sighand *s = parent->sighand;
    bool irqs = spin_lock_irq(&s->lock);
    const struct sigaction_k *a = &s->action[SIGCHLD - 1];
    bool unseen = sig == SIGCHLD && (a->handler == (uintptr_t)SIG_IGN || (a->flags & SA_NOCLDWAIT));
    spin_unlock_irq(&s->lock, irqs);
    return unseen;
}

/* The nearest ancestor that adopts orphans; NULL: none is left. */
static struct process *find_reaper(struct process *p)
{
    struct process *up = p->parent;
    while (up && up->parent && !up->child_subreaper)
        up = up->parent;
    return up;
}

/* Hand the children over.  Zombies among them wake the new parent too. */
static void give_away_children(struct process *p)
{
    struct process *reaper = find_reaper(p), *child;
    while (!list_is_empty(&p->children)) {
        child = list_entry(p->children.next, struct process, sibling);
        list_remove(&child->sibling);
        set_parent(child, reaper);
        if (child->parent_death_signal && !child->is_zombie)
            signal_send_process(child, child->parent_death_signal, NULL);
        if (!reaper)
            continue;
        list_push_back(&reaper->children, &child->sibling);
        if (child->is_zombie)
            tell(reaper, child, code_of_status(child->exit_code), value_of_status(child->exit_code),
                 child->exit_signal);
    }
}

void family_exit(struct process *p)
{
    spin_lock(&family_lock);
    give_away_children(p);
    struct process *parent = p->parent;
    bool unseen = !parent || is_reaped_unseen(parent, p->exit_signal);
    if (unseen && parent) {
        list_remove(&p->sibling);
        set_parent(p, NULL);
    }
    p->is_zombie = !unseen;
    if (parent)
        tell(parent, p, code_of_status(p->exit_code), value_of_status(p->exit_code),
             p->exit_signal);
    spin_unlock(&family_lock);

    if (unseen)
        pid_remove_process(p);
    if (unseen && parent)
        process_put(p);
}

void family_tell_parent(struct process *p, int code)
{
    spin_lock(&family_lock);
    struct process *parent = p->parent;
    if (parent) {
        bool irqs = spin_lock_irq(&parent->sighand->lock);
        bool is_unwanted = parent->sighand->action[SIGCHLD - 1].flags & SA_NOCLDSTOP;
        spin_unlock_irq(&parent->sighand->lock, irqs);
        tell(parent, p, code, code == CLD_CONTINUED ? SIGCONT : p->stop_signal,
             is_unwanted ? 0 : SIGCHLD);
    }
    spin_unlock(&family_lock);
}

static void find_keeper(void *arg, struct process *p)
{
    bool *has_keeper = arg;
    spin_lock(&family_lock);
    struct process *up = p->parent;
    if (up && process_group(up) != process_group(p) && process_session(up) == process_session(p))
        *has_keeper = true;
    spin_unlock(&family_lock);
}

bool family_is_orphaned_group(int pgid)
{
    bool has_keeper = false;
    process_visit_group(pgid, find_keeper, &has_keeper);
    return !has_keeper;
}

/* --- wait(2) ---------------------------------------------------------------------------------- */

static bool is_wanted(struct process *self, struct process *child, int which, int id, int options)
{
    if (which == P_PID && child->pid != id)
        return false;
    if (which == P_PGID && process_group(child) != id)
        return false;
    if (options & __WALL)
        return true;
    return (child->exit_signal != SIGCHLD) == !!(options & __WCLONE);
}

/* Has `child` stopped or continued since the last wait?  Then fill *r. */
static bool take_stop(struct process *child, int options, struct wait_result *r)
{
    bool found = false;
    bool irqs = spin_lock_irq(&child->sighand->lock);
    if ((options & WUNTRACED) && child->is_stopped && child->stop_signal) {
        *r = (struct wait_result){.status = child->stop_signal << 8 | 0x7f, .code = CLD_STOPPED};
        found = child->nr_stopped == child->nr_tasks;
        if (found && !(options & WNOWAIT))
            child->stop_signal = 0;
    } else if ((options & WCONTINUED) && child->was_continued) {
        *r = (struct wait_result){.status = 0xffff, .code = CLD_CONTINUED};
        found = true;
        if (!(options & WNOWAIT))
            child->was_continued = false;
    }
    spin_unlock_irq(&child->sighand->lock, irqs);
    return found;
}

struct search {
    struct process *self;
    int which, id, options;
    struct wait_result *result;
    struct process *zombie; /* taken out of the tree: the caller has its reference */
    long error;
};

/* One look at all children: true when the wait is over (found, or nobody to wait for). */
static bool search_children(struct search *s)
{
    struct process *child;
    bool is_any = false, found = false;
    spin_lock(&family_lock);
    list_for_each(child, &s->self->children, sibling) {
        if (!is_wanted(s->self, child, s->which, s->id, s->options))
            continue;
        is_any = true;
        if (child->is_zombie && (s->options & WEXITED)) {
            *s->result = (struct wait_result){.status = child->exit_code,
                                              .code = code_of_status(child->exit_code),
                                              .uid = child->uid_at_exit,
                                              .usage = child->dead_usage};
            found = true;
            if (!(s->options & WNOWAIT)) {
                s->zombie = child;
                list_remove(&child->sibling);
                set_parent(child, NULL);
            }
        } else if (!child->is_zombie) {
            found = take_stop(child, s->options, s->result);
        }
        if (found) {
            s->result->pid = child->pid;
            break;
        }
    }
    spin_unlock(&family_lock);
    s->error = is_any ? 0 : -ECHILD;
    return found || !is_any;
}

static void reap(struct process *self, struct process *zombie)
{
    mutex_lock(&self->lock);
    process_add_usage(&self->children_usage, &zombie->dead_usage);
    process_add_usage(&self->children_usage, &zombie->children_usage);
    mutex_unlock(&self->lock);
    pid_remove_process(zombie);
    process_put(zombie);
}

long process_wait(int which, int id, int options, struct wait_result *r)
{
    struct process *self = current_process();
    struct search s = {.self = self, .which = which, .id = id, .options = options, .result = r};
    *r = (struct wait_result){0};
    if (options & WNOHANG)
        search_children(&s);
    else if (WAIT_EVENT(&self->wait_children, search_children(&s), WAIT_INTERRUPTIBLE, TIME_NEVER))
        return -ERESTARTSYS;
    if (s.zombie)
        reap(self, s.zombie);
    return s.error;
}
