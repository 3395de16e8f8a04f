import CLinux
import Glibc
import Mothlight

/// One UDP socket that only listens. The type has no way to send: its descriptor is private, and nothing here writes.
final class DatagramReceiver {
  /// Datagrams of one call: batching pays once the queue is deep, and 64 bound what one socket takes before the next.
  static let batch: UInt32 = 64
  /// Octets kept of a datagram; a check-in takes less than a hundred, and the length of a longer one is known anyway.
  static let octetsMost: UInt32 = 2048
  /// Calls in one turn of the loop, so that a flooded port does not starve the others.
  static let callsMost = 32

  private let socket: Socket
  private let declared: UInt16
  private let tally: CheckInTally
  private let room: OpaquePointer
  private var arrivals = [clinux_arrival](repeating: clinux_arrival(), count: Int(DatagramReceiver.batch))
  private var payloads = [UnsafeRawPointer?](repeating: nil, count: Int(DatagramReceiver.batch))
  private var dropsSeen: UInt32 = 0

  private(set) var datagrams: UInt64 = 0
  /// Lost in the kernel since the socket was opened: the buffer was full.
  private(set) var kernelDrops: UInt64 = 0

  init(
    _ listener: ListenerConfiguration.Listener, declared: UInt16, tally: CheckInTally
  ) throws(ListenError) {
    socket = try Socket(
      listener.address,
      SocketOptions(
        isStream: false, isTransparent: listener.isTransparent, isShared: listener.sockets > 1,
        receiveBufferOctets: Int32(clamping: listener.receiveBufferOctets)))
    guard let room = clinux_batch_make(Self.batch, Self.octetsMost) else {
      throw ListenError("udp \(listener.address): no memory for the receive batch")
    }
    self.room = room
    self.declared = declared
    self.tally = tally
  }

  deinit { clinux_batch_free(room) }

  var address: ListenAddress { socket.address }
  var receiveBufferOctets: Int { socket.receiveBufferOctets }

  func watch(on epoll: Int32, token: UInt64) -> Bool {
    clinux_epoll_add(epoll, socket.descriptor, token) == 0
  }

  /// Takes what is there, up to `callsMost` batches; whether more may be waiting.
  func drain() -> Bool {
    for _ in 0..<Self.callsMost {
      let count = clinux_batch_receive(socket.descriptor, room)
      guard count > 0 else { return false }
      take(Int(count))
      if count < Int32(Self.batch) { return false }
    }
    return true
  }

  private func take(_ count: Int) {
    datagrams &+= UInt64(count)
    arrivals.withUnsafeMutableBufferPointer { arrivals in
      for i in 0..<count {
        payloads[i] = clinux_batch_read(room, UInt32(truncatingIfNeeded: i), &arrivals[i])
        tally.prepare(arrivals[i].source.ip)
      }
      for i in 0..<count {
        let arrival = arrivals[i]
        if arrival.has_drops != 0 { note(drops: arrival.drops) }
        let octets = UnsafeRawBufferPointer(start: payloads[i], count: Int(min(arrival.octets, Self.octetsMost)))
        let destination = arrival.destination
        let ends = Endpoints(
          client: arrival.source.ip, server: destination.is_known != 0 ? destination.ip : address.address,
          clientPort: arrival.source.port, serverPort: destination.port != 0 ? destination.port : address.port,
          transport: .udp)
        tally.datagram(ends, octets, declared: declared)
      }
    }
  }

  /// The kernel's counter has 32 bits and wraps; what comes with a datagram is as old as the datagram.
  private func note(drops: UInt32) {
    let ahead = Int32(bitPattern: drops &- dropsSeen)
    guard ahead > 0 else { return }
    kernelDrops &+= UInt64(ahead)
    dropsSeen = drops
  }

  /// Asks the kernel, since the counter on datagrams comes only with the next one. Drops since the last question.
  func pollDrops() -> UInt64 {
    let before = kernelDrops
    note(drops: clinux_drops(socket.descriptor))
    return kernelDrops &- before
  }
}
