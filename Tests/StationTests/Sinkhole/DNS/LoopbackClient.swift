import Glibc
import Mothlight

@testable import MothlightStation

/// A client on this machine: sends octets to the server under test, and to nobody else.
final class LoopbackClient {
  private let descriptor: Int32

  /// - Parameter stream: TCP; otherwise UDP.
  init?(_ server: ListenAddress, stream: Bool, receiveOctets: Int32? = nil, waitMilliseconds: Int = 1000) {
    guard server.address.isLoopback else { return nil }
    let kind = Int32(stream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
    descriptor = socket(server.address.isV4 ? AF_INET : AF_INET6, kind, 0)
    guard descriptor >= 0 else { return nil }
    var time = timeval(tv_sec: waitMilliseconds / 1000, tv_usec: waitMilliseconds % 1000 * 1000)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    if var receiveOctets { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveOctets, 4) }
    var result: Int32 = -1
    if server.address.isV4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = server.port.bigEndian
      name.sin_addr.s_addr = server.address.v4.bigEndian
      result = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    } else {
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = server.port.bigEndian
      withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: server.address.networkBytes) }
      result = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
        }
      }
    }
    guard result == 0 else { return nil }
  }

  deinit { close(descriptor) }

  @discardableResult
  func send(_ octets: [UInt8]) -> Bool {
    Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count
  }

  func sendMessage(_ octets: [UInt8]) { send([UInt8(octets.count >> 8), UInt8(octets.count & 255)] + octets) }

  /// Sends what fits without waiting; octets taken.
  func sendWithoutWaiting(_ octets: [UInt8]) -> Int {
    max(0, Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)))
  }

  /// What comes within the time; `nil` for nothing, empty for a closed connection.
  func receive(_ most: Int = 65_535) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: most)
    let count = recv(descriptor, &buffer, most, 0)
    if count < 0 { return errno == ECONNRESET ? [] : nil }
    return Array(buffer[..<count])
  }

  /// `count` messages of a stream, or as many as come.
  func messages(_ count: Int) -> [WireReply] {
    var replies: [WireReply] = []
    var buffer: [UInt8] = []
    while replies.count < count {
      guard let more = receive(), !more.isEmpty else { break }
      buffer += more
      while buffer.count >= 2, buffer.count >= 2 + (Int(buffer[0]) << 8 | Int(buffer[1])) {
        let length = Int(buffer[0]) << 8 | Int(buffer[1])
        guard let reply = WireReply(Array(buffer[2..<(2 + length)])) else { return replies }
        replies.append(reply)
        buffer.removeFirst(2 + length)
      }
    }
    return replies
  }

  func ask(_ query: WireQuery) -> WireReply? {
    send(query.octets)
    return receive().flatMap { WireReply($0) }
  }

  /// Whether the other end closes within the time.
  var isClosedByServer: Bool {
    while let more = receive() { if more.isEmpty { return true } }
    return false
  }
}
