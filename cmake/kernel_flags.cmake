# How ring-0 code is compiled: freestanding, general registers only, no red zone, linked at -2 GiB.
#
# Linux's exported headers are visible (behind the compiler's own) as <linux/...> and <asm/...>, so that
# numbers and layouts of the ABI come from them and are never typed by hand.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
  OUTPUT_VARIABLE compiler_include OUTPUT_STRIP_TRAILING_WHITESPACE)

set(uapi ${CMAKE_BINARY_DIR}/uapi)
file(MAKE_DIRECTORY ${uapi})
foreach(pair "linux:/usr/include/linux" "asm-generic:/usr/include/asm-generic"
    "asm:/usr/include/x86_64-linux-gnu/asm")
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 name)
  list(GET pair 1 target)
  if(NOT EXISTS ${target})
    message(FATAL_ERROR "${target} is missing: apt-get install linux-libc-dev")
  endif()
  file(CREATE_LINK ${target} ${uapi}/${name} SYMBOLIC)
endforeach()

# Without vector registers nothing asks for a stack aligned to 16, nor for their number in a call of a function with
# variable arguments.  Other people's code is compiled with these, too.
set(narrow_frames $<$<COMPILE_LANG_AND_ID:C,GNU>:-mpreferred-stack-boundary=3>
  $<$<COMPILE_LANG_AND_ID:C,GNU>:-mskip-rax-setup>)
add_library(kernel_flags INTERFACE)
target_compile_options(kernel_flags INTERFACE ${narrow_frames}
  $<$<COMPILE_LANGUAGE:C>:-std=gnu11 -ffreestanding -nostdinc -isystem ${compiler_include}
  -idirafter ${uapi} -O2 -g -fno-pic -fno-pie -mno-red-zone -mcmodel=kernel -mgeneral-regs-only
  -fno-strict-aliasing -fno-delete-null-pointer-checks -fwrapv -fcf-protection=none
  -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -fno-common
  -Wall -Wextra -Werror -Wmissing-prototypes -Wredundant-decls -Wnested-externs -Wvla
  -Wstrict-prototypes -Wframe-larger-than=1024 -Wno-unused-parameter -Wno-sign-compare>)
option(YOLK_DEBUG "assertions, lock ranks and the hang watchdog" ON)
option(YOLK_LTO "optimise across files at link time (gcc)" OFF)
option(YOLK_UBSAN "trap on undefined behaviour in the kernel" OFF)
if(YOLK_DEBUG)
  target_compile_definitions(kernel_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:YOLK_DEBUG=1>)
endif()
if(YOLK_UBSAN)
  target_compile_options(kernel_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C>:-fsanitize=undefined -fsanitize-undefined-trap-on-error>)
endif()
# Debug builds keep frame pointers, for exact backtraces (arch/x86/backtrace_frames.c).  Others do without and find
# return addresses on the stack by their looks (backtrace_scan.c): a twentieth of all instructions kept the frames.
if(YOLK_DEBUG)
  target_compile_options(kernel_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fno-omit-frame-pointer>)
  set(YOLK_BACKTRACE frames)
else()
  target_compile_options(kernel_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-fomit-frame-pointer>)
  set(YOLK_BACKTRACE scan)
endif()
# Small functions of one layer that another calls all the time (locks, copies, look-ups) are then compiled into it.
# What that adds, padding gives back: an emulator does not care where a loop starts, and the image is to stay small.
set(across_files)
if(YOLK_LTO AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # Few loops here go round often enough for what is prepared before them to pay.
  set(across_files -flto=auto -fno-fat-lto-objects -fno-ivopts -fno-move-loop-invariants -fno-tree-loop-im -malign-data=abi)
  target_compile_options(kernel_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:${across_files}
    -falign-functions=1 -fno-align-jumps -fno-align-loops -fno-align-labels>)
endif()
