# <i386/layout.h>: the structures of the i386 ABI from Linux's headers, laid out by the compiler under -m32.
#
# Nothing is linked and no 32-bit library is needed: the compiler's assembly output carries the offsets.
set(i386_dir ${CMAKE_SOURCE_DIR}/arch/x86/i386)
set(generated ${CMAKE_BINARY_DIR}/gen/include)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${i386_dir}/layout.c ${i386_dir}/layout.def ${i386_dir}/layout_head.h ${i386_dir}/layout_types.h)
execute_process(COMMAND ${CMAKE_C_COMPILER} -m32 -S -O1 -w -std=gnu11 -ffreestanding -fno-pic -nostdinc
    -isystem ${compiler_include} -idirafter ${uapi} ${i386_dir}/layout.c -o -
  OUTPUT_VARIABLE assembly ERROR_VARIABLE log RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "the layouts of the i386 ABI cannot be made:\n${log}")
endif()
string(REPLACE ";" " " assembly "${assembly}")
string(REGEX MATCHALL "->[^\n\"]*" lines "${assembly}")
list(TRANSFORM lines REPLACE "^->" "")
list(JOIN lines "\n" lines)
file(READ ${i386_dir}/layout_head.h head)
file(CONFIGURE OUTPUT ${generated}/i386/layout.h CONTENT "${head}${lines}\n" @ONLY)
target_include_directories(kernel_flags INTERFACE ${generated})
