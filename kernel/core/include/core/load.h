/* Load averages: how many threads ran or waited for a CPU, over the last 1, 5 and 15 minutes. */
#pragma once

#include <base/types.h>

#define LOAD_SHIFT 11 /* fixed point, as Linux has it */

void load_start(void); /* boot, once there are timers */
void load_averages(unsigned long average[3]);
