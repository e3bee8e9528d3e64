#!/bin/sh
# calls.sh YOLK PROGRAM SECONDS SEED…: the call fuzzer at 4 CPUs, each seed for that long.  The kernel may not panic,
# hang or keep memory: each of them, and a lock order that is wrong, ends the machine with a status that is not 0.
# When no thread moves, the kernel is asked for a dump while it still hangs.
set -u
yolk=$1 program=$2 seconds=$3
out=/tmp/calls.$$
shift 3
for seed; do
    : >$out
    "$yolk" run -c 4 -m 512M --leak-check --verbose --timeout $((seconds * 2 + 240)) "$program" --seed "$seed" \
        --seconds "$seconds" >$out 2>&1 &
    machine=$!
    (
        until grep -aq 'no thread moves' $out; do sleep 1; done
        kill -USR1 $machine
    ) &
    watcher=$!
    wait $machine
    status=$?
    kill $watcher 2>/dev/null
    if [ $status != 0 ]; then
        grep -av 'virtio\|QEMU:' $out | tail -n 400
        rm -f $out
        echo "seed $seed: status $status"
        exit 1
    fi
    tail -n 1 $out
done
rm -f $out
