#!/bin/sh
# musl_i386.sh SOURCE CACHE: musl for i386 from the unpacked source, built once outside the tree; prints its compiler.
#
# Debian has no such package.  gcc-multilib brings what gcc needs for -m32.
set -eu
source=$1
out=$2/$(basename "$source")-i386
if ! [ -x "$out/i386-gcc" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    {
        CC="gcc -m32" "$source/configure" --target=i386 --disable-shared --enable-wrapper=gcc --prefix="$out"
        make -j2 AR=ar RANLIB=ranlib # configure would name them i386-ar, i386-ranlib
        make install AR=ar RANLIB=ranlib
    } >"$work/log" 2>&1 || {
        tail -n 20 "$work/log" | cut -c 1-300 >&2
        exit 1
    }
    printf '#!/bin/sh\nREALGCC=gcc exec "%s" -m32 -Wl,-melf_i386 "$@"\n' "$out/bin/musl-gcc" >"$work/i386-gcc"
    chmod +x "$work/i386-gcc"
    mv "$work/i386-gcc" "$out/i386-gcc"
fi
echo "$out/i386-gcc"
