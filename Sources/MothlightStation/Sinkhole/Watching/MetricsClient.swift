import Glibc
import Mothlight

/// Asks a part of the sinkhole on this very machine for its metrics; it refuses any address that is not loopback.
public struct MetricsClient: Sendable {
  public let address: ListenAddress
  private static let waitSeconds = 1
  private static let octetsMost = 1 << 20

  /// `nil` for an address outside of this machine.
  public init?(_ address: ListenAddress) {
    guard address.address.isLoopback else { return nil }
    self.address = address
  }

  /// Values by name with labels, as the page has them; `nil` when nobody answers in time.
  public func values() -> [String: Double]? {
    guard let page = page() else { return nil }
    return Self.parse(page)
  }

  /// Lines of the text format of Prometheus: a name with its labels, a space, a number.
  static func parse(_ page: String) -> [String: Double] {
    var out: [String: Double] = [:]
    for line in page.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { continue }
      out[String(line[..<space])] = value
    }
    return out
  }

  private func page() -> String? {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.address.isV4 ? AF_INET : AF_INET6, kind, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var time = timeval(tv_sec: Self.waitSeconds, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
    guard StubResolver.call(address, descriptor) else { return nil }
    let request = Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
    var reply: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while reply.count < Self.octetsMost {
      let count = recv(descriptor, &chunk, chunk.count, 0)
      guard count > 0 else { break }
      reply += chunk[..<count]
    }
    let text = String(decoding: reply, as: UTF8.self)
    // What stands before the empty line has no name of ours, so the whole may be read.
    return text.hasPrefix("HTTP/1.1 200") ? text : nil
  }
}
