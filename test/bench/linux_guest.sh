#!/bin/sh
# linux_guest.sh deb|micro: prints the path of a Linux kernel to compare with, fetched or built on first use.
#
#   deb    Debian's linux-image-cloud-amd64, as it is packaged
#   micro  the smallest Linux with the same uses: Debian's linux-source, tinyconfig and micro.config beside this file
#
# Kept in ${YOLK_DEPS_CACHE:-${XDG_CACHE_HOME:-~/.cache}/yolk}/linux.  Building micro takes about five minutes on two idle cores and needs flex, bison, bc and libelf-dev.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${YOLK_DEPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/yolk}/linux
mkdir -p "$cache"
exec 9>"$cache/.lock-$1"
flock 9

say() {
    printf 'yolk: %s\n' "$*" >&2
}

# Downloads the newest version of package $1 into the current folder and unpacks it below $2.
unpack() {
    apt-get -qq -o APT::Sandbox::User= download "$1" >&2
    dpkg-deb -x "$1"_*.deb "$2"
    rm -f "$1"_*.deb
}

# The package that the metapackage $1 stands for.
behind() {
    apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-[^ ]*\)$/\1/p' | head -n 1
}

work=$cache/work-$1
case $1 in
deb)
    if ! [ -e "$cache/deb/vmlinuz" ]; then
        rm -rf "$work"
        mkdir -p "$work" "$cache/deb"
        cd "$work"
        package=$(behind linux-image-cloud-amd64)
        say "fetching $package"
        unpack "$package" .
        mv boot/vmlinuz-* "$cache/deb/vmlinuz"
        rm -rf "$work"
    fi
    echo "$cache/deb/vmlinuz"
    ;;
micro)
    if ! cmp -s "$here/micro.config" "$cache/micro/micro.config"; then
        for tool in flex bison bc; do
            command -v $tool >/dev/null || {
                say "building micro needs more: apt-get install flex bison bc libelf-dev"
                exit 1
            }
        done
        rm -rf "$work" "$cache/micro"
        mkdir -p "$work" "$cache/micro"
        cd "$work"
        package=$(behind linux-source)
        say "building the smallest Linux from $package: some minutes, once"
        unpack "$package" .
        tar xJf usr/src/linux-source-*.tar.xz
        cd linux-source-*/
        {
            make -s tinyconfig &&
                ./scripts/kconfig/merge_config.sh -m .config "$here/micro.config" &&
                make -s olddefconfig &&
                make -j"$(nproc)" vmlinux
        } >"$cache/micro/build.log" 2>&1 || {
            tail -n 20 "$cache/micro/build.log" >&2
            say "micro could not be built; the whole log is in $cache/micro/build.log"
            exit 1
        }
        strip -o "$cache/micro/vmlinux" vmlinux
        cp .config "$cache/micro/config"
        cp "$here/micro.config" "$cache/micro/micro.config"
        rm -rf "$work"
    fi
    echo "$cache/micro/vmlinux"
    ;;
*)
    say "linux_guest.sh deb|micro"
    exit 2
    ;;
esac
