/* <i386/layout.h> against Linux's headers, both under -m32: a field at the wrong place does not compile. */
#include "../../arch/x86/i386/layout_types.h"

#include <i386/layout.h>

#define BEGIN(name, type) typedef type name##_t_;
#define SAME(name, field, path)                                                                   \
    _Static_assert(offsetof(union i386_##name, field) == offsetof(name##_t_, path) &&             \
                       sizeof(((union i386_##name *)0)->field) == sizeof(((name##_t_ *)0)->path), \
                   #name "." #field);
#define FIELD(name, field, path) SAME(name, field, path)
#define BYTES(name, field, path) SAME(name, field, path)
#define END(name)                _Static_assert(sizeof(union i386_##name) == sizeof(name##_t_), #name);
#define CONSTANT(name)           _Static_assert(I386_##name == (int)name, #name);
#include "../../arch/x86/i386/layout.def"

/* What is known from elsewhere: Linux's own assertions, and the i386 psABI. */
_Static_assert(sizeof(union i386_stat) == 64 && sizeof(union i386_stat64) == 96, "stat");
_Static_assert(sizeof(union i386_siginfo) == 128 && sizeof(union i386_sigcontext) == 88, "signals");
_Static_assert(offsetof(union i386_rt_sigframe, info) == 16,
               "the handler's four arguments come first");
_Static_assert(sizeof(union i386_statfs64) == 84 && sizeof(union i386_flock64) == 24, "packed");
