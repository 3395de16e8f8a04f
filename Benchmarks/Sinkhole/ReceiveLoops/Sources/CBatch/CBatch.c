#define _GNU_SOURCE 1
#include "CBatch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

double cbatch_cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

int cbatch_socket(uint16_t port, int octets) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
  struct timeval limit = {0, 100000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(fd, (struct sockaddr *)&name, sizeof name) == 0 ? fd : -1;
}

uint64_t cbatch_receive(int fd, double seconds, uint64_t *sum) {
  static unsigned char payload[64][2048];
  struct mmsghdr messages[64];
  struct iovec vectors[64];
  struct sockaddr_in names[64];
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < 64; i++) {
    vectors[i].iov_base = payload[i];
    vectors[i].iov_len = sizeof payload[i];
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &names[i];
  }
  uint64_t count = 0;
  double end = now() + seconds;
  while (now() < end) {
    for (int i = 0; i < 64; i++) messages[i].msg_hdr.msg_namelen = sizeof names[i];
    int n = recvmmsg(fd, messages, 64, MSG_WAITFORONE, NULL);
    for (int i = 0; i < n; i++) *sum += names[i].sin_addr.s_addr;
    if (n > 0) count += (uint64_t)n;
  }
  return count;
}
