/* Intrusive doubly linked circular list.  A node belongs to at most one list; the list head is a node of
 * its own.  No locking: the owner of the list says what guards it. */
#pragma once

#include <base/types.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)  \
    {                    \
        &(name), &(name) \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

/* Insert `node` after `at`: at the front when `at` is the head. */
static inline void list_add_after(struct list *at, struct list *node)
{
    node->next = at->next;
    node->prev = at;
    at->next->prev = node;
    at->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_add_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_add_after(head->prev, node);
}

/* Unlink `node` and leave it pointing at itself, so that removing it again does nothing. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Unlink and return the first node, or NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *first = head->next;
    if (first == head)
        return NULL;
    list_remove(first);
    return first;
}

#define list_entry(node, type, member) container_of(node, type, member)

#define list_for_each(it, head, member)                                                 \
    for (it = list_entry((head)->next, __typeof__(*it), member); &it->member != (head); \
         it = list_entry(it->member.next, __typeof__(*it), member))

/* Like list_for_each, and `it` may be unlinked or freed in the body. */
#define list_for_each_safe(it, tmp, head, member)                   \
    for (it = list_entry((head)->next, __typeof__(*it), member),    \
        tmp = list_entry(it->member.next, __typeof__(*it), member); \
         &it->member != (head);                                     \
         it = tmp, tmp = list_entry(it->member.next, __typeof__(*it), member))
