#include "CLinuxMemory.h"

// First, since it says whether this is glibc.
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

int clinux_keep_freed_blocks(int kept_octets, int block_octets) {
#ifdef __GLIBC__
  return mallopt(M_TRIM_THRESHOLD, kept_octets) && mallopt(M_MMAP_THRESHOLD, block_octets);
#else
  (void)kept_octets;
  (void)block_octets;
  return 0;
#endif
}

int clinux_give_back_freed_blocks(void) {
#ifdef __GLIBC__
  // Setting the threshold also keeps it from growing with what is freed.
  return mallopt(M_MMAP_THRESHOLD, 256 << 10) && mallopt(M_TRIM_THRESHOLD, 1 << 20) && mallopt(M_ARENA_MAX, 2);
#else
  return 0;
#endif
}

int clinux_give_back_holes(void) {
#ifdef __GLIBC__
  malloc_trim(0);
  return 1;
#else
  return 0;
#endif
}

int clinux_heap(unsigned long long *used, unsigned long long *unused) {
#ifdef __GLIBC__
  struct mallinfo2 all = mallinfo2();
  *used = all.uordblks + all.hblkhd;
  *unused = all.fordblks;
  return 1;
#else
  (void)used;
  (void)unused;
  return 0;
#endif
}
