# What runs once, or seldom: compiled for size in builds that optimise across files.
#
# Most of what a boot costs under an emulator is translating each instruction the first time it runs, so code that runs
# once is to be short rather than fast; and the image is to stay small.  All of kernel/ above its layers, and kernel/dev,
# are such code too.  What a program can do many times a second does not belong here.
set(YOLK_COLD_LAYERS image dev archdev)
set(YOLK_COLD_SOURCES
  arch/x86/acpi.c arch/x86/boot/bootinfo.c arch/x86/boot/start.c arch/x86/cpu.c arch/x86/cpuinfo.c
  arch/x86/descriptors.c arch/x86/dev/uart.c arch/x86/ioapic.c arch/x86/kvmclock.c arch/x86/machine.c
  arch/x86/mptable.c arch/x86/msi.c arch/x86/paging_kernel.c arch/x86/pci.c arch/x86/platform.c arch/x86/power.c
  arch/x86/serial.c arch/x86/smp.c arch/x86/timeref.c arch/x86/vdso/vdso.c arch/x86/wallclock.c kernel/base/print.c
  kernel/core/log.c kernel/core/sched_settings.c kernel/core/symbols.c kernel/core/vm_advise.c kernel/core/vm_lock.c
  kernel/core/vm_remap.c kernel/core/watchdog.c kernel/proc/elf.c kernel/proc/exec.c kernel/proc/futex_exit.c
  kernel/proc/futex_pi.c kernel/proc/itimers.c kernel/proc/jobs.c kernel/proc/limits.c kernel/proc/posix_timers.c
  kernel/proc/process.c kernel/proc/procfs.c kernel/proc/procfs_fd.c kernel/proc/procfs_maps.c
  kernel/proc/procfs_sys.c kernel/proc/procfs_system.c kernel/proc/procfs_task.c kernel/proc/report.c
  kernel/proc/signalfd.c kernel/proc/stack.c kernel/proc/symbols.c kernel/proc/system.c kernel/proc/vdso_map.c
  kernel/proc/wait_child.c net/sockopt.c net/unix_name.c syscalls/abi_process.c syscalls/abi_time.c
  syscalls/barrier.c syscalls/copy.c syscalls/dir.c syscalls/id.c syscalls/inotify.c syscalls/ioctl.c
  syscalls/limits.c syscalls/lock.c syscalls/mount.c syscalls/path.c syscalls/prctl.c syscalls/process.c
  syscalls/sched.c syscalls/system.c syscalls/table.c syscalls/timer.c syscalls/vm_access.c syscalls/xattr.c
  vfs/archive.c vfs/archive_unpack.c vfs/copy.c vfs/devfs.c vfs/inode_xattr.c vfs/ldisc.c vfs/namei_rename.c
  vfs/range_lock.c vfs/rootfs.c vfs/simplefs.c vfs/splice.c vfs/sysfs.c vfs/text_file.c vfs/tty.c vfs/tty_ioctl.c
  vfs/xattr.c
  )

# compile_for_size(LAYER SOURCES...): those of a layer's sources that are cold.
function(compile_for_size layer)
  if(NOT YOLK_LTO)
    return()
  endif()
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${source})
    if(layer IN_LIST YOLK_COLD_LAYERS OR name IN_LIST YOLK_COLD_SOURCES)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -Os)
    endif()
  endforeach()
endfunction()
