#!/bin/sh
# build.sh NAME: one real program as a static binary, built once from Debian's source (or taken from Debian's
# package when that is static already); prints its path.  Everything lives in the cache, outside the tree.
set -eu
name=$1
root=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${YOLK_DEPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/yolk}

die() { echo "build.sh: $*" >&2; exit 1; }
candidate() {
    version=$(apt-cache policy "$1" | awk '/Candidate:/ { print $2 }')
    [ -n "$version" ] && [ "$version" != "(none)" ] || die "Debian has no package $1 here: apt-get update?"
}
# For i386 (NAME-32): musl built for it, and a compiler that uses it.
compiler=musl-gcc
case $name in
*-32)
    sh "$root/cmake/deb_source.sh" musl 1.2.3-1 "$cache" >/dev/null 2>&1 || die "cannot fetch musl"
    compiler=$(sh "$root/test/musl_i386.sh" "$cache/musl-1.2.3-1" "$cache") || die "musl does not build for i386"
    ;;
esac
# The binary goes to $out; the rest of the function runs only when it is not there yet.
need() {
    out=$cache/real/$1-$version/$1
    if [ -x "$out" ]; then
        echo "$out"
        exit 0
    fi
    mkdir -p "$(dirname "$out")"
    log=$(dirname "$out")/build.log
}
source_of() {
    sh "$root/cmake/deb_source.sh" "$1" "$version" "$cache" >"$log" 2>&1 || die "cannot fetch $1: see $log"
    tree=$cache/$1-$version
}

build_lua() {
    candidate lua5.4
    need "$name"
    source_of lua5.4
    # Debian's luaconf.h wants a header that its build makes.
    echo '#define DEB_HOST_MULTIARCH "x86_64-linux-gnu"' >"$(dirname "$out")/lua5.4-deb-multiarch.h"
    # shellcheck disable=SC2046
    "$compiler" -static -O2 -std=gnu99 -DLUA_USE_POSIX -DLUA_COMPAT_5_3 -I"$(dirname "$out")" -o "$out.new" \
        $(ls "$tree"/src/*.c | grep -v /luac.c) -lm >>"$log" 2>&1 || die "lua does not build: see $log"
}

build_sqlite() {
    candidate sqlite3
    need "$name"
    source_of sqlite3
    work=$(dirname "$out")/work
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && "$tree/configure" --disable-tcl --disable-readline && make sqlite3.c shell.c) \
        >>"$log" 2>&1 || die "sqlite3's amalgamation cannot be made: see $log"
    "$compiler" -static -O1 -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -o "$out.new" \
        "$work/sqlite3.c" "$work/shell.c" -lm >>"$log" 2>&1 || die "sqlite3 does not build: see $log"
    rm -rf "$work"
}

# Go programs of Debian's are static as they are.
take_binary() {
    candidate "$1"
    need "$1"
    work=$(dirname "$out")/work
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && apt-get -qq -o APT::Sandbox::User= download "$1=$version" && dpkg-deb -x ./*.deb .) \
        >"$log" 2>&1 || die "cannot fetch $1: see $log"
    cp "$work/usr/bin/$1" "$out.new"
    rm -rf "$work"
}

case $name in
lua | lua-32) build_lua ;;
sqlite3 | sqlite3-32) build_sqlite ;;
shfmt | gojq) take_binary "$name" ;;
busybox)
    [ -x /bin/busybox ] || die "apt-get install busybox-static"
    echo /bin/busybox
    exit 0
    ;;
*) die "no such program: $name" ;;
esac
mv "$out.new" "$out"
echo "$out"
