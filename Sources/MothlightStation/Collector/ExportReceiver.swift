import CLinux
import Glibc
import Mothlight

/// The UDP socket of a collector. It only listens: its descriptor is private, and nothing here writes.
final class ExportReceiver {
  /// Datagrams of one call.
  static let batch: UInt32 = 32
  /// Room for the largest datagram there is: IPFIX messages may fill it.
  static let octetsMost: UInt32 = 65_536

  private let socket: Socket
  private let room: OpaquePointer
  private let epoll: Int32
  private var dropsSeen: UInt32 = 0

  init(_ settings: CollectorSettings) throws(ListenError) {
    let options = SocketOptions(
      isStream: false, receiveBufferOctets: Int32(clamping: settings.receiveBufferOctets))
    socket = try Socket(settings.listen, options)
    epoll = clinux_epoll_make()
    guard epoll >= 0, clinux_epoll_add(epoll, socket.descriptor, 0) == 0 else {
      if epoll >= 0 { close(epoll) }
      throw ListenError("udp \(settings.listen): \(String(cString: strerror(errno)))")
    }
    guard let room = clinux_batch_make(Self.batch, Self.octetsMost) else {
      close(epoll)
      throw ListenError("udp \(settings.listen): no memory for the receive batch")
    }
    self.room = room
  }

  deinit {
    clinux_batch_free(room)
    close(epoll)
  }

  var address: ListenAddress { socket.address }
  /// Octets as the kernel granted them, its own overhead included.
  var receiveBufferOctets: Int { socket.receiveBufferOctets }

  /// Also wakes up `wait`.
  func listen(to stop: Int32) -> Bool { clinux_epoll_add(epoll, stop, 1) == 0 }

  enum Wake { case idle, datagrams, stop }

  func wait(milliseconds: Int32) -> Wake {
    var tokens = [UInt64](repeating: 0, count: 2)
    let count = clinux_epoll_wait(epoll, &tokens, 2, milliseconds)
    guard count > 0 else { return .idle }
    return tokens.prefix(Int(count)).contains(1) ? .stop : .datagrams
  }

  /// Hands what is there to `collector`, at most one batch; whether more may be waiting.
  func receive(into collector: FlowCollector, at arrival: Timestamp) -> Bool {
    let count = clinux_batch_receive(socket.descriptor, room)
    guard count > 0 else { return false }
    var arrived = clinux_arrival()
    for i in 0..<UInt32(count) {
      let payload = clinux_batch_read(room, i, &arrived)
      let octets = UnsafeRawBufferPointer(start: payload, count: Int(min(arrived.octets, Self.octetsMost)))
      collector.take(octets, from: arrived.source.ip, at: arrival)
    }
    return count == Int32(Self.batch)
  }

  /// Datagrams that the kernel dropped since the last question; its counter has 32 bits and wraps.
  func pollDrops() -> UInt64 {
    let now = clinux_drops(socket.descriptor)
    let ahead = now &- dropsSeen
    dropsSeen = now
    return UInt64(ahead)
  }
}
