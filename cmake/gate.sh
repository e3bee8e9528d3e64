#!/bin/sh
# gate.sh IMAGE [MAX_KIB]: what must be true of the linked kernel, whoever's object files went into it.
#
#   no vector or x87 register outside the FPU switch file, no libc-style canary, no red zone, no writable and executable
#   segment, exactly one PT_NOTE with alignment 4; stripped, no more than MAX_KIB.  One line for each violation; exit status 1
#   if there is any.
set -eu
image=$1
status=0
fail() { echo "gate: $1" >&2; status=1; }

objdump -f "$image" >/dev/null || { fail "objdump cannot read $image"; exit 1; }
bad=$(objdump -d --no-show-raw-insn "$image" | awk '
    /^[0-9a-f]+ <.*>:$/ { name = $2 }
    name ~ /<fpu_/ { next }
    /%[xyz]?mm[0-9]|%st|%fs:0x28|-0x[0-9a-f]+\(%rsp/ { print name, $0 }' | head -n 10)
[ -z "$bad" ] || fail "vector registers, a canary through FS or a red zone in ring 0:
$bad"

readelf -lW "$image" | awk '$1 == "LOAD" && /RWE/ { exit 1 }' || fail "a segment is writable and executable"
notes=$(readelf -lW "$image" | awk '$1 == "NOTE" { n++; align = $NF } END { print n + 0, align }')
[ "$notes" = "1 0x4" ] || fail "want one PT_NOTE with alignment 4, have: $notes"

if [ $# -gt 1 ]; then
    strip -o "$image.stripped" "$image"
    size=$(wc -c <"$image.stripped")
    rm "$image.stripped"
    [ "$size" -le $(($2 * 1024)) ] || fail "$size bytes when stripped, which is more than $2 KiB"
fi
exit $status
