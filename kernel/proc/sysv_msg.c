/* System V message queues.
 *
 * Senders and receivers sleep on their queue's wait queues and look again when something has changed; a queue that is
 * removed while somebody sleeps on it lives on until the last has noticed. */
#include "sysv_private.h"

#include <base/string.h>
#include <core/heap.h>
#include <linux/msg.h>
#include <linux/stat.h>
#include <proc/cred.h>

#define IPC_NOWAIT_ 04000

struct message {
    struct list node;
    long type;
    size_t size;
    char text[];
};

struct msg_queue {
    struct sysv_object head;
    struct list messages;
    uint64_t nr, bytes, most_bytes;
    int64_t stime, rtime, ctime;
    int lspid, lrpid;
    uint32_t changes; /* atomic: counts what sleepers must look at */
    struct waitq wait;
};

static struct sysv_table queues;

void msg_init(void)
{
    sysv_table_init(&queues);
}

static struct msg_queue *queue_of(struct sysv_object *o)
{
    return container_of(o, struct msg_queue, head);
}

static void queue_put(struct msg_queue *q)
{
    struct message *m, *next;
    if (!ref_put(&q->head.ref))
        return;
    list_for_each_safe(m, next, &q->messages, node)
        heap_free(m);
    heap_free(q);
}

static void changed(struct msg_queue *q)
{
    atomic_add(&q->changes, 1);
    waitq_wake_all(&q->wait);
}

/* Called and left with the lock: 0 when the queue is to be looked at again, -EIDRM, -ERESTARTNOHAND. */
static long sleep_on(struct msg_queue *q)
{
    uint32_t seen = atomic_load(&q->changes);
    ref_get(&q->head.ref);
    mutex_unlock(&queues.lock);
    int ret =
        WAIT_EVENT(&q->wait, atomic_load(&q->changes) != seen, WAIT_INTERRUPTIBLE, TIME_NEVER);
    mutex_lock(&queues.lock);
    bool is_removed = q->head.is_removed;
    queue_put(q);
    return is_removed ? -EIDRM : ret < 0 ? -ERESTARTNOHAND : 0;
}

static long make(int key, int flags)
{
    struct msg_queue *q = heap_zalloc(sizeof(*q));
    if (!q)
        return -ENOMEM;
    ref_init(&q->head.ref);
    list_init(&q->messages);
    waitq_init(&q->wait);
    q->most_bytes = MSG_QUEUE_BYTES;
    q->ctime = sysv_now();
    long id = sysv_add(&queues, &q->head, key, flags);
    if (id < 0)
        heap_free(q);
    return id;
}

long msg_get(int key, int flags)
{
    struct sysv_object *o;
    mutex_lock(&queues.lock);
    long ret = sysv_find_key(&queues, key, flags, &o);
    if (!o)
        ret = key == IPC_PRIVATE || flags & IPC_CREAT ? make(key, flags) : ret;
    else if (ret >= 0 && sysv_may(o, (unsigned)flags & 0700) < 0)
        ret = -EACCES;
    mutex_unlock(&queues.lock);
    return ret;
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool has_room(const struct msg_queue *q, size_t size)
{
    return size + q->bytes <= q->most_bytes && q->nr + 1 <= q->most_bytes;
}

static long send_locked(int id, struct message *m, int flags)
{
    struct sysv_object *o = sysv_find(&queues, id);
    if (!o)
        return -EINVAL;
    struct msg_queue *q = queue_of(o);
    for (;;) {
        long ret = sysv_may(o, S_IWUSR);
        if (ret < 0)
            return ret;
        if (has_room(q, m->size))
            break;
        ret = flags & IPC_NOWAIT_ ? -EAGAIN : sleep_on(q);
        if (ret < 0)
            return ret;
    }
    list_push_back(&q->messages, &m->node);
    q->nr++;
    q->bytes += m->size;
    q->stime = sysv_now();
    q->lspid = current_process()->pid;
    changed(q);
    return 0;
}

long msg_send(int id, long type, const void *text, size_t size, int flags)
{
    struct message *m = heap_alloc(sizeof(*m) + size);
    if (!m)
        return -ENOMEM;
    m->type = type;
    m->size = size;
    memcpy(m->text, text, size);
    mutex_lock(&queues.lock);
    long ret = send_locked(id, m, flags);
    mutex_unlock(&queues.lock);
    if (ret < 0)
        heap_free(m);
    return ret;
}

/* --- receiving -------------------------------------------------------------------------------- */

/* The message that msgrcv(2)'s type means; NULL: none. */
static struct message *choose(const struct msg_queue *q, long type, int flags)
{
    struct message *m, *best = NULL;
    /* MSG_COPY: by place. */
    long place = 0, most = type == INT64_MIN ? INT64_MAX : -type;
    list_for_each(m, &q->messages, node) {
        if (flags & MSG_COPY) {
            if (place++ == type)
                return m;
        } else if (type < 0) {
            if (m->type <= most && (!best || m->type < best->type))
                best = m;
        } else if (type == 0 || (flags & MSG_EXCEPT ? m->type != type : m->type == type)) {
            return m;
        }
    }
    return best;
}

static void take_out(struct msg_queue *q, struct message *m)
{
    list_remove(&m->node);
    q->nr--;
    q->bytes -= m->size;
    q->rtime = sysv_now();
    q->lrpid = current_process()->pid;
    changed(q);
}

static long receive_locked(int id, void *text, size_t size, long *type, int flags)
{
    struct sysv_object *o = sysv_find(&queues, id);
    struct message *m;
    if (!o)
        return -EINVAL;
    struct msg_queue *q = queue_of(o);
    for (;;) {
        long ret = sysv_may(o, S_IRUSR);
        if (ret < 0)
            return ret;
        m = choose(q, *type, flags);
        if (m)
            break;
        ret = flags & IPC_NOWAIT_ ? -ENOMSG : sleep_on(q);
        if (ret < 0)
            return ret;
    }
    if (m->size > size && !(flags & MSG_NOERROR))
        return -E2BIG;
    size = MIN(size, m->size);
    memcpy(text, m->text, size);
    *type = m->type;
    if (!(flags & MSG_COPY)) {
        take_out(q, m);
        heap_free(m);
    }
    return (long)size;
}

long msg_receive(int id, void *text, size_t size, long *type, int flags)
{
    if (flags & MSG_COPY && (flags & MSG_EXCEPT || !(flags & IPC_NOWAIT_)))
        return -EINVAL;
    mutex_lock(&queues.lock);
    long ret = receive_locked(id, text, size, type, flags);
    mutex_unlock(&queues.lock);
    return ret;
}

/* --- control ---------------------------------------------------------------------------------- */

long msg_status(int id, enum sysv_stat how, struct msg_stat *st)
{
    struct sysv_object *o;
    mutex_lock(&queues.lock);
    long ret = sysv_find_stat(&queues, id, how, &o);
    if (ret == 0) {
        const struct msg_queue *q = queue_of(o);
        *st = (struct msg_stat){o->perm,  q->stime,      q->rtime, q->ctime, q->nr,
                                q->bytes, q->most_bytes, q->lspid, q->lrpid};
        ret = how == SYSV_BY_ID ? 0 : o->perm.id;
    }
    mutex_unlock(&queues.lock);
    return ret;
}

long msg_change(int id, const struct sysv_owner *owner, uint64_t most_bytes)
{
    mutex_lock(&queues.lock);
    struct sysv_object *o = sysv_find(&queues, id);
    long ret = o ? sysv_may_control(o) : -EINVAL;
    if (ret == 0 && most_bytes > MSG_QUEUE_BYTES && !cred_has_cap(current_cred(), CAP_SYS_RESOURCE))
        ret = -EPERM;
    if (ret == 0)
        ret = sysv_change(o, owner);
    if (ret == 0) {
        queue_of(o)->most_bytes = most_bytes;
        queue_of(o)->ctime = sysv_now();
        changed(queue_of(o)); /* there may be more room */
    }
    mutex_unlock(&queues.lock);
    return ret;
}

long msg_remove(int id)
{
    mutex_lock(&queues.lock);
    struct sysv_object *o = sysv_find(&queues, id);
    long ret = o ? sysv_may_control(o) : -EINVAL;
    if (ret == 0) {
        struct msg_queue *q = queue_of(o);
        sysv_take_out(&queues, o);
        atomic_store(&o->is_removed, true);
        changed(q);
        queue_put(q);
    }
    mutex_unlock(&queues.lock);
    return ret;
}

long msg_info(struct sysv_info *info)
{
    mutex_lock(&queues.lock);
    long ret = sysv_count(&queues, info);
    info->a = info->b = 0;
    for (unsigned i = 0; i < SYSV_SLOTS; i++)
        if (queues.slot[i]) {
            info->a += queue_of(queues.slot[i])->nr;
            info->b += queue_of(queues.slot[i])->bytes;
        }
    mutex_unlock(&queues.lock);
    return ret;
}
