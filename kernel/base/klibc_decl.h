/* What klibc's <inttypes.h> declares and musl's does not, for the klibc sources compiled with musl's headers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uintmax_t strntoumax(const char *nptr, char **endptr, int base, size_t n);
