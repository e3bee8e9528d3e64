# The kernel image: every layer's objects through arch/x86/boot/kernel.ld into build/yolk.elf.
#
# It is linked twice: the symbol table that backtraces print from is made from the first link and is placed behind
# everything whose address it tells.

# Assembly reads the numbers it shares with C from the same header.
set(offsets ${CMAKE_SOURCE_DIR}/arch/x86/include/arch/offsets.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${offsets})
file(STRINGS ${offsets} lines REGEX "^#define")
list(TRANSFORM lines REPLACE "^#define" "%define")
list(TRANSFORM lines REPLACE "/\\*.*" "")
list(JOIN lines "\n" lines)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/gen/offsets.inc CONTENT "${lines}\n" @ONLY)
target_include_directories(arch PRIVATE ${CMAKE_BINARY_DIR}/gen)

set(linker_script ${CMAKE_SOURCE_DIR}/arch/x86/boot/kernel.ld)
set(symbols_sh ${CMAKE_SOURCE_DIR}/cmake/symbols.sh)

function(link_image target)
  target_link_options(${target} PRIVATE -nostdlib -static $<$<C_COMPILER_ID:GNU>:-no-pie> -Wl,-T,${linker_script} -Wl,-z,noexecstack
    -Wl,--nmagic -Wl,--gc-sections -Wl,--build-id=none -Wl,--fatal-warnings -Wl,--orphan-handling=error)
  if(across_files) # in one part, so that what can be shared or left out is seen everywhere: 1 % less code
    target_link_options(${target} PRIVATE -flto-partition=one)
  endif()
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C LINK_DEPENDS ${linker_script} SUFFIX .elf)
endfunction()

# kernel_image(name SOURCES... LAYERS... [MAX_KIB size]): name.elf with its own symbol table.
function(kernel_image name)
  cmake_parse_arguments(K "" "MAX_KIB" "SOURCES;LAYERS" ${ARGN})
  set(objects)
  foreach(l IN LISTS K_LAYERS)
    list(APPEND objects $<TARGET_OBJECTS:${l}>)
  endforeach()
  set(gen ${CMAKE_BINARY_DIR}/gen)
  add_custom_command(OUTPUT ${gen}/no_symbols.S COMMAND sh ${symbols_sh} > ${gen}/no_symbols.S
    DEPENDS ${symbols_sh} VERBATIM)
  add_custom_command(OUTPUT ${gen}/${name}_symbols.S
    COMMAND sh ${symbols_sh} $<TARGET_FILE:${name}.first> > ${gen}/${name}_symbols.S
    DEPENDS ${symbols_sh} ${name}.first VERBATIM)
  add_executable(${name}.first ${objects} ${K_SOURCES} ${gen}/no_symbols.S)
  add_executable(${name} ${objects} ${K_SOURCES} ${gen}/${name}_symbols.S)
  foreach(t ${name}.first ${name})
    target_link_libraries(${t} PRIVATE kernel_flags)
    link_image(${t})
  endforeach()
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND sh ${CMAKE_SOURCE_DIR}/cmake/gate.sh $<TARGET_FILE:${name}> ${K_MAX_KIB} VERBATIM)
endfunction()

# `layers` are those of an ordinary kernel: custom.cmake.  What people boot is held to its size (test/bench/targets.py).
set(max_kib)
if(across_files AND NOT YOLK_DEBUG)
  set(max_kib MAX_KIB 512)
endif()
kernel_image(yolk LAYERS ${layers} ${max_kib})

# The same layers under the tests of test/kernel instead of kernel/main.c.
file(GLOB kernel_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/kernel/main.c
  ${CMAKE_SOURCE_DIR}/test/kernel/memory.c ${CMAKE_SOURCE_DIR}/test/kernel/threads.c)
set(tested ${layers})
list(REMOVE_ITEM tested image)
kernel_image(yolk-test SOURCES ${kernel_tests} LAYERS ${tested})
foreach(t yolk-test yolk-test.first)
  target_link_libraries(${t} PRIVATE base arch core)
endforeach()

# The CPU layer alone, with a small kernel above it that checks what arch.h and upcalls.h promise.
file(GLOB fakes CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/kernel/arch_*.c ${CMAKE_SOURCE_DIR}/test/kernel/arch_*.asm)
set(asm ${fakes})
list(FILTER asm INCLUDE REGEX "\\.asm$")
set_source_files_properties(${asm} PROPERTIES LANGUAGE ASM_NASM)
set_source_files_properties(${fakes} PROPERTIES INCLUDE_DIRECTORIES
  "${CMAKE_SOURCE_DIR}/arch/x86;${CMAKE_SOURCE_DIR}/arch/x86/include;${CMAKE_SOURCE_DIR}/kernel/base/include")
kernel_image(arch_test SOURCES ${fakes} LAYERS base klibs arch)
set_target_properties(arch_test arch_test.first PROPERTIES EXCLUDE_FROM_ALL ON) # test-programs wants it
