#!/bin/sh
# run.sh IMAGE CPUS: boots the ring-0 tests, prints their log; status 0 when the machine says that all passed.
log=$(timeout -s KILL 250 qemu-system-x86_64 -M microvm,acpi=off,pit=off,pic=off,rtc=on -accel tcg,thread=multi -cpu max \
    -smp "$2" -m 256M -nodefaults -no-user-config -display none -no-reboot -serial stdio \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$1" </dev/null 2>&1)
status=$?
printf '%s\n' "$log"
[ $status = 1 ] && printf '%s\n' "$log" | grep -q ' 0 failed'
