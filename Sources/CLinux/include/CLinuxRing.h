// Frames of an interface through a ring that the kernel and this process share (PACKET_RX_RING, TPACKET_V3 of packet(7)).
// It only receives: no ring for sending is made, and nothing here writes to the socket.
#ifndef MOTHLIGHT_CLINUX_RING_H
#define MOTHLIGHT_CLINUX_RING_H

#include <stdint.h>

// One instruction of classic BPF, as struct sock_filter.
struct clinux_instruction {
  uint16_t code;
  uint8_t if_true;
  uint8_t if_false;
  uint32_t constant;
};

struct clinux_ring_options {
  // Octets kept of a frame, and of the whole ring.
  uint32_t snap_octets;
  uint32_t ring_octets;
  // The kernel hands a block over when it is this old, full or not.
  uint32_t block_milliseconds;
  uint8_t is_promiscuous;
};

// Which call refused; errno says why.
enum clinux_ring_step {
  clinux_ring_done,
  clinux_ring_name,
  clinux_ring_socket,
  clinux_ring_settings,
  clinux_ring_filter,
  clinux_ring_memory,
  clinux_ring_bind,
  clinux_ring_promiscuous
};

struct clinux_frame {
  const uint8_t *octets;
  uint32_t captured;
  uint32_t length;
  // Since 1970, by the kernel's clock.
  int64_t nanoseconds;
  // EtherType in host order.
  uint16_t protocol;
  // Sent by this machine.
  uint8_t is_outgoing;
  // Number of its interface.
  int32_t interface;
};

// What the hardware type (ARPHRD_*) of an interface is; -1 and errno without such an interface. Its number goes to *index.
int clinux_interface_kind(const char *name, int *index);

struct clinux_ring;
// Opens the ring of interface `index`; 0: all interfaces. `is_cooked`: frames begin behind the link header.
// NULL, *step and errno when it cannot.
struct clinux_ring *clinux_ring_open(int index, int is_cooked, const struct clinux_ring_options *options,
                                     const struct clinux_instruction *filter, unsigned instructions,
                                     enum clinux_ring_step *step);
void clinux_ring_close(struct clinux_ring *ring);
// Octets of the ring as the kernel granted them.
uint32_t clinux_ring_octets(const struct clinux_ring *ring);
// The next frames, at most `most`; valid until the next call. 0: none are there now.
unsigned clinux_ring_take(struct clinux_ring *ring, struct clinux_frame *frames, unsigned most);
// Waits for frames or for `wake` to become readable; 0, or the error number of the interface, e.g. ENETDOWN.
int clinux_ring_wait(struct clinux_ring *ring, int wake, int milliseconds);
// Frames that passed the filter and those of them that found the ring full, since the last call.
int clinux_ring_counts(struct clinux_ring *ring, uint32_t *frames, uint32_t *drops);

// Moves this thread, and those it starts, into the network namespace at `path`; -1 and errno.
int clinux_enter_network(const char *path);

#endif
