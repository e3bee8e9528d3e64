#!/bin/sh
# custom_link.sh SOURCE KIT WORK: links WORK/kernel.elf of the kit (cmake/custom_kit.cmake), the handlers WORK/body_*.o and what
# `yolk build` generated there: table.o, note.o and `exports`, the names that the table knows.
set -eu
source=$1 kit=$2 work=$3
cc=$(cat "$kit/compiler")

# One object of the handlers with their own copies of memcpy and the like, whose other names nobody sees.
set -- "$work"/body_*.o
[ -e "$1" ] || shift
ld -r -T "$source/cmake/handlers.ld" -o "$work/handlers.o" "$@" "$kit/libhandler_strings.a"
objcopy --keep-global-symbols="$work/exports" "$work/handlers.o"

# symbols NAME [IMAGE]: NAME_symbols.S.o (kernel.ld knows it by its name)
symbols() {
    name=$1
    shift
    sh "$source/cmake/symbols.sh" "$@" >"$work/${name}_symbols.S"
    "$cc" -c "$work/${name}_symbols.S" -o "$work/${name}_symbols.S.o"
}
link() {
    "$cc" "@$kit/link.C.rsp" "@$kit/objects.rsp" "$work/table.o" "$work/note.o" "$work/handlers.o" \
        "$work/$1_symbols.S.o" -o "$work/$2"
}
symbols no
link no first.elf
symbols second "$work/first.elf"
link second kernel.elf
sh "$source/cmake/gate.sh" "$work/kernel.elf"
