/* Random numbers: a ChaCha20 generator and the pool that keys it.
 *
 * Every output takes one block of the generator: half becomes the next key, the other half is the output (or the key
 * of a stream, when more is wanted), so that what was given out cannot be computed from what is kept.  New entropy
 * goes into a separate pool and into the key only 256 bits at a time: a watcher of the output can then not guess it
 * bit by bit.
 *
 * Sources: RDSEED or RDRAND; what drivers add (virtio-rng); and, on a CPU without such an instruction, the timing of
 * memory accesses, of which an eighth of a bit is counted per sample that looks irregular. */
#include <arch/arch.h>
#include <base/string.h>
#include <core/heap.h>
#include <core/random.h>
#include <core/sched.h>
#include <core/timer.h>
#include <core/wait.h>

#include "chacha20.h"

#define SEED_BITS       256
#define REFRESH_OUTPUTS 64 /* mix the CPU's own numbers in again after so many */

#define JITTER_BYTES           (64 * 1024UL)
#define JITTER_ROUNDS          32  /* memory accesses in a sample */
#define JITTER_BATCH           256 /* samples between looks at what else is to be done */
#define JITTER_SAMPLES_PER_BIT 8
#define JITTER_RETRY_NS        20000000ULL

static struct {
    struct spinlock lock; /* interrupts off; guards: */
    uint32_t key[8];      /* of the generator */
    uint32_t pool[8];
    unsigned pool_bits;  /* entropy in the pool */
    unsigned nr_outputs; /* since the last refresh */
    bool is_seeded;      /* atomic; never false again */
    struct waitq wait;   /* for is_seeded */
    struct mutex jitter; /* RANK_DEVICE: one thread collects timing at a time */
} rng = {.lock = SPINLOCK_INIT(RANK_DRIVER)};

static const uint32_t no_nonce[3];

/* A new value that depends on all of the old one and of `data`, and from which neither follows. */
static void absorb(uint32_t state[8], const void *data, size_t n)
{
    const uint8_t *bytes = data;
    uint32_t block[16];

    while (n > 0) {
        uint8_t chunk[32] = {0};
        size_t part = MIN(n, sizeof(chunk));
        memcpy(chunk, bytes, part);
        for (unsigned i = 0; i < 8; i++)
            state[i] ^= ((uint32_t *)chunk)[i];
        chacha20_block(state, (uint32_t)part, no_nonce, block);
        memcpy(state, block, 32);
        bytes += part;
        n -= part;
    }
}

/* The pool holds enough: into the key with it.  rng.lock held. */
static void reseed(void)
{
    uint32_t block[16];

    chacha20_block(rng.pool, 0, no_nonce, block);
    absorb(rng.key, block, 32);
    memcpy(rng.pool, block + 8, 32);
    rng.pool_bits = 0;
    atomic_store(&rng.is_seeded, true);
}

void random_add(const void *data, size_t n, unsigned entropy_bits)
{
    uint64_t now = arch_cycles();
    bool irqs = spin_lock_irq(&rng.lock), was_seeded = rng.is_seeded;

    absorb(rng.pool, &now, sizeof(now));
    absorb(rng.pool, data, n);
    rng.pool_bits += MIN(entropy_bits, (unsigned)SEED_BITS);
    if (rng.pool_bits >= SEED_BITS)
        reseed();
    spin_unlock_irq(&rng.lock, irqs);
    if (!was_seeded && random_is_seeded())
        waitq_wake_all(&rng.wait);
}

void random_init(void)
{
    uint64_t words[SEED_BITS / 64],
        start[2] = {arch_cycles(), arch_clock_ns() + arch_wall_offset_ns()};
    unsigned n = 0;

    waitq_init(&rng.wait);
    mutex_init(&rng.jitter, RANK_DEVICE);
    absorb(rng.key, start, sizeof(start));
    while (n < ARRAY_LEN(words) && arch_random(&words[n]))
        n++;
    if (n == ARRAY_LEN(words) && words[0] != words[1])
        random_add(words, sizeof(words), SEED_BITS);
}

bool random_is_seeded(void)
{
    return atomic_load(&rng.is_seeded);
}

/* --- output ----------------------------------------------------------------------------------------- */

/* A machine that was copied (a snapshot) must not go on with the same numbers as its twin.  rng.lock held. */
static void refresh(void)
{
    uint64_t fresh[2] = {arch_cycles(), 0};

    if (!arch_random(&fresh[1]))
        fresh[1] = arch_clock_ns();
    absorb(rng.key, fresh, sizeof(fresh));
    rng.nr_outputs = 0;
}

/* Volatile, so that the compiler does not leave it out. */
static void wipe(volatile uint32_t *words, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        words[i] = 0;
}

void random_bytes(void *buf, size_t n)
{
    uint32_t block[16], key[8];
    uint8_t *out = buf;
    bool irqs = spin_lock_irq(&rng.lock);

    if (++rng.nr_outputs >= REFRESH_OUTPUTS)
        refresh();
    chacha20_block(rng.key, 0, no_nonce, block);
    memcpy(rng.key, block, sizeof(key));
    spin_unlock_irq(&rng.lock, irqs);

    memcpy(key, block + 8, sizeof(key));
    if (n <= sizeof(key)) {
        memcpy(out, key, n);
    } else {
        for (uint32_t counter = 0; n > 0; counter++) {
            size_t part = MIN(n, sizeof(block));
            chacha20_block(key, counter, no_nonce, block);
            memcpy(out, block, part);
            out += part;
            n -= part;
        }
    }
    wipe(key, ARRAY_LEN(key));
    wipe(block, ARRAY_LEN(block));
}

uint64_t random_u64(void)
{
    uint64_t value;

    random_bytes(&value, sizeof(value));
    return value;
}

/* --- timing ----------------------------------------------------------------------------------------- */

struct jitter {
    volatile uint8_t *memory;
    uint64_t at, time, delta, change; /* the last sample and its first two differences */
};

/* How long a walk through memory takes whose path depends on how long the last one took.  False when the time tells
 * nothing new: it, its change or the change of that is what it was before. */
static bool jitter_sample(struct jitter *j, uint64_t *delta)
{
    for (unsigned i = 0; i < JITTER_ROUNDS; i++) {
        j->at = j->at * 6364136223846793005ULL + j->delta + 1442695040888963407ULL;
        j->memory[(j->at >> 33) % JITTER_BYTES]++;
    }
    uint64_t now = arch_cycles(), d = now - j->time, change = d - j->delta;
    bool is_new = d != 0 && change != 0 && change != j->change;
    j->time = now;
    j->delta = d;
    j->change = change;
    *delta = d;
    return is_new;
}

/* Collect until the generator is seeded: 0, -EINTR, or -EAGAIN when time alone does not seem to be random here. */
static int jitter_collect(bool interruptible)
{
    struct jitter j = {.memory = heap_alloc(JITTER_BYTES), .time = arch_cycles()};
    uint64_t deltas[16];
    unsigned nr = 0, good = 0;
    int result = 0;

    if (!j.memory)
        return -EAGAIN;
    for (unsigned n = 1; result == 0 && !random_is_seeded(); n++) {
        good += jitter_sample(&j, &deltas[nr++]);
        if (nr == ARRAY_LEN(deltas)) {
            random_add(deltas, sizeof(deltas), good / JITTER_SAMPLES_PER_BIT);
            good %= JITTER_SAMPLES_PER_BIT;
            nr = 0;
        }
        if (n % JITTER_BATCH == 0 &&
            (sched_checkpoint() || (interruptible && thread_interrupted())))
            result = -EINTR;
        else if (n == 16 * SEED_BITS * JITTER_SAMPLES_PER_BIT)
            result = -EAGAIN;
    }
    heap_free((void *)j.memory);
    return result;
}

int random_wait_seeded(bool interruptible)
{
    enum wait_how how = interruptible ? WAIT_INTERRUPTIBLE : WAIT_KILLABLE;
    int result = 0;

    while (!random_is_seeded() && result == 0) {
        mutex_lock(&rng.jitter);
        result = random_is_seeded() ? 0 : jitter_collect(interruptible);
        mutex_unlock(&rng.jitter);
        if (result == -EAGAIN)
            result =
                WAIT_EVENT(&rng.wait, random_is_seeded(), how, clock_mono_ns() + JITTER_RETRY_NS);
        if (result == -ETIMEDOUT)
            result = 0;
    }
    return result;
}
