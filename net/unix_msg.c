/* Messages of AF_UNIX, and who pays for them.
 *
 * A message's memory is charged to its sender with what it would cost on Linux (a header of 256 bytes and the data's
 * memory in powers of two), because programs see it: how much fits before a write blocks, when poll says writable. */
#include <base/string.h>
#include <core/page.h>
#include <unix.h>

#define HEADER_COST 256u /* struct sk_buff */
#define TAIL_COST   320u /* struct skb_shared_info, behind the data */

static uint32_t true_size(size_t head, size_t pages)
{
    size_t size = 512;
    if (likely(head <= UNIX_SHORT))
        return HEADER_COST + 512;
    while (size < head + TAIL_COST)
        size *= 2;
    return HEADER_COST + size + ALIGN_UP(pages, PAGE_SIZE);
}

static unsigned order_of(size_t n)
{
    unsigned order = 0;
    while ((PAGE_SIZE << order) < n)
        order++;
    return order;
}

static bool has_room(struct unix_sock *u)
{
    return atomic_load(&u->wmem) < u->s.sndbuf || (atomic_load(&u->s.shut) & SHUT_SEND) ||
           atomic_load(&u->s.error);
}

static __attribute__((noinline)) int wait_for_memory(struct unix_sock *u, uint64_t deadline)
{
    for (;;) {
        int ret = socket_take_error(&u->s);
        if (ret < 0)
            return ret;
        if (atomic_load(&u->s.shut) & SHUT_SEND)
            return -EPIPE;
        if (atomic_load(&u->wmem) < u->s.sndbuf)
            return 0;
        ret = SOCKET_WAIT(&u->s.write_wait, has_room(u), deadline);
        if (ret < 0)
            return ret;
    }
}

/* Memory for a message with `head` bytes in it. */
static inline struct unix_msg *alloc(struct unix_sock *u, size_t head)
{
    struct unix_msg *m;
    bool is_short = head <= UNIX_SHORT;
    if (is_short && (m = atomic_swap(&u->spare, NULL)))
        return m;
    m = heap_alloc(sizeof(*m) + (is_short ? UNIX_SHORT : head));
    if (m)
        m->is_short = is_short;
    return m;
}

int unix_msg_new(struct unix_sock *u, size_t n, size_t max_head, uint64_t deadline,
                 struct unix_msg **out)
{
    if (unlikely(atomic_load(&u->wmem) >= u->s.sndbuf || atomic_load(&u->s.shut) ||
                 atomic_load(&u->s.error))) {
        int ret = wait_for_memory(u, deadline);
        if (ret < 0)
            return ret;
    }
    size_t head = MIN(n, max_head);
    struct unix_msg *m = alloc(u, head);
    if (!m)
        return -ENOBUFS;
    m->pages = NULL;
    if (unlikely(n > head)) {
        m->pages = page_alloc(order_of(n - head), PG_MAY_FAIL);
        if (!m->pages) {
            heap_free(m);
            return -ENOBUFS;
        }
    }
    m->sender = u;
    unix_get(u);
    m->rights = NULL;
    m->has_cred = false;
    m->len = n;
    m->head_len = head;
    m->offset = 0;
    m->truesize = true_size(head, n - head);
    atomic_add(&u->wmem, m->truesize);
    *out = m;
    return 0;
}

int unix_msg_fill(struct unix_msg *m, struct iobuf *from)
{
    if (iobuf_get(from, m->head, m->head_len) != (ssize_t)m->head_len)
        return -EFAULT;
    size_t rest = m->len - m->head_len;
    if (rest > 0 && iobuf_get(from, page_ptr(m->pages), rest) != (ssize_t)rest)
        return -EFAULT;
    return 0;
}

ssize_t unix_msg_copy(struct unix_msg *m, size_t offset, size_t n, struct iobuf *to)
{
    size_t done = 0;
    if (offset < m->head_len) {
        size_t step = MIN(n, m->head_len - offset);
        ssize_t ret = iobuf_put(to, m->head + offset, step);
        if (ret < 0 || (size_t)ret < step)
            return -EFAULT;
        done = step;
    }
    if (done < n) {
        const char *pages = page_ptr(m->pages);
        ssize_t ret = iobuf_put(to, pages + (offset + done - m->head_len), n - done);
        if (ret < 0 || (size_t)ret < n - done)
            return -EFAULT;
    }
    return n;
}

void unix_msg_free(struct unix_msg *m)
{
    struct unix_sock *sender = m->sender;
    if (unlikely(m->rights))
        unix_rights_drop(m->rights);
    if (unlikely(m->pages))
        page_put(m->pages);
    atomic_add(&sender->wmem, -m->truesize);
    if (unix_is_writable(sender))
        socket_wake_writers(&sender->s);
    if (likely(m->is_short))
        m = atomic_swap(&sender->spare, m);
    if (m)
        heap_free(m);
    unix_put(sender);
}

void unix_dequeue(struct unix_sock *u, struct unix_msg *m)
{
    spin_lock(&u->lock);
    list_remove(&m->node);
    u->nr_queued--;
    u->bytes_queued -= m->len - m->offset;
    spin_unlock(&u->lock);
}

/* --- what comes with the data -------------------------------------------------------------------------- */

static bool wants_cred(const struct unix_sock *u)
{
    return atomic_load(&u->s.flags) & (1u << SOCKET_PASSCRED);
}

void unix_msg_sign(struct unix_msg *m, const struct socket_msg *sm, const struct unix_sock *to)
{
    if (sm->control && sm->control->has_cred) {
        m->cred = sm->control->cred;
    } else if (wants_cred(m->sender) || !to || wants_cred(to) || !to->s.file) {
        /* A socket that was not accepted yet may still come to want them. */
        struct net_caller c;
        net_get_caller(&c);
        m->cred = (struct socket_cred){c.pid, c.cred->uid, c.cred->gid};
    } else {
        return;
    }
    m->has_cred = true;
}

#define OVERFLOW_ID 65534 /* nobody: the message was sent before anyone asked */

void unix_give_cred(struct socket_msg *sm, struct unix_sock *u, const struct unix_msg *m)
{
    static const struct socket_cred unknown = {0, OVERFLOW_ID, OVERFLOW_ID};
    if (!wants_cred(u))
        return;
    const struct socket_cred *cred = m->has_cred ? &m->cred : &unknown;
    if (!sm->control || !sm->control->emit(sm->control, 1, SCM_CREDENTIALS, cred, sizeof(*cred)))
        sm->out_flags |= MSG_CTRUNC;
}

bool unix_give_rights(struct socket_msg *sm, struct unix_msg *m)
{
    if (likely(!m->rights))
        return false;
    struct socket_rights *r;
    if (sm->flags & MSG_PEEK) {
        r = sm->control ? unix_rights_peek(m->rights) : NULL;
    } else {
        r = m->rights;
        m->rights = NULL;
        unix_rights_receive(r);
    }
    if (r && sm->control && !sm->control->rights) {
        sm->control->rights = r;
    } else {
        sm->out_flags |= MSG_CTRUNC;
        sm->dropped = r;
    }
    return true;
}
