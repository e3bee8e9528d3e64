# The kit (see custom.cmake).
set(kit ${CMAKE_BINARY_DIR}/kit)
set(kit_objects)
foreach(l IN LISTS kit_layers)
  list(APPEND kit_objects $<TARGET_OBJECTS:${l}>)
endforeach()
# Handlers have copies of their own of the memory and string functions.
add_library(handler_strings STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:klibs>)
set_target_properties(handler_strings PROPERTIES LINKER_LANGUAGE C ARCHIVE_OUTPUT_DIRECTORY ${kit})

# One response file: every word in quotes.
function(response_file name)
  list(JOIN ARGN "\"\n\"" text)
  file(GENERATE OUTPUT ${kit}/${name} CONTENT "\"${text}\"\n" TARGET custom)
endfunction()
set(options "$<JOIN:$<TARGET_PROPERTY:custom,COMPILE_OPTIONS>,\"\n\">")
response_file(sdk.$<COMPILE_LANGUAGE>.rsp "${options}" -fno-lto -Wno-error -Werror=implicit-function-declaration
  -Werror=implicit-int -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=return-type -I "${sdk_include}")
response_file(table.$<COMPILE_LANGUAGE>.rsp "${options}" -fno-lto
  "-I$<JOIN:$<TARGET_PROPERTY:custom,INCLUDE_DIRECTORIES>,\"\n\"-I>")
response_file(link.$<COMPILE_LANGUAGE>.rsp "${options}" "$<JOIN:$<TARGET_PROPERTY:yolk,LINK_OPTIONS>,\"\n\">")
if(across_files)
  # Optimised across all files once, into one object that is linked as any other.
  add_custom_command(OUTPUT ${kit}/kernel.o VERBATIM COMMAND_EXPAND_LISTS
    COMMAND ${CMAKE_C_COMPILER} -O2 ${across_files} -ffunction-sections -fdata-sections -r -flinker-output=nolto-rel -nostdlib -o ${kit}/kernel.o ${kit_objects}
    DEPENDS ${kit_objects} COMMENT "Linking the kernel's parts across files")
  set(kit_objects ${kit}/kernel.o)
endif()
file(GENERATE OUTPUT ${kit}/objects.rsp CONTENT "\"$<JOIN:${kit_objects},\"\n\">\"\n")
file(GENERATE OUTPUT ${kit}/compiler CONTENT "${CMAKE_C_COMPILER}\n")
add_custom_target(custom-kit DEPENDS ${kit_objects} handler_strings)
