# lwIP from Debian's source, unmodified, compiled with the kernel's code generation and our net/lwip/lwipopts.h.
#
# For size rather than speed: what costs time for each byte, the checksum and the copies, is ours (net/inet_chksum.c,
# net/lwip_port.c), and the image is to stay small.
deb_source(lwip 2.1.3+dfsg1-2 lwip_source)
set(src ${lwip_source}/src)
set(sources)
foreach(f init def ip mem memp netif pbuf raw tcp tcp_in tcp_out timeouts udp)
  list(APPEND sources ${src}/core/${f}.c)
endforeach()
foreach(f dhcp etharp icmp igmp ip4 ip4_addr ip4_frag)
  list(APPEND sources ${src}/core/ipv4/${f}.c)
endforeach()
foreach(f ethip6 icmp6 inet6 ip6 ip6_addr ip6_frag mld6 nd6)
  list(APPEND sources ${src}/core/ipv6/${f}.c)
endforeach()
list(APPEND sources ${src}/netif/ethernet.c)
# Its ICMP errors quote too little of a packet.
set_property(SOURCE ${src}/core/udp.c ${src}/core/ipv4/ip4.c PROPERTY COMPILE_DEFINITIONS icmp_dest_unreach=net_icmp_unreach)
# Of raw sockets there is seldom one: net/inet_udp.c.
set_property(SOURCE ${src}/core/ipv4/ip4.c APPEND PROPERTY COMPILE_DEFINITIONS raw_input=net_raw_input)
# Some news of neighbours and routers is not believed: net/netif.c looks at it first.
set_source_files_properties(${src}/core/ipv6/icmp6.c PROPERTIES COMPILE_DEFINITIONS nd6_input=net_nd6_input)
# What waits for a neighbour's address is bounded there, too.
set_source_files_properties(${src}/core/ipv6/nd6.c PROPERTIES COMPILE_DEFINITIONS memp_malloc=net_nd6_malloc)
# A segment's connection is found by a table: net/inet_tcp_table.c.
set_source_files_properties(${src}/core/tcp_in.c PROPERTIES COMPILE_DEFINITIONS tcp_input=lwip_tcp_input)
set_source_files_properties(${src}/core/tcp.c PROPERTIES
  COMPILE_DEFINITIONS "memp_malloc=net_memp_malloc;memp_free=net_memp_free")
set(lwip_includes ${CMAKE_SOURCE_DIR}/net/lwip ${src}/include)

add_library(lwip OBJECT ${sources})
target_include_directories(lwip SYSTEM PRIVATE ${musl_headers})
target_include_directories(lwip BEFORE PRIVATE ${lwip_includes})
# Its min() of a constant and 16 bits is always the 16 bits, as clang finds worth saying.
target_compile_options(lwip PRIVATE $<$<COMPILE_LANG_AND_ID:C,Clang>:-Wno-tautological-constant-out-of-range-compare>
  ${narrow_frames} -ffreestanding -nostdinc -isystem ${compiler_include} ${for_size} -g -fno-pic -fno-pie
  -std=gnu11 -mno-red-zone -mcmodel=kernel -mgeneral-regs-only -fno-strict-aliasing ${across_files}
  -fcf-protection=none -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
  -Werror=implicit-function-declaration)
if(YOLK_DEBUG)
  target_compile_options(lwip PRIVATE -fno-omit-frame-pointer)
else()
  target_compile_options(lwip PRIVATE -fomit-frame-pointer)
  target_compile_definitions(lwip PRIVATE LWIP_NOASSERT=1)
endif()
set_property(GLOBAL APPEND PROPERTY YOLK_LAYERS lwip)
