/* Values of options, with one way to refuse them. */
#pragma once

#include <stdint.h>

/* Each ends the command with STATUS_FAILED and one line when the text is no such value. */
uint64_t option_size(const char *option,
                     const char *text); /* bytes; a bare number is MiB, as QEMU's -m */
unsigned long option_number(const char *option, const char *text, unsigned long min,
                            unsigned long max);
double option_seconds(const char *option, const char *text);
