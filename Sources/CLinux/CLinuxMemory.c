#include "CLinuxMemory.h"

#include <malloc.h>

void clinux_keep_freed(int kept_octets, int block_octets) {
#ifdef M_TRIM_THRESHOLD
  mallopt(M_TRIM_THRESHOLD, kept_octets);
  mallopt(M_MMAP_THRESHOLD, block_octets);
#else
  (void)kept_octets;
  (void)block_octets;
#endif
}
