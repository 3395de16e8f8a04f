// See the header. Control messages are read here, as CMSG_* are macros.
#define _GNU_SOURCE 1
#include "CLinux.h"

#include <errno.h>
#include <grp.h>
#ifdef __GLIBC__
#endif
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef SO_RXQ_OVFL
#define SO_RXQ_OVFL 40
#endif
#ifndef IP_TRANSPARENT
#define IP_TRANSPARENT 19
#endif
#ifndef IP_RECVORIGDSTADDR
#define IP_RECVORIGDSTADDR 20
#endif
#ifndef IPV6_RECVORIGDSTADDR
#define IPV6_RECVORIGDSTADDR 74
#endif
#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

// Octets of control messages a datagram may carry: destination (twice) and the drop counter.
#define CONTROL_OCTETS 128

static void clinux_end_read(const struct sockaddr *from, struct clinux_end *end) {
  memset(end, 0, sizeof *end);
  if (from->sa_family == AF_INET) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
    end->address[10] = end->address[11] = 0xff;
    memcpy(end->address + 12, &v4->sin_addr, 4);
    end->port = ntohs(v4->sin_port);
    end->is_v4 = end->is_known = 1;
  } else if (from->sa_family == AF_INET6) {
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    memcpy(end->address, &v6->sin6_addr, 16);
    end->port = ntohs(v6->sin6_port);
    end->is_v4 = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) != 0;
    end->is_known = 1;
  }
}

// Writes a socket address; the length that bind(2) wants.
static socklen_t clinux_end_write(const struct clinux_end *end, struct sockaddr_storage *to) {
  memset(to, 0, sizeof *to);
  if (end->is_v4) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    v4->sin_family = AF_INET;
    memcpy(&v4->sin_addr, end->address + 12, 4);
    v4->sin_port = htons(end->port);
    return sizeof *v4;
  }
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
  v6->sin6_family = AF_INET6;
  memcpy(&v6->sin6_addr, end->address, 16);
  v6->sin6_port = htons(end->port);
  return sizeof *v6;
}

int clinux_name(int fd, struct clinux_end *end) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname(fd, (struct sockaddr *)&name, &length) != 0) return -1;
  clinux_end_read((struct sockaddr *)&name, end);
  return 0;
}

int clinux_bind(int fd, const struct clinux_end *end) {
  struct sockaddr_storage name;
  socklen_t length = clinux_end_write(end, &name);
  return bind(fd, (struct sockaddr *)&name, length);
}

// A socket that neither blocks nor outlives exec; is_stream 0 for datagrams.
int clinux_socket(int is_v4, int is_stream) {
  return socket(is_v4 ? AF_INET : AF_INET6, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

int clinux_set_common(int fd, int is_v4, int is_transparent) {
  if (!is_v4 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0) return -1;
  if (!is_transparent) return 0;
  return is_v4 ? set(fd, IPPROTO_IP, IP_TRANSPARENT, 1) : set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1);
}

int clinux_set_datagram(int fd, int is_v4, int is_transparent, int is_shared, int octets) {
  if (is_shared && set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0) return -1;
  if ((is_v4 ? set(fd, IPPROTO_IP, IP_PKTINFO, 1) : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) != 0) return -1;
  if (is_transparent) {
    int failed = is_v4 ? set(fd, IPPROTO_IP, IP_RECVORIGDSTADDR, 1) : set(fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR, 1);
    if (failed != 0) return -1;
  }
  if (set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1) != 0) return -1;
  // Beyond net.core.rmem_max with CAP_NET_ADMIN, up to it otherwise.
  if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, octets) != 0) set(fd, SOL_SOCKET, SO_RCVBUF, octets);
  return 0;
}

int clinux_set_reuse_address(int fd) { return set(fd, SOL_SOCKET, SO_REUSEADDR, 1); }

int clinux_receive_buffer(int fd) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &length) == 0 ? value : -1;
}

// Accepts without blocking; the peer's address in *peer.
int clinux_accept(int fd, struct clinux_end *peer) {
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  int connection = accept4(fd, (struct sockaddr *)&name, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (connection >= 0) clinux_end_read((struct sockaddr *)&name, peer);
  return connection;
}

static void clinux_arrival_read(const struct msghdr *header, uint32_t octets, struct clinux_arrival *arrival) {
  clinux_end_read((const struct sockaddr *)header->msg_name, &arrival->source);
  memset(&arrival->destination, 0, sizeof arrival->destination);
  arrival->octets = octets;
  arrival->has_drops = 0;
  arrival->is_truncated = (header->msg_flags & MSG_TRUNC) != 0;
  struct msghdr *h = (struct msghdr *)header;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
    const unsigned char *body = CMSG_DATA(c);
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      memcpy(&arrival->drops, body, sizeof arrival->drops);
      arrival->has_drops = 1;
    } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVORIGDSTADDR) ||
               (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVORIGDSTADDR)) {
      struct sockaddr_storage name;
      size_t length = c->cmsg_len - CMSG_LEN(0);
      memset(&name, 0, sizeof name);
      memcpy(&name, body, length < sizeof name ? length : sizeof name);
      clinux_end_read((struct sockaddr *)&name, &arrival->destination);
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && arrival->destination.port == 0) {
      struct in_pktinfo info;
      memcpy(&info, body, sizeof info);
      arrival->destination.address[10] = arrival->destination.address[11] = 0xff;
      memcpy(arrival->destination.address + 12, &info.ipi_addr, 4);
      arrival->destination.is_v4 = arrival->destination.is_known = 1;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO && arrival->destination.port == 0) {
      struct in6_pktinfo info;
      memcpy(&info, body, sizeof info);
      memcpy(arrival->destination.address, &info.ipi6_addr, 16);
      arrival->destination.is_v4 = IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr) != 0;
      arrival->destination.is_known = 1;
    }
  }
}

// Room for `count` datagrams of at most `octets` octets each. Freed with the pointer itself.
struct clinux_batch {
  struct mmsghdr *headers;
  struct iovec *vectors;
  struct sockaddr_storage *names;
  unsigned char *control;
  unsigned char *payload;
  unsigned count;
  unsigned octets;
};

struct clinux_batch *clinux_batch_make(unsigned count, unsigned octets) {
  struct clinux_batch *batch = (struct clinux_batch *)calloc(1, sizeof *batch);
  if (batch == NULL) return NULL;
  batch->count = count;
  batch->octets = octets;
  batch->headers = (struct mmsghdr *)calloc(count, sizeof *batch->headers);
  batch->vectors = (struct iovec *)calloc(count, sizeof *batch->vectors);
  batch->names = (struct sockaddr_storage *)calloc(count, sizeof *batch->names);
  batch->control = (unsigned char *)calloc(count, CONTROL_OCTETS);
  batch->payload = (unsigned char *)calloc(count, octets);
  if (!batch->headers || !batch->vectors || !batch->names || !batch->control || !batch->payload) return NULL;
  for (unsigned i = 0; i < count; i++) {
    batch->vectors[i].iov_base = batch->payload + (size_t)i * octets;
    batch->vectors[i].iov_len = octets;
    batch->headers[i].msg_hdr.msg_iov = &batch->vectors[i];
    batch->headers[i].msg_hdr.msg_iovlen = 1;
    batch->headers[i].msg_hdr.msg_name = &batch->names[i];
    batch->headers[i].msg_hdr.msg_control = batch->control + (size_t)i * CONTROL_OCTETS;
    batch->headers[i].msg_hdr.msg_namelen = sizeof batch->names[i];
    batch->headers[i].msg_hdr.msg_controllen = CONTROL_OCTETS;
  }
  return batch;
}

void clinux_batch_free(struct clinux_batch *batch) {
  if (batch == NULL) return;
  free(batch->headers);
  free(batch->vectors);
  free(batch->names);
  free(batch->control);
  free(batch->payload);
  free(batch);
}

// At most batch->count datagrams in one call, without waiting.
int clinux_batch_receive(int fd, struct clinux_batch *batch) {
  return recvmmsg(fd, batch->headers, batch->count, MSG_DONTWAIT, NULL);
}

// Reads what came with datagram i and makes its place ready for the next call.
const void *clinux_batch_read(struct clinux_batch *batch, unsigned i, struct clinux_arrival *arrival) {
  struct msghdr *header = &batch->headers[i].msg_hdr;
  clinux_arrival_read(header, batch->headers[i].msg_len, arrival);
  header->msg_namelen = sizeof batch->names[i];
  header->msg_controllen = CONTROL_OCTETS;
  return batch->vectors[i].iov_base;
}

// Datagrams that the kernel has dropped on this socket since it was opened, also when none came after them.
uint32_t clinux_drops(int fd) {
  uint32_t memory[16] = {0};
  socklen_t length = sizeof memory;
  // SO_MEMINFO, SK_MEMINFO_DROPS of linux/sock_diag.h.
  if (getsockopt(fd, SOL_SOCKET, 55, memory, &length) != 0 || length < 9 * sizeof(uint32_t)) return 0;
  return memory[8];
}

// Sends all of a short message or nothing is known of it; never blocks, never raises SIGPIPE.
ssize_t clinux_send(int fd, const void *octets, size_t count) {
  return send(fd, octets, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t clinux_read(int fd, void *octets, size_t count) { return recv(fd, octets, count, MSG_DONTWAIT); }

// Throws away what has arrived, without copying it.
ssize_t clinux_discard(int fd, size_t count) { return recv(fd, NULL, count, MSG_DONTWAIT | MSG_TRUNC); }

int clinux_epoll_add(int epoll, int fd, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data = {.u64 = token}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_remove(int epoll, int fd) { return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); }

int clinux_epoll_make(void) { return epoll_create1(EPOLL_CLOEXEC); }
int clinux_epoll_wait(int epoll, uint64_t *tokens, int most, int milliseconds) {
  struct epoll_event events[512];
  int count = epoll_wait(epoll, events, most < 512 ? most : 512, milliseconds);
  for (int i = 0; i < count; i++) tokens[i] = events[i].data.u64;
  return count;
}

// A descriptor that becomes readable when clinux_event_raise was called, from any thread.
int clinux_event_make(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
int clinux_event_raise(int event) {
  uint64_t one = 1;
  return write(event, &one, sizeof one) == sizeof one ? 0 : -1;
}

// Holds SIGTERM and SIGINT back in this thread and those it will start; readable when one has come.
int clinux_signals_make(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_drop_groups(void) { return setgroups(0, NULL); }
int clinux_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
int clinux_has_no_new_privileges(void) { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); }

// Raises the limit of open files as far as it goes; the limit that holds then.
uint64_t clinux_raise_open_files(uint64_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < wanted) {
    struct rlimit raised = limit;
    raised.rlim_cur = wanted;
    if (raised.rlim_max < wanted) raised.rlim_max = wanted;
    if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
      raised = limit;
      raised.rlim_cur = limit.rlim_max;
      setrlimit(RLIMIT_NOFILE, &raised);
    }
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return limit.rlim_cur;
}
