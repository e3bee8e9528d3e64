# deb_source(NAME VERSION OUT): the unpacked source tree of a Debian package, never copied into the repository.
#
# The path goes into the variable OUT.  An already unpacked tree can be given with -DYOLK_<NAME>_DIR=DIR (for
# people who are not on Debian); downloads are kept in YOLK_DEPS_CACHE.
if(DEFINED ENV{XDG_CACHE_HOME})
  set(default_cache $ENV{XDG_CACHE_HOME}/yolk)
else()
  set(default_cache $ENV{HOME}/.cache/yolk)
endif()
set(YOLK_DEPS_CACHE ${default_cache} CACHE PATH "where sources of dependencies are kept between builds")

function(deb_source name version out)
  string(TOUPPER ${name} upper)
  if(DEFINED YOLK_${upper}_DIR)
    set(${out} ${YOLK_${upper}_DIR} PARENT_SCOPE)
    return()
  endif()
  set(tree ${YOLK_DEPS_CACHE}/${name}-${version})
  if(NOT EXISTS ${tree}/.complete)
    message(STATUS "Fetching the source of ${name} ${version}")
    execute_process(COMMAND ${CMAKE_SOURCE_DIR}/cmake/deb_source.sh ${name} ${version} ${YOLK_DEPS_CACHE}
      RESULT_VARIABLE failed OUTPUT_VARIABLE log ERROR_VARIABLE log)
    if(failed)
      message(FATAL_ERROR "The source of ${name} ${version} could not be fetched with apt-get source. "
        "Give an unpacked tree with -DYOLK_${upper}_DIR=DIR.\n${log}")
    endif()
  endif()
  set(${out} ${tree} PARENT_SCOPE)
endfunction()
