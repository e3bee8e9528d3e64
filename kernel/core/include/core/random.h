/* The random number generator: ChaCha20, fed by RDSEED/RDRAND, a virtio-rng device and timing. */
#pragma once

#include <base/types.h>

void random_init(void); /* boot: collects what the CPU gives */
void random_add(const void *data, size_t n, unsigned entropy_bits); /* any context */
bool random_is_seeded(void);
/* Wait until 256 bits have been collected: 0, or -EINTR.  A machine without an entropy device collects
 * interrupt timing; this never answers unseeded bytes. */
must_check int random_wait_seeded(bool interruptible);
void random_bytes(void *buf, size_t n); /* any context; for kernel uses right after boot too */
uint64_t random_u64(void);
