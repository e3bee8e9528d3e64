#!/bin/sh
# deb_source.sh NAME VERSION CACHE: unpack the source of a Debian package into CACHE/NAME-VERSION, once.
#
# Works without privileges and touches nothing of the system: the deb-src lines are derived from the machine's own
# deb lines into a private apt configuration, whose lists and downloads live in CACHE.  apt checks the signatures.
set -eu
name=$1 version=$2 cache=$3
target=$cache/$name-$version
[ -e "$target/.complete" ] && exit 0

mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
[ -e "$target/.complete" ] && exit 0

apt=$cache/apt
mkdir -p "$apt/sources" "$apt/lists/partial" "$apt/archives/partial"
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$f" ] && sed -n 's/^deb[[:space:]]/deb-src /p' "$f" >"$apt/sources/$(basename "$f" .list).list"
done
for f in /etc/apt/sources.list.d/*.sources; do
    [ -f "$f" ] && sed 's/^Types:.*/Types: deb-src/' "$f" >"$apt/sources/$(basename "$f")"
done

run_apt() {
    apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$apt/sources" \
        -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt" -o Dir::Cache::Archives="$apt/archives" \
        -o APT::Sandbox::User= "$@"
}
# A list younger than a day is good enough; a pinned version is asked for in any case.
if [ -z "$(find "$apt/lists" -maxdepth 1 -name '*Sources*' -mtime -1 2>/dev/null | head -n 1)" ]; then
    run_apt update
fi
work=$cache/.work-$name
rm -rf "$work" "$target"
mkdir -p "$work"
cd "$work"
run_apt source "$name=$version"
tree=$(find . -mindepth 1 -maxdepth 1 -type d | head -n 1)
[ -n "$tree" ] || { echo "apt-get source $name=$version unpacked nothing" >&2; exit 1; }
mv "$tree" "$target"
touch "$target/.complete"
rm -rf "$work"
