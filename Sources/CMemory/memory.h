// What Swift has no word for: a load that nobody waits for, and a system call with a variable number of arguments.
#ifndef MOTHLIGHT_CMEMORY_H
#define MOTHLIGHT_CMEMORY_H

#include <stddef.h>

// Asks for the cache line at `address`, which need not be readable.
static inline __attribute__((always_inline)) void cmemory_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

// mremap(2), which headers show to GNU sources only.
void *mremap(void *from, size_t octets, size_t new_octets, int flags, ...);

// Moves a mapping to `target`, which is replaced, and makes it longer; 0 if Linux declines.
static inline int cmemory_move(void *from, size_t octets, void *target, size_t new_octets) {
  return mremap(from, octets, new_octets, 1 | 2 /* MREMAP_MAYMOVE | MREMAP_FIXED */, target) == target;
}

// Makes a mapping longer where it is; 0 if there is no room behind it.
static inline int cmemory_extend(void *from, size_t octets, size_t new_octets) {
  return mremap(from, octets, new_octets, 0) == from;
}

#endif
