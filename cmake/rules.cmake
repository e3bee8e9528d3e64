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

# The table of calls lies beside the bodies and is included through its public headers; user/ is a program of its own.
set(no_way_up ${all})
list(FILTER no_way_up EXCLUDE REGEX "^(syscalls/include/|arch/x86/vdso/user/)")
set(no_va ${no_user_access})
list(FILTER no_va EXCLUDE REGEX "^kernel/base/include/base/types\\.h$")
set(calls ${all})
list(FILTER calls INCLUDE REGEX "^syscalls/.*\\.c$")
# i386's own calls are a line or two over the bodies that both ABIs share.
list(FILTER calls EXCLUDE REGEX "^syscalls/(dispatch|i386_[a-z]+)\\.c$")
set(one_abi ${portable})
list(FILTER one_abi EXCLUDE REGEX "^(syscalls/trace/.*|syscalls/(table|dispatch|abi|i386|tracer|custom/custom)[a-z0-9_]*\\.[ch]|syscalls/include/.*|kernel/proc/(elf|sigframe)[a-z0-9_]*\\.[ch])$")

forbid("inline assembly belongs to arch/x86" "(__asm__|[^_a-z]asm) *(volatile)? *\\(" ${portable})
forbid("a prototype belongs in a header" "^extern [a-z].*\\(" ${bodies})
forbid("ports and model-specific registers belong to arch/x86" "(^|[^a-z0-9_])(in[bwl]|out[bwl]|rdmsr|wrmsr) *\\(" ${portable})
forbid("no way up out of a folder" "#include \"\\.\\./" ${no_way_up})
forbid("only usercopy.c looks into a user pointer; others use uptr_word" "\\.va([^a-z0-9_]|$)" ${no_va})
forbid("only dispatch.c calls a body; what two bodies share is static" "^ .*[^a-z0-9_]sys_[a-z0-9_]+ *\\(" ${calls})
forbid("what differs between the ABIs is in the table, abi_*.c, sigframe.c and elf.c" "ABI_(X86_64|I386)" ${one_abi})
forbid("only usercopy.c reaches user memory" "arch_(copy_(from|to|string_from)_user|user_(load|cmpxchg)32)" ${no_user_access})

if(violations)
  message(FATAL_ERROR "layer rules broken:\n${violations}")
endif()
message(STATUS "layer rules hold for ${SOURCE}")
