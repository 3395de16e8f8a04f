// Settings of the allocator that Swift's Glibc overlay hides.
#ifndef MOTHLIGHT_CLINUX_MEMORY_H
#define MOTHLIGHT_CLINUX_MEMORY_H

// Freed memory stays with the program, up to so many octets at the end of its heap; blocks below `block_octets` come from there.
void clinux_keep_freed(int kept_octets, int block_octets);

#endif
