# layer(NAME DIR dir MAY_USE layer... PREFIXES word...): one folder as one object library.
#
# Its public headers are DIR/include/**; a layer sees only the headers of those it names in MAY_USE,
# so an include that breaks the layering does not compile, and two layers that use each other are a
# configure error.  Sources are every .c, .asm and .S directly in DIR and in the folders listed in SUBDIRS.
#
# What it exports is named WORD or WORD_something for a WORD of PREFIXES, so that a name tells where it lives; the
# test source.symbols looks.  Its public headers stand alone: source.headers compiles each by itself.
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
function(layer name)
  cmake_parse_arguments(L "" "DIR" "SUBDIRS;MAY_USE;EXCLUDE;PREFIXES" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/${L_DIR})
  file(GLOB headers CONFIGURE_DEPENDS ${dir}/include/*/*.h)
  file(GLOB sources CONFIGURE_DEPENDS ${dir}/*.c ${dir}/*.asm ${dir}/*.S)
  foreach(sub IN LISTS L_SUBDIRS)
    file(GLOB more CONFIGURE_DEPENDS ${dir}/${sub}/*.c ${dir}/${sub}/*.asm ${dir}/${sub}/*.S)
    list(APPEND sources ${more})
  endforeach()
  foreach(pattern IN LISTS L_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX ${pattern})
  endforeach()
  set(asm ${sources})
  list(FILTER asm INCLUDE REGEX "\\.asm$")
  set_source_files_properties(${asm} PROPERTIES LANGUAGE ASM_NASM) # the GNU assembler claims .asm too
  set(c ${sources})
  list(FILTER c INCLUDE REGEX "\\.c$")
  compile_for_size(${c})
  add_library(${name} OBJECT ${sources})
  target_include_directories(${name} PRIVATE ${dir})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${dir}/include FILES ${headers})
  target_link_libraries(${name} PUBLIC kernel_flags ${L_MAY_USE})
  set_property(GLOBAL APPEND PROPERTY YOLK_LAYERS ${name})
  list(JOIN L_PREFIXES " " prefixes)
  set_property(GLOBAL APPEND_STRING PROPERTY YOLK_LAYER_SYMBOLS
    "${name}|${prefixes}|$<JOIN:$<TARGET_OBJECTS:${name}>, >\n")
endfunction()
