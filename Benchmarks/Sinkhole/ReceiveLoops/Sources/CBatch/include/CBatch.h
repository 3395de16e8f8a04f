#ifndef CBATCH_H
#define CBATCH_H
#include <stdint.h>
// Reads batches of 64 until `seconds` have passed; sums the source addresses, so that they are looked at.
// Returns the number of datagrams.
uint64_t cbatch_receive(int fd, double seconds, uint64_t *sum);
// CPU seconds of this process.
double cbatch_cpu(void);
int cbatch_socket(uint16_t port, int octets);
#endif
