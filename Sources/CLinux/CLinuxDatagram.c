#define _GNU_SOURCE 1
#include "CLinuxDatagram.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

// From linux/sock_diag.h: place of the drop counter in what SO_MEMINFO gives.
enum { meminfo_words = 9, meminfo_drops = 8 };

static uint64_t load64(const uint8_t *at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | at[i];
  return value;
}

static void store64(uint8_t *at, uint64_t value) {
  for (int i = 7; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static int is_v4(const struct clinux_peer *peer) { return peer->high == 0 && peer->low >> 32 == 0xffff; }

static void read_peer(const struct sockaddr_storage *from, struct clinux_peer *peer) {
  if (from->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)from;
    peer->high = 0;
    peer->low = 0xffff00000000ull | ntohl(in->sin_addr.s_addr);
    peer->port = ntohs(in->sin_port);
  } else {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)from;
    peer->high = load64(in->sin6_addr.s6_addr);
    peer->low = load64(in->sin6_addr.s6_addr + 8);
    peer->port = ntohs(in->sin6_port);
  }
}

static socklen_t write_peer(const struct clinux_peer *peer, struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (is_v4(peer)) {
    struct sockaddr_in *in = (struct sockaddr_in *)to;
    in->sin_family = AF_INET;
    in->sin_port = htons(peer->port);
    in->sin_addr.s_addr = htonl((uint32_t)peer->low);
    return sizeof *in;
  }
  struct sockaddr_in6 *in = (struct sockaddr_in6 *)to;
  in->sin6_family = AF_INET6;
  in->sin6_port = htons(peer->port);
  store64(in->sin6_addr.s6_addr, peer->high);
  store64(in->sin6_addr.s6_addr + 8, peer->low);
  return sizeof *in;
}

static int set(int fd, int level, int name, int value) { return setsockopt(fd, level, name, &value, sizeof value); }

static int prepare(int fd, const struct clinux_peer *address, int is_stream, int is_shared, int receive_octets) {
  int v4 = is_v4(address);
  if (!v4 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return -1;
  if (is_stream) {
    if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return -1;
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return 0;
  }
  if (is_shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return -1;
  // As much as this process may have; less is no error.
  if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_octets)) set(fd, SOL_SOCKET, SO_RCVBUF, receive_octets);
  // Fragments and forged path MTUs are no concern of replies of at most 1232 octets (RFC 9715).
  if (v4) set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  else set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  int is_wildcard = v4 ? (uint32_t)address->low == 0 : address->high == 0 && address->low == 0;
  if (!is_wildcard) return 0;
  return v4 ? set(fd, IPPROTO_IP, IP_PKTINFO, 1) : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

int clinux_server_socket(const struct clinux_peer *address, int is_stream, int is_shared, int receive_octets,
                         uint16_t *port) {
  struct sockaddr_storage name;
  socklen_t size = write_peer(address, &name);
  int type = (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int fd = socket(name.ss_family, type, 0);
  if (fd < 0) return -1;
  struct sockaddr_storage bound;
  socklen_t bound_size = sizeof bound;
  if (prepare(fd, address, is_stream, is_shared, receive_octets) || bind(fd, (struct sockaddr *)&name, size) ||
      (is_stream && listen(fd, 512)) || getsockname(fd, (struct sockaddr *)&bound, &bound_size)) {
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
  }
  struct clinux_peer own;
  read_peer(&bound, &own);
  *port = own.port;
  return fd;
}

uint32_t clinux_socket_drops(int fd) {
  uint32_t words[meminfo_words] = {0};
  socklen_t size = sizeof words;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, words, &size) || size < sizeof words) return 0;
  return words[meminfo_drops];
}

int clinux_server_accept(int fd, struct clinux_peer *peer) {
  struct sockaddr_storage from;
  socklen_t size = sizeof from;
  int accepted = accept4(fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) {
    read_peer(&from, peer);
    set(accepted, IPPROTO_TCP, TCP_NODELAY, 1);
  }
  return accepted;
}

ssize_t clinux_server_send(int fd, const void *octets, size_t count) {
  return send(fd, octets, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

enum { control_octets = 64 };

struct clinux_exchange {
  unsigned count, query_octets, reply_octets, queued;
  struct mmsghdr *in, *out;
  struct iovec *in_parts, *out_parts;
  struct sockaddr_storage *peers;
  uint8_t *controls, *queries, *replies;
};

struct clinux_exchange *clinux_exchange_make(unsigned count, unsigned query_octets, unsigned reply_octets) {
  struct clinux_exchange *x = calloc(1, sizeof *x);
  if (!x) return NULL;
  x->count = count;
  x->query_octets = query_octets;
  x->reply_octets = reply_octets;
  x->in = calloc(count, sizeof *x->in);
  x->out = calloc(count, sizeof *x->out);
  x->in_parts = calloc(count, sizeof *x->in_parts);
  x->out_parts = calloc(count, sizeof *x->out_parts);
  x->peers = calloc(count, sizeof *x->peers);
  x->controls = calloc(count, control_octets);
  x->queries = calloc(count, query_octets);
  x->replies = calloc(count, reply_octets);
  if (!x->in || !x->out || !x->in_parts || !x->out_parts || !x->peers || !x->controls || !x->queries || !x->replies) {
    clinux_exchange_free(x);
    return NULL;
  }
  for (unsigned i = 0; i < count; i++) {
    x->in_parts[i] = (struct iovec){x->queries + (size_t)i * query_octets, query_octets};
    struct msghdr *m = &x->in[i].msg_hdr;
    m->msg_iov = &x->in_parts[i];
    m->msg_iovlen = 1;
    m->msg_name = &x->peers[i];
    m->msg_control = x->controls + (size_t)i * control_octets;
  }
  return x;
}

void clinux_exchange_free(struct clinux_exchange *x) {
  if (!x) return;
  free(x->in);
  free(x->out);
  free(x->in_parts);
  free(x->out_parts);
  free(x->peers);
  free(x->controls);
  free(x->queries);
  free(x->replies);
  free(x);
}

int clinux_exchange_receive(int fd, struct clinux_exchange *x) {
  for (unsigned i = 0; i < x->count; i++) {
    struct msghdr *m = &x->in[i].msg_hdr;
    m->msg_namelen = sizeof x->peers[i];
    m->msg_controllen = control_octets;
    m->msg_flags = 0;
  }
  x->queued = 0;
  return recvmmsg(fd, x->in, x->count, MSG_DONTWAIT, NULL);
}

const void *clinux_exchange_query(struct clinux_exchange *x, unsigned i, unsigned *octets, struct clinux_peer *peer) {
  const struct msghdr *m = &x->in[i].msg_hdr;
  *octets = m->msg_flags & MSG_TRUNC ? 0 : x->in[i].msg_len;
  read_peer(&x->peers[i], peer);
  return x->queries + (size_t)i * x->query_octets;
}

void *clinux_exchange_reply(struct clinux_exchange *x, unsigned i) { return x->replies + (size_t)i * x->reply_octets; }

void clinux_exchange_queue(struct clinux_exchange *x, unsigned i, unsigned octets) {
  struct msghdr *from = &x->in[i].msg_hdr;
  struct msghdr *m = &x->out[x->queued].msg_hdr;
  x->out_parts[x->queued] = (struct iovec){x->replies + (size_t)i * x->reply_octets, octets};
  m->msg_name = from->msg_name;
  m->msg_namelen = from->msg_namelen;
  m->msg_iov = &x->out_parts[x->queued];
  m->msg_iovlen = 1;
  // What said where the query arrived says from where the reply leaves; the route back is the kernel's choice.
  m->msg_control = from->msg_controllen ? from->msg_control : NULL;
  m->msg_controllen = from->msg_controllen;
  struct cmsghdr *c = CMSG_FIRSTHDR(m);
  if (c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
    ((struct in_pktinfo *)CMSG_DATA(c))->ipi_ifindex = 0;
  }
  x->queued++;
}

unsigned clinux_exchange_send(int fd, struct clinux_exchange *x) {
  unsigned done = 0, lost = 0;
  while (done < x->queued) {
    int sent = sendmmsg(fd, x->out + done, x->queued - done, MSG_DONTWAIT);
    if (sent > 0) {
      done += (unsigned)sent;
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else {
      // The first of the rest cannot go; those after it may.
      done++;
      lost++;
    }
  }
  x->queued = 0;
  return lost;
}

int clinux_poll_make(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_poll_set(int poll, int fd, int wants_write, int is_new) {
  // Either reads or writes: who does not take replies is not read from.
  struct epoll_event event = {.events = wants_write ? EPOLLOUT : EPOLLIN | EPOLLRDHUP, .data.fd = fd};
  return epoll_ctl(poll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

int clinux_poll_wait(int poll, int32_t *ready, int most, int milliseconds) {
  struct epoll_event events[256];
  int count = epoll_wait(poll, events, most < 256 ? most : 256, milliseconds);
  for (int i = 0; i < count; i++) ready[i] = events[i].data.fd;
  return count;
}
