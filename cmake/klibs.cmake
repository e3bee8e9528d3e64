# The C library's pieces that the kernel uses: mem*, str* from musl's source, formatting and number parsing from
# klibc's, compiled with the kernel's own flags (see <base/string.h>).
include(deb_source)
enable_language(ASM)
deb_source(musl 1.2.3-1 musl)
deb_source(klibc 2.0.12-1 klibc)

set(musl_headers /usr/include/x86_64-linux-musl)
if(NOT EXISTS ${musl_headers})
  message(FATAL_ERROR "${musl_headers} is missing: apt-get install musl-dev")
endif()

set(sources)
foreach(f memchr memcmp strlen strnlen strcmp strncmp strchr strchrnul strrchr memrchr strstr strlcpy)
  list(APPEND sources ${musl}/src/string/${f}.c)
endforeach()
foreach(f memcpy memmove memset)
  list(APPEND sources ${musl}/src/string/x86_64/${f}.s)
endforeach()
foreach(f vsnprintf strtoul strtoull strntoumax)
  list(APPEND sources ${klibc}/usr/klibc/${f}.c)
endforeach()

if(YOLK_LTO) # formats and numbers are for people: see hot.cmake
  foreach(f vsnprintf strtoul strtoull strntoumax)
    set_property(SOURCE ${klibc}/usr/klibc/${f}.c APPEND PROPERTY COMPILE_OPTIONS ${for_size})
  endforeach()
endif()
add_library(klibs OBJECT ${sources})
# musl's own files see its internal declarations first: without them __strchrnul would be taken to answer an int.
set(musl_paths ${musl}/src/include ${musl}/src/internal ${musl_headers})
target_include_directories(klibs SYSTEM PRIVATE $<$<COMPILE_LANGUAGE:C>:${musl_paths}>)
# Not kernel_flags: other people's code is not held to our warnings, only to the same code generation.
# A loop in strlen that gcc turned into a call of strlen would never end; clang's -ffreestanding says that by itself.
target_compile_options(klibs PRIVATE ${narrow_frames}
  $<$<COMPILE_LANG_AND_ID:C,GNU>:-fno-tree-loop-distribute-patterns>
  $<$<COMPILE_LANG_AND_ID:ASM,Clang>:-Wno-unused-command-line-argument>
  $<$<COMPILE_LANGUAGE:C>:-ffreestanding -nostdinc -isystem ${compiler_include} -O2 -g -fno-pic -fno-pie
  -std=gnu11 -mno-red-zone -mcmodel=kernel -mgeneral-regs-only -fno-strict-aliasing -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections -D_GNU_SOURCE
  -include ${CMAKE_SOURCE_DIR}/kernel/base/klibc_decl.h -Werror=implicit-function-declaration>)
set_property(GLOBAL APPEND PROPERTY YOLK_LAYERS klibs)
