// What Swift has no word for: a load that nobody waits for, a system call with a variable number of arguments, vectors of octets
// that are added as such.
#ifndef MOTHLIGHT_CMEMORY_H
#define MOTHLIGHT_CMEMORY_H

#include <stddef.h>
#include <string.h>

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

// Octets of `value` among `octets` at `from`.
static inline ptrdiff_t cmemory_count(const void *from, ptrdiff_t octets, unsigned char value) {
  typedef unsigned char lanes __attribute__((vector_size(16)));
  const unsigned char *next = from;
  ptrdiff_t found = 0;
  while (octets >= 16) {
    // A lane counts up to 255.
    ptrdiff_t rounds = octets / 16 < 255 ? octets / 16 : 255;
    lanes hits = {0};
    for (ptrdiff_t round = 0; round < rounds; round++, next += 16) {
      lanes here;
      memcpy(&here, next, 16);
      hits -= (lanes)(here == value);
    }
    for (int lane = 0; lane < 16; lane++) found += hits[lane];
    octets -= rounds * 16;
  }
  for (; octets > 0; octets--) found += *next++ == value;
  return found;
}

#endif
