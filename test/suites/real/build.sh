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
# need NAME [FILE]: the binary goes to $out; the rest of the function runs only when it is not there yet.
need() {
    out=$cache/real/$1-${version#*:}/${2:-$1}
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
# in_copy NAME COMMAND: a shell's COMMAND in a copy of the source of NAME, with $CC and $CFLAGS for static programs on
# musl, and Linux's own headers behind musl's.
in_copy() {
    source_of "$1"
    work=$(dirname "$out")/work
    uapi=$(dirname "$out")/uapi
    rm -rf "$work" "$uapi"
    mkdir -p "$uapi"
    ln -s /usr/include/linux /usr/include/asm-generic "$uapi"
    ln -s "/usr/include/$(gcc -print-multiarch)/asm" "$uapi"
    cp -a "$tree" "$work"
    # Debian's patches are newer than what autoconf made of the files that they change, which is good as it is.
    find "$work" \( -name aclocal.m4 -o -name configure -o -name '*.in' \) -exec touch {} +
    (cd "$work" && CC=$compiler CFLAGS="-O1 -idirafter $uapi" sh -euc "$2") >>"$log" 2>&1 ||
        die "$1 does not build: see $log"
}
jobs=$(nproc)
export jobs

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

# The server, its own clients, and all of them in one program: redis_pair.c says why.
build_redis() {
    candidate redis
    need redis "$name"
    in_copy redis 'make -C src -j"$jobs" CC="$CC" CFLAGS="$CFLAGS" OPTIMIZATION=-O1 DEBUG= MALLOC=libc USE_SYSTEMD=no \
        LDFLAGS=-static V=1 redis-server redis-cli redis-benchmark'
    cd "$work/src"
    for part in server cli benchmark; do
        # shellcheck disable=SC2046
        ld -r -o "$part.all" $(sed -n "s/.* -o redis-$part \(.*\)/\1/p" "$log" | tr ' ' '\n' | grep '\.[oa]$') >>"$log" 2>&1 &&
            objcopy --redefine-sym "main=${part}_main" --keep-global-symbol="${part}_main" "$part.all" ||
            die "redis's $part cannot be linked into one: see $log"
    done
    "$compiler" -static -O1 -Wall -o redis-pair "$root/test/suites/real/redis_pair.c" ./*.all -lm -pthread >>"$log" 2>&1 ||
        die "redis-pair does not build: see $log"
    # Its tests take programs of src/ for granted, and find their own way from there.
    cp -r ../tests ../redis.conf redis-server redis-cli redis-benchmark redis-pair "$(dirname "$out")"
    mkdir -p "$(dirname "$out")/src"
    ln -f "$(dirname "$out")"/redis-* "$(dirname "$out")/src"
    mv "$(dirname "$out")/$name" "$out.new"
}

# Of several versions whose source is named the newest may be gone.  Debian's musl has neither crypt.h nor crypt(), which
# only the module left out here calls.
build_nginx() {
    candidate nginx
    for version in $version $(apt-cache showsrc nginx 2>/dev/null | sed -n 's/^Version: //p' | sort -Vru) 1.22.1-9+deb12u9; do
        (need nginx >/dev/null; source_of nginx) >/dev/null 2>&1 && break
    done
    need nginx
    extra=$(dirname "$out")/extra
    mkdir -p "$extra"
    export extra
    : >"$extra/crypt.h"
    printf '#include <errno.h>\nchar *crypt(const char *key, const char *salt) { errno = ENOSYS; return 0; }\n' >"$extra/crypt.c"
    in_copy nginx '$CC -c -o "$extra/crypt.o" "$extra/crypt.c" && ./configure --with-cc="$CC" --with-cc-opt="$CFLAGS -I$extra" \
        --with-ld-opt="-static $extra/crypt.o" --with-threads --without-pcre --without-http_rewrite_module \
        --without-http_gzip_module --without-http_auth_basic_module --prefix=/ --conf-path=/etc/nginx/nginx.conf \
        --error-log-path=stderr --http-log-path=/dev/null --pid-path=/tmp/nginx.pid --lock-path=/tmp/nginx.lock \
        --http-client-body-temp-path=/tmp/body --http-proxy-temp-path=/tmp/proxy --http-fastcgi-temp-path=/tmp/fastcgi \
        --http-uwsgi-temp-path=/tmp/uwsgi --http-scgi-temp-path=/tmp/scgi && make -j"$jobs"'
    mv "$work/objs/nginx" "$out.new"
}

build_zstd() {
    candidate libzstd1
    need libzstd zstd
    in_copy libzstd 'make -C programs -j"$jobs" CFLAGS="$CFLAGS" LDFLAGS=-static HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 zstd'
    mv "$work/programs/zstd" "$out.new"
}

build_xz() {
    candidate xz-utils
    need xz-utils xz
    in_copy xz-utils './configure --disable-shared --disable-nls --disable-doc --disable-scripts --disable-xzdec \
        --disable-lzmadec --disable-lzmainfo --disable-lzma-links && make -C src -j"$jobs" LDFLAGS=-all-static'
    mv "$work/src/xz/xz" "$out.new"
}

build_mawk() {
    candidate mawk
    need mawk
    in_copy mawk 'LDFLAGS=-static ./configure && make -j"$jobs"'
    mv "$work/mawk" "$out.new"
}

# With its source beside it, which is what it compiles.
build_tcc() {
    candidate tcc
    need tcc
    in_copy tcc './configure --cc="$CC" --extra-cflags=-O1 --extra-ldflags=-static --config-musl && make -j"$jobs" tcc'
    rm -rf "$(dirname "$out")/source"
    mkdir "$(dirname "$out")/source"
    cp -r "$work"/*.[ch] "$work"/*.def "$work/include" "$(dirname "$out")/source"
    mv "$work/tcc" "$out.new"
}

# SQLite's own tests: a Tcl interpreter (Debian's static library, on glibc) with SQLite and its test code in it, and
# beside it the tests and Tcl's library, for the guest's root.
build_testfixture() {
    candidate sqlite3
    need sqlite3-tests testfixture
    source_of sqlite3
    library=$(dpkg -L tcl8.6-dev 2>/dev/null | grep '/libtcl8.6.a$') || die "apt-get install tcl8.6-dev tcl"
    work=$(dirname "$out")/work
    rm -rf "$work" "$(dirname "$out")/root"
    mkdir -p "$work" "$(dirname "$out")/root/sqlite"
    # shellcheck disable=SC2016
    (cd "$work" && "$tree/configure" CFLAGS=-O1 --disable-readline --disable-shared &&
        make testfixture LTLINK='$(TCC) -static -w' LIBTCL="$library -lz -ldl -lpthread -lm") >>"$log" 2>&1 ||
        die "testfixture does not build: see $log"
    cp -r "$tree/test" "$tree/ext" "$(dirname "$out")/root/sqlite"
    cp -rL /usr/share/tcltk/tcl8.6 "$(dirname "$out")/root/tcl"
    # Large, and no test that runs here reads them.
    (cd "$(dirname "$out")/root" && rm -rf sqlite/test/fuzzdata* sqlite/ext/wasm tcl/tzdata)
    mv "$work/testfixture" "$out.new"
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
redis-server | redis-cli | redis-benchmark | redis-pair) build_redis ;;
zstd | xz | mawk | tcc | testfixture | nginx) "build_$name" ;;
shfmt | gojq) take_binary "$name" ;;
busybox)
    [ -x /bin/busybox ] || die "apt-get install busybox-static"
    echo /bin/busybox
    exit 0
    ;;
*) die "no such program: $name" ;;
esac
rm -rf "$(dirname "$out")/work"
mv "$out.new" "$out"
echo "$out"
