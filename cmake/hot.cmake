# What a program can do many times a second: compiled for speed in builds that optimise across files.
#
# All else is compiled for size there.  Most of what a boot costs under an emulator is translating each instruction the
# first time it runs, so code that runs once is to be short rather than fast; and the image is to stay small.  A file
# belongs here when `yolk bench instructions` says so.
set(YOLK_HOT_SOURCES
  arch/x86/fpu.c arch/x86/paging.c arch/x86/thread.c arch/x86/tlb.c arch/x86/trap.c arch/x86/userword.c
  kernel/base/tree.c
  kernel/core/clock.c kernel/core/heap.c kernel/core/iobuf.c kernel/core/lock.c kernel/core/page.c
  kernel/core/run_queue.c kernel/core/sched.c kernel/core/sched_place.c kernel/core/slab.c kernel/core/thread.c kernel/core/usercopy.c
  kernel/core/vm.c kernel/core/vm_area.c kernel/core/vm_fault.c kernel/core/vm_map.c kernel/core/vm_pages.c
  kernel/core/vm_protect.c kernel/core/wait.c
  kernel/proc/futex.c kernel/proc/sigframe.c kernel/proc/signal.c kernel/proc/signal_deliver.c
  kernel/proc/signal_mask.c kernel/proc/signal_queue.c
  kernel/dev/virtq.c
  net/inet_chksum.c net/inet_tcp_room.c net/lwip_port.c net/netif_tx.c net/unix_msg.c net/unix_stream.c
  syscalls/epoll.c syscalls/eventfd.c syscalls/futex.c syscalls/io.c syscalls/mem.c
  vfs/byte_channel.c vfs/dentry.c vfs/epoll.c vfs/eventfd.c vfs/fdtable.c vfs/file.c vfs/memdev.c vfs/path.c vfs/pipe.c
  vfs/walk.c
  )

# A table of jumps takes eight bytes for each value, gaps and all, where comparisons take fewer.
set(for_size -Os -fno-jump-tables)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 12)
  # What these do for speed copies code or keeps more values in registers than there are.
  set(for_size -Oz -fno-jump-tables -fno-thread-jumps -fno-code-hoisting -fno-caller-saves -fno-tree-dominator-opts
    -fno-forward-propagate)
endif()
# What is inlined into hot files' functions without saying `inline` is to be as small as the call (the default of 15 made
# the image 10 KiB larger).
set(for_speed)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(for_speed --param=max-inline-insns-auto=8)
endif()

# compile_for_size(SOURCES...): those of a layer's sources that are not hot.
function(compile_for_size)
  if(NOT YOLK_LTO)
    return()
  endif()
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${source})
    set(options ${for_size})
    if(name IN_LIST YOLK_HOT_SOURCES)
      set(options ${for_speed})
    endif()
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS ${options})
  endforeach()
endfunction()
