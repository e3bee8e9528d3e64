#!/bin/sh
# build.sh OUTPUT: nginx as a static program; test/suites/real/build.sh keeps it in a cache outside the tree.
set -eu
program=$("$(dirname "$0")/../../../test/suites/real/build.sh" nginx)
cp "$program" "$1.new"
mv "$1.new" "$1"
