// Calls of Linux that Swift's Glibc overlay hides, since it imports without _GNU_SOURCE; the other way round, a header
// with _GNU_SOURCE would give Swift two different fd_set. So everything of Linux stays behind these functions.
// Nothing here opens a connection to anybody.
#ifndef MOTHLIGHT_CLINUX_H
#define MOTHLIGHT_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CLinuxDatagram.h"
#include "CLinuxMemory.h"
#include "CLinuxRing.h"

// One end of a conversation; an IPv4 address sits in the last four octets of an IPv4-mapped one. Port in host order.
struct clinux_end {
  uint8_t address[16];
  uint16_t port;
  uint8_t is_v4;
  uint8_t is_known;
};

// What the control messages of one received datagram say. Without an original destination the local address is used,
// whose port the caller knows.
struct clinux_arrival {
  struct clinux_end source;
  struct clinux_end destination;
  uint32_t octets;
  // Datagrams that the kernel has dropped on this socket since it was opened; valid when has_drops.
  uint32_t drops;
  uint8_t has_drops;
  uint8_t is_truncated;
};

// A socket that neither blocks nor outlives exec; is_stream 0 for datagrams.
int clinux_socket(int is_v4, int is_stream);
int clinux_bind(int fd, const struct clinux_end *end);
int clinux_name(int fd, struct clinux_end *end);
// IPv6 sockets take IPv6 only; transparent ones take what TPROXY hands over.
int clinux_set_common(int fd, int is_v4, int is_transparent);
// Destination, original destination and drop counter with every datagram; `octets` of receive buffer.
int clinux_set_datagram(int fd, int is_v4, int is_transparent, int is_shared, int octets);
int clinux_set_reuse_address(int fd);
// Octets as the kernel granted them, its own overhead included.
int clinux_receive_buffer(int fd);

// Accepts without blocking; the peer's address in *peer.
int clinux_accept(int fd, struct clinux_end *peer);
// These never block and never raise SIGPIPE.
ssize_t clinux_send(int fd, const void *octets, size_t count);
ssize_t clinux_read(int fd, void *octets, size_t count);
// Throws away what has arrived, without copying it.
ssize_t clinux_discard(int fd, size_t count);

// Room for `count` datagrams of at most `octets` octets each.
struct clinux_batch;
struct clinux_batch *clinux_batch_make(unsigned count, unsigned octets);
void clinux_batch_free(struct clinux_batch *batch);
// As many datagrams as there are and fit, in one recvmmsg, without waiting.
int clinux_batch_receive(int fd, struct clinux_batch *batch);
// Reads what came with datagram i and makes its place ready for the next call; its octets.
const void *clinux_batch_read(struct clinux_batch *batch, unsigned i, struct clinux_arrival *arrival);
// Datagrams that the kernel has dropped on this socket since it was opened, also when none came after them.
uint32_t clinux_drops(int fd);

int clinux_epoll_make(void);
// Readable or half-closed, level-triggered.
int clinux_epoll_add(int epoll, int fd, uint64_t token);
int clinux_epoll_remove(int epoll, int fd);
// Tokens of what is ready; at most 512.
int clinux_epoll_wait(int epoll, uint64_t *tokens, int most, int milliseconds);

// A descriptor that becomes readable when clinux_event_raise was called, from any thread.
int clinux_event_make(void);
int clinux_event_raise(int event);
// Holds SIGTERM and SIGINT back in this thread and those it will start; readable when one has come.
int clinux_signals_make(void);

int clinux_drop_groups(void);
int clinux_no_new_privileges(void);
int clinux_has_no_new_privileges(void);
// Raises the limit of open files as far as it goes; the limit that holds then.
uint64_t clinux_raise_open_files(uint64_t wanted);

#endif
