/* What arch_fake.c and arch_payload.asm agree on. */
#pragma once

#define PAYLOAD_BASE 0x400000

extern const char arch_payload[], arch_payload_end[];
