/* The ChaCha20 block function of RFC 8439. */
#pragma once

#include <base/types.h>

/* 64 bytes of key stream; words are little-endian in memory, as x86 has them. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                    uint32_t out[16]);
