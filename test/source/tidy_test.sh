#!/bin/sh
# tidy_test.sh CONFIG: clang-tidy with CONFIG does find a function of more than 60 lines, in a header of ours as well, and a
# value that nobody filled in; and has nothing to say of a function of 60 lines.
set -eu
config=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/kernel"

# lines COUNT: so many statements.
lines() {
    i=0
    while [ "$i" -lt "$1" ]; do
        echo "    x += $i;"
        i=$((i + 1))
    done
}

# expect STATUS CHECK FILE
expect() {
    status=0
    output=$(clang-tidy --quiet --config-file="$config" "$dir/kernel/$3" -- 2>&1) || status=1
    if [ $status != "$1" ] || { [ "$1" = 1 ] && ! echo "$output" | grep -q "$2"; }; then
        echo "$3: $output"
        exit 1
    fi
}

cd "$dir/kernel"
# clang-tidy counts the lines from one brace to the other.
{ echo 'int most(int x) {'; lines 58; echo '    return x;'; echo '}'; } >most.c
{ echo 'int long_one(int x) {'; lines 59; echo '    return x;'; echo '}'; } >long.c
{ echo 'static inline int long_one(int x) {'; lines 59; echo '    return x;'; echo '}'; } >long.h
printf '#include "long.h"\nint f(int x) { return long_one(x); }\n' >header.c
printf 'void use(int);\nvoid f(int x) { int v; if (x) v = 1; use(v); }\n' >value.c
expect 0 '' most.c
expect 1 'long.c.*readability-function-size' long.c
expect 1 'long.h.*readability-function-size' header.c
expect 1 clang-analyzer-core.CallAndMessage value.c
echo "clang-tidy finds what it should"
