import Glibc
import Mothlight

/// Asks one resolver, the one whose address the operator gave, about names of the zone file. The only code of this
/// program that speaks first; `mothlight sinkhole check --resolver` alone uses it.
public struct StubResolver: Sendable {
  enum Bound {
    /// Times a question is asked, and milliseconds waited for each answer.
    static let tries = 2
    static let waitMilliseconds = 2000
    /// Octets of a reply.
    static let reply = 65_535
  }

  public let address: ListenAddress
  let waitMilliseconds: Int

  public init(_ address: ListenAddress) { self.init(address, waitMilliseconds: Bound.waitMilliseconds) }

  init(_ address: ListenAddress, waitMilliseconds: Int) {
    self.address = address
    self.waitMilliseconds = waitMilliseconds
  }

  /// What the resolver says; `nil` when it says nothing that fits.
  func ask(_ name: DomainName, _ type: UInt16) -> StubReply? {
    for _ in 0..<Bound.tries {
      let query = Self.query(name, type)
      guard let reply = exchange(query, isStream: false) else { continue }
      return reply.isTruncated ? exchange(query, isStream: true) ?? reply : reply
    }
    return nil
  }

  /// A question with recursion wanted and an id that nobody can guess.
  private static func query(_ name: DomainName, _ type: UInt16) -> [UInt8] {
    let id = UInt16.random(in: .min ... .max)
    let head = [id, 0x0100, 1, 0, 0, 0].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    return head + name.octets + [UInt8(type >> 8), UInt8(type & 255), 0, 1]
  }

  private func exchange(_ query: [UInt8], isStream: Bool) -> StubReply? {
    let kind = Int32(isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.address.isV4 ? AF_INET : AF_INET6, kind, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var time = timeval(tv_sec: waitMilliseconds / 1000, tv_usec: waitMilliseconds % 1000 * 1000)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    guard Self.call(address, descriptor) else { return nil }
    let message = isStream ? [UInt8(query.count >> 8), UInt8(query.count & 255)] + query : query
    guard send(descriptor, message, message.count, Int32(MSG_NOSIGNAL)) == message.count else { return nil }
    if isStream { return readStream(descriptor, query) }
    // A connected socket takes datagrams of this resolver alone; one that does not fit is passed over.
    for _ in 0..<4 {
      guard let octets = read(descriptor, Bound.reply) else { return nil }
      if let reply = StubReply.read(octets, to: query) { return reply }
    }
    return nil
  }

  private func readStream(_ descriptor: Int32, _ query: [UInt8]) -> StubReply? {
    var octets: [UInt8] = []
    while octets.count < 2 || octets.count < 2 + (Int(octets[0]) << 8 | Int(octets[1])) {
      guard let more = read(descriptor, Bound.reply), !more.isEmpty, octets.count <= Bound.reply else { return nil }
      octets += more
    }
    let length = Int(octets[0]) << 8 | Int(octets[1])
    return StubReply.read(Array(octets[2..<(2 + length)]), to: query)
  }

  private func read(_ descriptor: Int32, _ most: Int) -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: most)
    let count = recv(descriptor, &buffer, most, 0)
    return count < 0 ? nil : Array(buffer[..<count])
  }

  /// The one call in this program that reaches out; `MetricsClient` uses it toward this machine.
  static func call(_ address: ListenAddress, _ descriptor: Int32) -> Bool {
    if address.address.isV4 {
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = address.port.bigEndian
      name.sin_addr.s_addr = address.address.v4.bigEndian
      return withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
    }
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = address.port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.address.networkBytes) }
    return withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size)) == 0
      }
    }
  }
}
