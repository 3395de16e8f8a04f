// Settings of the allocator that Swift's Glibc overlay hides. 0: another C library, or it declines, and nothing was changed.
#ifndef MOTHLIGHT_CLINUX_MEMORY_H
#define MOTHLIGHT_CLINUX_MEMORY_H

// Freed memory stays with the program, up to so many octets at the end of its heap; blocks below `block_octets` come from there.
int clinux_keep_freed_blocks(int kept_octets, int block_octets);
// Blocks of 256 KiB and more go back to the system when they are freed; two arenas whatever the number of threads.
int clinux_give_back_freed_blocks(void);
// Gives back the free pages between blocks that are in use, too; some milliseconds for each 100 MB.
int clinux_give_back_holes(void);
// Octets handed out by the allocator, and octets it holds back between and behind them; of all arenas.
int clinux_heap(unsigned long long *used, unsigned long long *unused);

#endif
