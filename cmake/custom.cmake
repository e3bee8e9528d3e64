# Custom system calls: the SDK's kernel side, and the kit from which `yolk build --custom` links a kernel in seconds
# (docs/CUSTOM_SYSCALLS.md): build/kit has the flags for handlers (sdk.C.rsp), for the generated table (table.C.rsp) and
# for the link (link.C.rsp), and the list of objects (objects.rsp), all as response files.
layer(nocustom DIR syscalls/custom/none MAY_USE base arch core vfs net proc syscalls PREFIXES custom up)
layer(custom DIR syscalls/custom MAY_USE base arch core vfs net proc syscalls PREFIXES custom up yolk)
target_include_directories(custom PRIVATE ${CMAKE_SOURCE_DIR}/userland/sdk/include)
set(sdk_include ${CMAKE_SOURCE_DIR}/userland/sdk/include)

# A kernel has one of the two.
get_property(layers GLOBAL PROPERTY YOLK_LAYERS)
set(kit_layers ${layers})
list(REMOVE_ITEM layers custom)
list(REMOVE_ITEM kit_layers nocustom)
