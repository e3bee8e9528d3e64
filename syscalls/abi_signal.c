/* Signal structures between the x86-64 ABI and the kernel. */
#include "abi_signal.h"

#include <linux/signal.h>

int user_get_sigaction(struct uptr p, struct sigaction_k *a)
{
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
    struct sigaction user = {
        .sa_handler = (__sighandler_t)a->handler,
        .sa_flags = a->flags,
        .sa_restorer = (__sigrestore_t)a->restorer,
        .sa_mask = a->mask,
    };
    return user_put(p, &user);
}

int user_get_altstack(struct uptr p, struct sigaltstack_state *s)
{
    stack_t user;
    if (user_get(p, &user))
        return -EFAULT;
    *s = (struct sigaltstack_state){
        .sp = (uintptr_t)user.ss_sp, .size = user.ss_size, .flags = user.ss_flags};
    return 0;
}

int user_put_altstack(struct uptr p, const struct sigaltstack_state *s)
{
    stack_t user;
    __builtin_memset(&user, 0, sizeof(user)); /* its padding leaves the kernel too */
    user.ss_sp = (void *)s->sp;
    user.ss_size = s->size;
    user.ss_flags = s->flags;
    return user_put(p, &user);
}

int user_get_siginfo(struct uptr p, siginfo_t *info)
{
    return user_read(info, p, SIGINFO_USED);
}

int user_put_siginfo(struct uptr p, const siginfo_t *info)
{
    siginfo_t user = {0};
    siginfo_copy(&user, info);
    return user_put(p, &user);
}
