// Check-ins for a sinkhole on this machine. The destination is 127.0.0.1 and nothing else can be asked for; sources lie
// within 127.0.0.0/8, so every datagram or connection comes from "another machine".
//
//   load udp PORT SOURCES RATE SECONDS    7-octet join of the published BFBot shape; RATE 0: as fast as it goes;
//                                         SECONDS 0: until every source was there once (up to a batch more)
//   load tcp PORT CLIENTS SECONDS         one HTTP request a connection, waits for the reply or the close
//   load idle PORT CONNECTIONS SECONDS    connects and says nothing
//
// Sources come in a fixed order that visits each once before any a second time, so that the number of different ones is
// known: the truth on the last line. gcc -O2 -pthread load.c -o load
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 32 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

// The n-th source: an odd multiple modulo 2^24 meets every value once; those beyond the count are passed over.
static uint32_t next_source(uint32_t *state, uint32_t sources) {
  do *state = (*state + 0x9e3779b1u * 2 + 1) & 0xffffff;
  while (*state >= sources);
  return 0x7f000000u + 0x100u + *state;
}

static struct sockaddr_in loopback(uint16_t port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return name;
}

static int udp(uint16_t port, uint32_t sources, double rate, double seconds) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to = loopback(port);
  unsigned char join[7] = {0x61, 0x01, 0x02, 0x98, 0x89, 0x88, 0xcb};
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  char control[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
  struct in_pktinfo *info[BATCH];
  memset(messages, 0, sizeof messages);
  memset(control, 0, sizeof control);
  for (int i = 0; i < BATCH; i++) {
    vectors[i].iov_base = join;
    vectors[i].iov_len = sizeof join;
    struct msghdr *h = &messages[i].msg_hdr;
    h->msg_iov = &vectors[i];
    h->msg_iovlen = 1;
    h->msg_name = &to;
    h->msg_namelen = sizeof to;
    h->msg_control = control[i];
    h->msg_controllen = sizeof control[i];
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    info[i] = (struct in_pktinfo *)CMSG_DATA(c);
  }
  uint32_t state = 0;
  unsigned long long sent = 0, failed = 0;
  double start = now();
  while (seconds > 0 ? now() - start < seconds : sent < sources) {
    for (int i = 0; i < BATCH; i++) info[i]->ipi_spec_dst.s_addr = htonl(next_source(&state, sources));
    int done = 0;
    while (done < BATCH) {
      int n = sendmmsg(fd, messages + done, BATCH - done, 0);
      if (n > 0) done += n;
      else { failed++; if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) { perror("sendmmsg"); return 1; } }
    }
    sent += BATCH;
    if (rate > 0) {
      double due = start + sent / rate - now();
      if (due > 0) {
        struct timespec pause = {0, (long)(due * 1e9)};
        nanosleep(&pause, NULL);
      }
    }
  }
  double took = now() - start;
  printf("udp sent %llu in %.1f s, %.0f/s, %.2f CPU s, retries %llu, unique %llu\n", sent, took, sent / took, cpu(), failed,
         sent < sources ? sent : (unsigned long long)sources);
  return 0;
}

static atomic_int is_over;
static atomic_ullong answered, closed, failed_connects;
static uint16_t tcp_port;

static void *client(void *argument) {
  static const char request[] =
      "GET /i/logo.gif?1a2b3c=-42&id=7 HTTP/1.1\r\nHost: seized.example\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE "
      "6.0; Windows NT 5.1)\r\nX-Fill: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n";
  uint32_t state = (uint32_t)(uintptr_t)argument * 1000003u;
  struct sockaddr_in to = loopback(tcp_port);
  while (!is_over) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(next_source(&state, 200000));
    struct timeval limit = {2, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char answer[512];
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0) {
      if (recv(fd, answer, sizeof answer, 0) > 0) answered++;
      else closed++;
    } else {
      failed_connects++;
    }
    // A reset leaves no waiting sockets behind.
    struct linger hard = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
  }
  return NULL;
}

static int tcp(uint16_t port, int clients, double seconds) {
  pthread_t threads[64];
  tcp_port = port;
  if (clients > 64) clients = 64;
  double start = now();
  for (intptr_t i = 0; i < clients; i++) pthread_create(&threads[i], NULL, client, (void *)(i + 1));
  usleep((useconds_t)(seconds * 1e6));
  is_over = 1;
  for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);
  double took = now() - start;
  printf("tcp answered %llu, closed %llu, failed %llu in %.1f s, %.0f/s, %.2f CPU s\n", (unsigned long long)answered,
         (unsigned long long)closed, (unsigned long long)failed_connects, took, answered / took, cpu());
  return 0;
}

static int idle(uint16_t port, int connections, double seconds) {
  struct rlimit limit = {(rlim_t)connections + 64, (rlim_t)connections + 64};
  setrlimit(RLIMIT_NOFILE, &limit);
  struct sockaddr_in to = loopback(port);
  uint32_t state = 0;
  int open = 0;
  for (int i = 0; i < connections; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) break;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(next_source(&state, 200000));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) == 0 && connect(fd, (struct sockaddr *)&to, sizeof to) == 0) open++;
    else close(fd);
  }
  printf("idle open %d\n", open);
  fflush(stdout);
  usleep((useconds_t)(seconds * 1e6));
  return 0;
}

int main(int count, char **arguments) {
  if (count >= 4) {
    long port = strtol(arguments[2], NULL, 10);
    if (port < 1 || port > 65535) return fprintf(stderr, "load: the second word is a port\n"), 2;
    if (!strcmp(arguments[1], "udp") && count == 6) {
      uint32_t sources = (uint32_t)strtoul(arguments[3], NULL, 10);
      if (sources < 1 || sources > 0xfffe00) return fprintf(stderr, "load: 127/8 has %u sources\n", 0xfffe00), 2;
      return udp((uint16_t)port, sources, strtod(arguments[4], NULL), strtod(arguments[5], NULL));
    }
    if (!strcmp(arguments[1], "tcp") && count == 5)
      return tcp((uint16_t)port, (int)strtol(arguments[3], NULL, 10), strtod(arguments[4], NULL));
    if (!strcmp(arguments[1], "idle") && count == 5)
      return idle((uint16_t)port, (int)strtol(arguments[3], NULL, 10), strtod(arguments[4], NULL));
  }
  fprintf(stderr, "load udp PORT SOURCES RATE SECONDS | tcp PORT CLIENTS SECONDS | idle PORT CONNECTIONS SECONDS\n"
                  "The destination is 127.0.0.1 and cannot be changed.\n");
  return 2;
}
