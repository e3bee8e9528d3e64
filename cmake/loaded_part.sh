#!/bin/sh
# loaded_part.sh FILE PART: PART is what an ELF file of one segment has in memory, without section headers.  Those of a vDSO
# are for `yolk gdb`, which has the file: programs go by the program headers.  In the image they would be 1,600 bytes.
set -eu
size=$(LC_ALL=C readelf -lW "$1" | awk '$1 == "LOAD" { print $5 }')
case $(LC_ALL=C readelf -h "$1" | awk '$1 == "Class:" { print $2 }') in
ELF64) shoff=40 bytes=8 shnum=60 ;;
ELF32) shoff=32 bytes=4 shnum=48 ;;
esac
head -c $((size)) "$1" >"$2"
dd if=/dev/zero of="$2" bs=1 seek=$shoff count=$bytes conv=notrunc status=none
dd if=/dev/zero of="$2" bs=1 seek=$shnum count=4 conv=notrunc status=none # and e_shstrndx
