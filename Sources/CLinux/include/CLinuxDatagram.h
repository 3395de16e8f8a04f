// Datagrams in batches, in and out, and the other calls of a name server that Swift's Glibc overlay hides: it imports
// without _GNU_SOURCE. Nothing here opens a connection to anybody.
#ifndef MOTHLIGHT_CLINUX_DATAGRAM_H
#define MOTHLIGHT_CLINUX_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Addresses are two words in host order, IPv4 as IPv4-mapped; ports in host order.
struct clinux_peer {
  uint64_t high;
  uint64_t low;
  uint16_t port;
};

// Opens, binds, for streams listens. -1 and errno when it cannot. `port` becomes the one that was given.
// is_shared: SO_REUSEPORT. Datagram sockets bound to no address answer from the one that was asked.
int clinux_server_socket(const struct clinux_peer *address, int is_stream, int is_shared, int receive_octets,
                         uint16_t *port);
// Datagrams that the kernel has dropped on this socket since it was opened.
uint32_t clinux_socket_drops(int fd);
// Accepts without blocking; -1 and errno.
int clinux_server_accept(int fd, struct clinux_peer *peer);
ssize_t clinux_server_send(int fd, const void *octets, size_t count);

// Room for `count` queries of up to `query_octets` and as many replies of up to `reply_octets`.
struct clinux_exchange;
struct clinux_exchange *clinux_exchange_make(unsigned count, unsigned query_octets, unsigned reply_octets);
void clinux_exchange_free(struct clinux_exchange *exchange);
// As many as have come, in one recvmmsg, without waiting; -1 and errno.
int clinux_exchange_receive(int fd, struct clinux_exchange *exchange);
// Query i; `octets` is 0 for one that was longer than its room, whose end is lost.
const void *clinux_exchange_query(struct clinux_exchange *exchange, unsigned i, unsigned *octets,
                                  struct clinux_peer *peer);
void *clinux_exchange_reply(struct clinux_exchange *exchange, unsigned i);
// Reply i goes out with the next send, to where query i came from.
void clinux_exchange_queue(struct clinux_exchange *exchange, unsigned i, unsigned octets);
// Sends what was queued, in one sendmmsg if the socket takes it; how many the socket did not take.
unsigned clinux_exchange_send(int fd, struct clinux_exchange *exchange);

// epoll_wait for descriptors that were added with their own number, level-triggered.
int clinux_poll_make(void);
int clinux_poll_set(int poll, int fd, int wants_write, int is_new);
// Descriptors that are ready, at most 256.
int clinux_poll_wait(int poll, int32_t *ready, int most, int milliseconds);

#endif
