#!/bin/sh
# calls.sh YOLK PROGRAM SECONDS SEED…: the call fuzzer at 4 CPUs, each seed for that long.  The kernel may not panic,
# hang or keep memory: each of them, and a lock order that is wrong, ends the machine with a status that is not 0.
set -u
yolk=$1 program=$2 seconds=$3
shift 3
for seed; do
    "$yolk" run -c 4 -m 512M --leak-check --verbose --timeout $((seconds * 2 + 240)) "$program" --seed "$seed" \
        --seconds "$seconds" >/tmp/calls.$$ 2>&1
    status=$?
    if [ $status != 0 ]; then
        grep -v 'virtio\|QEMU:' /tmp/calls.$$ | tail -n 200
        rm -f /tmp/calls.$$
        echo "seed $seed: status $status"
        exit 1
    fi
    tail -n 1 /tmp/calls.$$
done
rm -f /tmp/calls.$$
