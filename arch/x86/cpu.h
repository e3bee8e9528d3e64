/* The boot CPU's block (cpu.c). */
#pragma once

#include "internal.h"

extern struct cpu cpu_boot;
