// Swift has no word for a prefetch: a load that nobody waits for.
#ifndef MOTHLIGHT_CPREFETCH_H
#define MOTHLIGHT_CPREFETCH_H

// Asks for the cache line at `address`, which need not be readable.
static inline __attribute__((always_inline)) void cprefetch_line(const void *address) { __builtin_prefetch(address, 0, 3); }

#endif
