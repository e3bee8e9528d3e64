# The rules of the layers that include paths cannot enforce; run as a test: cmake -DSOURCE=dir -P rules.cmake
#
# Each rule is a regular expression that must not occur in the files that match a pattern.
set(violations)

function(forbid what regex)
  foreach(file IN LISTS ARGN)
    file(STRINGS ${SOURCE}/${file} lines REGEX "${regex}")
    foreach(line IN LISTS lines)
      string(APPEND found "  ${file}: ${what}: ${line}\n")
    endforeach()
  endforeach()
  set(violations "${violations}${found}" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE all RELATIVE ${SOURCE} ${SOURCE}/kernel/*.[ch] ${SOURCE}/vfs/*.[ch] ${SOURCE}/net/*.[ch] ${SOURCE}/syscalls/*.[ch]
  ${SOURCE}/arch/*.[ch])
set(portable ${all})
list(FILTER portable EXCLUDE REGEX "^arch/")
set(bodies ${all})
list(FILTER bodies INCLUDE REGEX "\\.c$")
list(FILTER bodies EXCLUDE REGEX "^arch/x86/vdso/user/") # a program of its own, with data that its linker script places
set(no_user_access ${portable})
list(FILTER no_user_access EXCLUDE REGEX "usercopy\\.[ch]$")

forbid("inline assembly belongs to arch/x86" "(__asm__|[^_a-z]asm) *(volatile)? *\\(" ${portable})
forbid("a prototype belongs in a header" "^extern [a-z].*\\(" ${bodies})
forbid("no way up out of a layer's folder" "#include \"\\.\\./\\.\\./\\.\\./" ${bodies})
forbid("only usercopy.c reaches user memory" "arch_(copy_(from|to|string_from)_user|user_(load|cmpxchg)32)" ${no_user_access})

if(violations)
  message(FATAL_ERROR "layer rules broken:\n${violations}")
endif()
message(STATUS "layer rules hold for ${SOURCE}")
