/* Callers of custom calls: a header for C (both ABIs, through libc's syscall) and a package for Go (amd64 and 386). */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "customdef.h"
#include "yolk.h"

static FILE *open_stub(const char *path)
{
    FILE *f = fopen(path, "we");

    if (!f)
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
    return f;
}

static void close_stub(FILE *f, const char *path)
{
    bool is_bad = ferror(f);

    if (fclose(f) || is_bad)
        die(STATUS_FAILED, "%s: %s", path, strerror(errno));
}

static void make_directory(const char *dir)
{
    if (mkdir(dir, 0777) && errno != EEXIST)
        die(STATUS_FAILED, "%s: %s", dir, strerror(errno));
}

static enum kind_how how_of(const struct custom_call *c, unsigned i)
{
    return kind_info(c->arg[i].kind)->how;
}

/* --- C -------------------------------------------------------------------------------------------------------------- */

static const char *c_type(const struct custom_call *c, unsigned i)
{
    switch (c->arg[i].kind) {
    case KIND_PATH:
    case KIND_PATHN:
    case KIND_STRING:
        return "const char *";
    case KIND_STROUT:
        return "char *";
    case KIND_IN:
    case KIND_IOV:
    case KIND_SOCKADDR:
    case KIND_TIMEVAL:
    case KIND_TIMESPEC:
        return "const void *";
    case KIND_INTP:
        return "int *";
    case KIND_UINTP:
        return "unsigned *";
    case KIND_WORDP:
        return "long *";
    default:
        return how_of(c, i) == KIND_HOW_UPTR ? "void *" : kind_info(c->arg[i].kind)->type;
    }
}

static void print_c_call(const struct custom_call *c, enum abi abi, FILE *to)
{
    fprintf(to, "    return syscall(SYS_%s", c->name);
    for (unsigned i = 0; i < c->argc; i++) {
        const char *name = c->arg[i].name;
        if (how_of(c, i) == KIND_HOW_UPTR)
            fprintf(to, ", %s", name);
        else if (how_of(c, i) == KIND_HOW_PAIR && abi == ABI_I386)
            fprintf(to, ", (long)%s, (long)(%s >> 32)", name, name);
        else
            fprintf(to, ", (long)%s", name);
    }
    fputs(");\n", to);
}

static void print_c_function(const struct custom_call *c, enum abi abi, FILE *to)
{
    fprintf(to, "\n#define SYS_%s %#x\nstatic inline long %s(", c->name, c->nr[abi], c->name);
    for (unsigned i = 0; i < c->argc; i++) {
        const char *type = c_type(c, i);
        fprintf(to, "%s%s%s%s", i ? ", " : "", type, strchr(type, '*') ? "" : " ", c->arg[i].name);
    }
    fputs(c->argc ? ")\n{\n" : "void)\n{\n", to);
    print_c_call(c, abi, to);
    fputs("}\n", to);
}

static void write_c(const struct custom_def *def, const char *path)
{
    FILE *to = open_stub(path);

    fprintf(to,
            "/* Made by `yolk build --stubs` from %s: do not edit.  Each answers as syscall(2) "
            "does: -1 with errno. */\n"
            "#pragma once\n\n#include <stddef.h>\n#include <stdint.h>\n#include <unistd.h>\n",
            base_name(def->file));
    for (unsigned abi = 0; abi < NR_ABIS; abi++) {
        fputs(abi == ABI_X86_64 ? "\n#ifdef __x86_64__\n" : "\n#ifdef __i386__\n", to);
        for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++)
            if (c->nr[abi])
                print_c_function(c, (enum abi)abi, to);
        fputs("\n#endif\n", to);
    }
    close_stub(to, path);
}

/* --- Go -------------------------------------------------------------------------------------------------------------- */

/* greet_all: GreetAll */
static char *exported(const char *name)
{
    char *s = xstrdup(name), *to = s;
    bool begins = true;

    for (const char *from = name; *from; from++) {
        if (*from == '_') {
            begins = true;
            continue;
        }
        *to++ = begins ? (char)toupper((unsigned char)*from) : *from;
        begins = false;
    }
    *to = 0;
    return s;
}

static bool is_string(const struct custom_call *c, unsigned i)
{
    return c->arg[i].kind == KIND_STRING || c->arg[i].kind == KIND_PATH ||
           c->arg[i].kind == KIND_PATHN;
}

/* A buffer and its length are one slice. */
static bool is_slice(const struct custom_call *c, unsigned i)
{
    return (c->arg[i].kind == KIND_IN || c->arg[i].kind == KIND_OUT) && i + 1 < c->argc &&
           c->arg[i + 1].kind == KIND_LEN;
}

static const char *go_type(const struct custom_call *c, unsigned i)
{
    if (is_string(c, i))
        return "string";
    if (is_slice(c, i))
        return "[]byte";
    switch (c->arg[i].kind) {
    case KIND_INTP:
        return "*int32";
    case KIND_UINTP:
        return "*uint32";
    case KIND_WORDP:
        return "*uintptr";
    default:
        break;
    }
    switch (how_of(c, i)) {
    case KIND_HOW_S32:
        return "int";
    case KIND_HOW_U32:
        return "uint32";
    case KIND_HOW_LONG:
    case KIND_HOW_PAIR:
        return "int64";
    case KIND_HOW_UPTR:
        return "unsafe.Pointer";
    default:
        return "uintptr";
    }
}

/* Names of arguments get an underscore: none is a word of the language, nor another name of the function's. */
static unsigned print_go_words(const struct custom_call *c, enum abi abi, FILE *to)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < c->argc; i++, nr++) {
        const char *name = c->arg[i].name;
        if (is_slice(c, i)) {
            fprintf(to, ", uintptr(first(%s_)), uintptr(len(%s_))", name, name);
            i++;
            nr++;
        } else if (is_string(c, i)) {
            fprintf(to, ", uintptr(unsafe.Pointer(p%u))", i);
        } else if (how_of(c, i) == KIND_HOW_PAIR && abi == ABI_I386) {
            fprintf(to, ", uintptr(uint32(%s_)), uintptr(uint32(%s_ >> 32))", name, name);
            nr++;
        } else if (go_type(c, i)[0] == '*') {
            fprintf(to, ", uintptr(unsafe.Pointer(%s_))", name);
        } else {
            fprintf(to, ", uintptr(%s_)", name);
        }
    }
    return nr;
}

static void print_go_function(const struct custom_call *c, enum abi abi, FILE *to)
{
    const char *result = c->result == RESULT_ADDR ? "uintptr" : "int";

    fprintf(to, "\nfunc %s(", exported(c->name));
    for (unsigned i = 0; i < c->argc; i++) {
        fprintf(to, "%s%s_ %s", i ? ", " : "", c->arg[i].name, go_type(c, i));
        i += is_slice(c, i);
    }
    fprintf(to, ") (%s, error) {\n", result);
    for (unsigned i = 0; i < c->argc; i++)
        if (is_string(c, i))
            fprintf(to,
                    "\tp%u, err := syscall.BytePtrFromString(%s_)\n\tif err != nil {\n\t\treturn "
                    "0, err\n\t}\n",
                    i, c->arg[i].name);
    fprintf(to, "\tr, _, e := syscall.Syscall6(%#x", c->nr[abi]);
    for (unsigned n = print_go_words(c, abi, to); n < SYSCALL_MAX_ARGS; n++)
        fputs(", 0", to);
    fprintf(to, ")\n\tif e != 0 {\n\t\treturn 0, e\n\t}\n\treturn %s(r), nil\n}\n", result);
}

static void write_go(const struct custom_def *def, const char *path, const char *package,
                     enum abi abi)
{
    FILE *to = open_stub(path);

    fprintf(to,
            "// Code generated by yolk build --stubs from %s; DO NOT EDIT.\n\n"
            "// Package %s calls the custom system calls of %s.\npackage %s\n\n"
            "import (\n\t\"syscall\"\n\t\"unsafe\"\n)\n\n"
            "var _ syscall.Errno\n\n"
            "func first(b []byte) unsafe.Pointer {\n\tif len(b) == 0 {\n\t\treturn nil\n\t}\n"
            "\treturn unsafe.Pointer(&b[0])\n}\n",
            base_name(def->file), package, base_name(def->file), package);
    for (const struct custom_call *c = def->calls; c < def->calls + def->nr_calls; c++)
        if (c->nr[abi])
            print_go_function(c, abi, to);
    close_stub(to, path);
}

void custom_write_stubs(const struct custom_def *def, const char *dir, const char *name)
{
    char *go = xasprintf("%s/%s", dir, name);

    make_directory(dir);
    make_directory(go);
    write_c(def, xasprintf("%s/%s.h", dir, name));
    write_go(def, xasprintf("%s/%s_amd64.go", go, name), name, ABI_X86_64);
    write_go(def, xasprintf("%s/%s_386.go", go, name), name, ABI_I386);
}
