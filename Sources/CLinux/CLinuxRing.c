#define _GNU_SOURCE 1
#include "CLinuxRing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

// From linux/if_ether.h: every protocol.
enum { every_protocol = 0x0003 };

// A block holds at least one frame of the largest size, with its headers.
enum { block_octets = 1 << 20, least_ring_octets = 4 << 20, frame_octets = 2048 };

struct clinux_ring {
  int fd;
  uint8_t *memory;
  uint32_t blocks;
  // The block in hand, and what is left of it.
  uint32_t block;
  uint32_t frames_left;
  const uint8_t *next;
  const uint8_t *block_end;
  int is_held;
};

int clinux_interface_kind(const char *name, int *index) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  if (strlen(name) >= sizeof request.ifr_name) {
    errno = ENODEV;
    return -1;
  }
  strcpy(request.ifr_name, name);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int kind = -1;
  if (ioctl(fd, SIOCGIFINDEX, &request) == 0) {
    *index = request.ifr_ifindex;
    if (ioctl(fd, SIOCGIFHWADDR, &request) == 0) kind = request.ifr_hwaddr.sa_family;
  }
  int reason = errno;
  close(fd);
  errno = reason;
  return kind;
}

static int attach(int fd, const struct clinux_instruction *filter, unsigned count) {
  if (count == 0) return 0;
  struct sock_filter *code = (struct sock_filter *)calloc(count, sizeof *code);
  if (code == NULL) return -1;
  for (unsigned i = 0; i < count; i++) {
    code[i] = (struct sock_filter){filter[i].code, filter[i].if_true, filter[i].if_false, filter[i].constant};
  }
  struct sock_fprog program = {(unsigned short)count, code};
  int result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  free(code);
  return result;
}

// As much as asked for, or half of it and so on: memory that lies together may be scarce.
static int reserve(struct clinux_ring *ring, const struct clinux_ring_options *options) {
  uint32_t octets = options->ring_octets < least_ring_octets ? least_ring_octets : options->ring_octets;
  for (; octets >= least_ring_octets; octets /= 2) {
    struct tpacket_req3 request;
    memset(&request, 0, sizeof request);
    request.tp_block_size = block_octets;
    request.tp_block_nr = octets / block_octets;
    request.tp_frame_size = frame_octets;
    request.tp_frame_nr = request.tp_block_nr * (block_octets / frame_octets);
    request.tp_retire_blk_tov = options->block_milliseconds;
    if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0) {
      ring->blocks = request.tp_block_nr;
      void *memory = mmap(NULL, (size_t)ring->blocks * block_octets, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
      if (memory == MAP_FAILED) return -1;
      ring->memory = (uint8_t *)memory;
      return 0;
    }
    if (errno != ENOMEM) return -1;
  }
  return -1;
}

static enum clinux_ring_step prepare(struct clinux_ring *ring, int index, int is_cooked,
                                     const struct clinux_ring_options *options,
                                     const struct clinux_instruction *filter, unsigned instructions) {
  // Without a protocol nothing arrives before the filter stands and the interface is named.
  ring->fd = socket(AF_PACKET, (is_cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (ring->fd < 0) return clinux_ring_socket;
  int version = TPACKET_V3;
  if (setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version)) return clinux_ring_settings;
  if (attach(ring->fd, filter, instructions)) return clinux_ring_filter;
  if (reserve(ring, options)) return clinux_ring_memory;
  struct sockaddr_ll place;
  memset(&place, 0, sizeof place);
  place.sll_family = AF_PACKET;
  place.sll_protocol = htons(every_protocol);
  place.sll_ifindex = index;
  if (bind(ring->fd, (struct sockaddr *)&place, sizeof place)) return clinux_ring_bind;
  // An interface that is down takes the bind and says so afterwards.
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) {
    if (error) errno = error;
    return clinux_ring_bind;
  }
  if (options->is_promiscuous && index != 0) {
    struct packet_mreq member;
    memset(&member, 0, sizeof member);
    member.mr_ifindex = index;
    member.mr_type = PACKET_MR_PROMISC;
    if (setsockopt(ring->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member)) return clinux_ring_promiscuous;
  }
  return clinux_ring_done;
}

struct clinux_ring *clinux_ring_open(int index, int is_cooked, const struct clinux_ring_options *options,
                                     const struct clinux_instruction *filter, unsigned instructions,
                                     enum clinux_ring_step *step) {
  struct clinux_ring *ring = (struct clinux_ring *)calloc(1, sizeof *ring);
  if (ring == NULL) {
    *step = clinux_ring_memory;
    return NULL;
  }
  ring->fd = -1;
  *step = prepare(ring, index, is_cooked, options, filter, instructions);
  if (*step == clinux_ring_done) return ring;
  int reason = errno;
  clinux_ring_close(ring);
  errno = reason;
  return NULL;
}

void clinux_ring_close(struct clinux_ring *ring) {
  if (ring == NULL) return;
  if (ring->memory) munmap(ring->memory, (size_t)ring->blocks * block_octets);
  if (ring->fd >= 0) close(ring->fd);
  free(ring);
}

uint32_t clinux_ring_octets(const struct clinux_ring *ring) { return ring->blocks * (uint32_t)block_octets; }

static struct tpacket_block_desc *block(const struct clinux_ring *ring) {
  return (struct tpacket_block_desc *)(ring->memory + (size_t)ring->block * block_octets);
}

static void give_back(struct clinux_ring *ring) {
  if (!ring->is_held) return;
  __atomic_store_n(&block(ring)->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  ring->block = ring->block + 1 == ring->blocks ? 0 : ring->block + 1;
  ring->is_held = 0;
}

static int hold(struct clinux_ring *ring) {
  struct tpacket_block_desc *here = block(ring);
  if (!(__atomic_load_n(&here->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return 0;
  ring->frames_left = here->hdr.bh1.num_pkts;
  ring->next = (const uint8_t *)here + here->hdr.bh1.offset_to_first_pkt;
  ring->block_end = (const uint8_t *)here + block_octets;
  ring->is_held = 1;
  return 1;
}

unsigned clinux_ring_take(struct clinux_ring *ring, struct clinux_frame *frames, unsigned most) {
  // An empty block has timed out without frames.
  while (ring->frames_left == 0) {
    give_back(ring);
    if (!hold(ring)) return 0;
  }
  unsigned count = 0;
  while (count < most && ring->frames_left > 0) {
    const struct tpacket3_hdr *head = (const struct tpacket3_hdr *)ring->next;
    const struct sockaddr_ll *from = (const struct sockaddr_ll *)(ring->next + TPACKET_ALIGN(sizeof *head));
    struct clinux_frame *frame = &frames[count++];
    frame->octets = ring->next + head->tp_mac;
    uint32_t room = (uint32_t)(ring->block_end - frame->octets);
    frame->captured = head->tp_snaplen < room ? head->tp_snaplen : room;
    frame->length = head->tp_len;
    frame->nanoseconds = (int64_t)head->tp_sec * 1000000000 + head->tp_nsec;
    frame->protocol = ntohs(from->sll_protocol);
    frame->is_outgoing = from->sll_pkttype == PACKET_OUTGOING;
    frame->interface = from->sll_ifindex;
    ring->frames_left--;
    ring->next += head->tp_next_offset;
  }
  return count;
}

int clinux_ring_wait(struct clinux_ring *ring, int wake, int milliseconds) {
  struct pollfd watched[2] = {{.fd = ring->fd, .events = POLLIN | POLLERR}, {.fd = wake, .events = POLLIN}};
  if (poll(watched, wake < 0 ? 1 : 2, milliseconds) <= 0) return 0;
  if (!(watched[0].revents & (POLLERR | POLLHUP | POLLNVAL))) return 0;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &error, &size)) return errno;
  return error;
}

int clinux_ring_counts(struct clinux_ring *ring, uint32_t *frames, uint32_t *drops) {
  struct tpacket_stats_v3 counts;
  socklen_t size = sizeof counts;
  memset(&counts, 0, sizeof counts);
  if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &counts, &size)) return -1;
  *frames = counts.tp_packets;
  *drops = counts.tp_drops;
  return 0;
}

int clinux_enter_network(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = setns(fd, CLONE_NEWNET);
  int reason = errno;
  close(fd);
  errno = reason;
  return result;
}
