/* The keys of a raw terminal that are ours: those after Ctrl-A. */
#pragma once

#include "relay.h"

/* Acts on and removes them; returns how many bytes are left for the guest. */
size_t keys_filter(struct relay *relay, char *bytes, size_t size);
