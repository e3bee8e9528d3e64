#!/bin/sh
# build.sh SOURCE PRESET TARGET…: configures a preset as a person would, builds, and fails on any warning.
set -eu
source=$1 preset=$2
shift 2
cd "$source"
log=build/$preset.log
if ! { cmake --preset "$preset" && cmake --build --preset "$preset" --target "$@"; } >"$log" 2>&1; then
    tail -n 40 "$log"
    exit 1
fi
if grep -n 'warning:' "$log"; then
    exit 1
fi
