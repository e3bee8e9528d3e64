/* Signal structures between the two ABIs and the kernel. */
#include "abi_signal.h"

#include "abi.h"

#include <linux/signal.h>

static int get_sigaction_32(struct uptr p, struct sigaction_k *a)
{
    union i386_sigaction user;
    if (user_get(p, &user))
        return -EFAULT;
    *a = (struct sigaction_k){
        .handler = user.handler,
        .flags = user.flags,
        .restorer = user.restorer,
        .mask = (uint64_t)user.mask_high << 32 | user.mask_low,
        .is_i386 = true,
    };
    return 0;
}

static int put_sigaction_32(struct uptr p, const struct sigaction_k *a)
{
    union i386_sigaction user;
    user.handler = (uint32_t)a->handler;
    user.flags = (uint32_t)a->flags;
    user.restorer = (uint32_t)a->restorer;
    user.mask_low = (uint32_t)a->mask;
    user.mask_high = (uint32_t)(a->mask >> 32);
    return user_put(p, &user);
}

int user_get_sigaction(struct uptr p, struct sigaction_k *a)
{
    if (caller_is_i386())
        return get_sigaction_32(p, a);
    struct sigaction user;
    if (user_get(p, &user))
        return -EFAULT;
    *a = (struct sigaction_k){
        .handler = (uintptr_t)user.sa_handler,
        .flags = user.sa_flags,
        .restorer = (uintptr_t)user.sa_restorer,
        .mask = user.sa_mask,
    };
    return 0;
}

int user_put_sigaction(struct uptr p, const struct sigaction_k *a)
{
    if (caller_is_i386())
        return put_sigaction_32(p, a);
    struct sigaction user = {
        .sa_handler = (__sighandler_t)a->handler,
        .sa_flags = a->flags,
        .sa_restorer = (__sigrestore_t)a->restorer,
        .sa_mask = a->mask,
    };
    return user_put(p, &user);
}

static int get_altstack_32(struct uptr p, struct sigaltstack_state *s)
{
    union i386_stack user;
    if (user_get(p, &user))
        return -EFAULT;
    *s = (struct sigaltstack_state){.sp = user.ss_sp, .size = user.ss_size, .flags = user.ss_flags};
    return 0;
}

static int put_altstack_32(struct uptr p, const struct sigaltstack_state *s)
{
    union i386_stack user;
    user.ss_sp = (uint32_t)s->sp;
    user.ss_flags = s->flags;
    user.ss_size = (uint32_t)s->size;
    return user_put(p, &user);
}

int user_get_altstack(struct uptr p, struct sigaltstack_state *s)
{
    if (caller_is_i386())
        return get_altstack_32(p, s);
    stack_t user;
    if (user_get(p, &user))
        return -EFAULT;
    *s = (struct sigaltstack_state){
        .sp = (uintptr_t)user.ss_sp, .size = user.ss_size, .flags = user.ss_flags};
    return 0;
}

int user_put_altstack(struct uptr p, const struct sigaltstack_state *s)
{
    if (caller_is_i386())
        return put_altstack_32(p, s);
    stack_t user;
    __builtin_memset(&user, 0, sizeof(user)); /* its padding leaves the kernel too */
    user.ss_sp = (void *)s->sp;
    user.ss_size = s->size;
    user.ss_flags = s->flags;
    return user_put(p, &user);
}

int user_get_siginfo(struct uptr p, siginfo_t *info)
{
    union i386_siginfo small;
    if (caller_is_i386()) {
        if (user_get(p, &small))
            return -EFAULT;
        signal_info_from_i386(info, &small);
        return 0;
    }
    return user_read(info, p, SIGINFO_USED);
}

int user_put_siginfo(struct uptr p, const siginfo_t *info)
{
    siginfo_t user = {0};
    union i386_siginfo small;
    if (caller_is_i386()) {
        signal_info_to_i386(&small, info);
        return user_put(p, &small);
    }
    siginfo_copy(&user, info);
    return user_put(p, &user);
}
