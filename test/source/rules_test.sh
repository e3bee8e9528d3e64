#!/bin/sh
# rules_test.sh RULES CMAKE: each rule of cmake/rules.cmake finds a file that breaks it, and a proper file breaks none.
set -u
rules=$1 cmake=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

# breaks WHAT FILE TEXT: a tree with only that file is refused with those words; WHAT "" is a proper file.
breaks() {
    rm -rf "$dir/tree"
    mkdir -p "$dir/tree/$(dirname "$2")"
    printf '%s\n' "$3" >"$dir/tree/$2"
    if "$cmake" -DSOURCE="$dir/tree" -P "$rules" >"$dir/out" 2>&1; then
        [ -z "$1" ] && return
    elif [ -n "$1" ] && tr -s ' \n' ' ' <"$dir/out" | grep -qF "$1"; then
        return
    fi
    cat "$dir/out"
    echo "$2: '$3' should give '$1'"
    failures=$((failures + 1))
}

breaks "inline assembly" vfs/a.c '    __asm__ volatile("nop");'
breaks "" arch/x86/a.c '    __asm__ volatile("nop");'
breaks "model-specific registers" kernel/core/a.c '    outb(0x80, 1);'
breaks "a prototype belongs in a header" vfs/a.c 'extern int pipe_secret(void);'
breaks "no way up" vfs/a.c '#include "../kernel/core/private.h"'
breaks "only usercopy.c reaches" kernel/proc/a.c '    arch_copy_from_user(a, b, n);'
breaks "looks into a user pointer" vfs/a.c '    memcpy(to, (void *)from.va, n);'
breaks "" kernel/core/usercopy.c '    memcpy(to, (void *)from.va, n);'
breaks "" vfs/a.c '    vm_map(&request.vaddr, p.value);'
breaks "only dispatch.c calls a body" syscalls/a.c '    return sys_read(fd, buf, n);'
breaks "" syscalls/a.c 'long sys_read(int fd, struct uptr buf, size_t n)'
breaks "between the ABIs" vfs/a.c '    if (abi == ABI_I386)'
breaks "" syscalls/abi_file.c '    if (abi == ABI_I386)'

echo "$failures failed"
[ $failures = 0 ]
