# The vDSO: a shared object of its own, compiled for ring 3, that arch/x86/vdso/image.asm embeds.

# vdso(NAME SOURCE file LINKER_SCRIPT file SONAME name FLAGS flag...) makes NAME.so in the build directory, and what is loaded
# of it.
function(vdso name)
  cmake_parse_arguments(V "" "SOURCE;LINKER_SCRIPT;SONAME" "FLAGS" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/arch/x86/vdso)
  set(output ${CMAKE_BINARY_DIR}/vdso/${name}.so)
  set(part ${CMAKE_BINARY_DIR}/vdso/${name}.loaded)
  add_custom_command(OUTPUT ${output} ${part}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/vdso
    COMMAND ${CMAKE_C_COMPILER} ${V_FLAGS}
      -std=gnu11 -ffreestanding -nostdinc -isystem ${compiler_include} -idirafter ${uapi}
      -O2 -fPIC -mno-sse -mno-mmx -fno-stack-protector -fcf-protection=none -fasynchronous-unwind-tables
      -Wall -Wextra -Werror -Wno-unused-parameter
      -nostdlib -shared -Wl,-T,${dir}/${V_LINKER_SCRIPT} -Wl,-soname=${V_SONAME} -Wl,--hash-style=both
      -Wl,--build-id=sha1 -Wl,--eh-frame-hdr -Wl,-Bsymbolic -Wl,--no-undefined -Wl,-z,max-page-size=4096
      -Wl,-z,noexecstack -Wl,--strip-all
      ${dir}/${V_SOURCE} -o ${output}
    COMMAND sh ${CMAKE_SOURCE_DIR}/cmake/loaded_part.sh ${output} ${part}
    DEPENDS ${CMAKE_SOURCE_DIR}/cmake/loaded_part.sh ${dir}/${V_SOURCE} ${dir}/${V_LINKER_SCRIPT} ${dir}/vvar.h ${dir}/user/clocks.h
    COMMENT "vDSO ${name}.so" VERBATIM)
  set_property(SOURCE ${dir}/image.asm APPEND PROPERTY OBJECT_DEPENDS ${part})
endfunction()

vdso(vdso64 SOURCE user/vdso.c LINKER_SCRIPT user/vdso.ld SONAME linux-vdso.so.1 FLAGS -m64)
vdso(vdso32 SOURCE user/vdso_i386.c LINKER_SCRIPT user/vdso_i386.ld SONAME linux-gate.so.1 FLAGS -m32 -march=i686)
set_property(SOURCE ${CMAKE_SOURCE_DIR}/arch/x86/vdso/image.asm APPEND PROPERTY
  INCLUDE_DIRECTORIES ${CMAKE_BINARY_DIR}/vdso)
