/* The layouts of the i386 ABI, as the compiler sees them: Linux's own headers under -m32.
 *
 * This file is never linked.  It is compiled to assembly, in which the strings that start with "->" are the body of a
 * generated header, <i386/layout.h>: a union i386_NAME for each structure, its fields where an i386 program has them
 * (cmake/i386.cmake).  The few structures that Linux does not export are in layout_types.h; the compiler lays them out
 * like all others.  (Strings, because clang reads what it is given to put into assembly.) */
#include "layout_types.h"

/* --- the generated text ---------------------------------------------------------------------------- */

#define LINE(format, ...) __asm__ volatile(".ascii \"->" format "\"" ::__VA_ARGS__)
#define NUMBER(value)     "i"((long)(value))
#define BEGIN(name, type)   \
    typedef type name##_t_; \
    void put_##name(void)   \
    {                       \
        LINE("I386_BEGIN(" #name ")");
#define FIELD(name, field, path)                                                     \
    LINE("I386_FIELD(" #field ", %c0, %c1, %c2)", NUMBER(offsetof(name##_t_, path)), \
         NUMBER(sizeof(((name##_t_ *)0)->path)),                                     \
         NUMBER((__typeof__(((name##_t_ *)0)->path))-1 < (__typeof__(((name##_t_ *)0)->path))0));
#define BYTES(name, field, path)                                                \
    LINE("I386_BYTES(" #field ", %c0, %c1)", NUMBER(offsetof(name##_t_, path)), \
         NUMBER(sizeof(((name##_t_ *)0)->path)));
#define END(name)                                     \
    LINE("I386_END(%c0)", NUMBER(sizeof(name##_t_))); \
    }
#define CONSTANT(name)                                       \
    void put_##name(void)                                    \
    {                                                        \
        LINE("I386_CONSTANT(" #name ", %c0)", NUMBER(name)); \
    }
#include "layout.def"
