import Mothlight

/// The part of a resolver's reply that the pre-flight looks at.
struct StubReply: Sendable, Equatable {
  enum Bound {
    /// Records looked at.
    static let records = 256
    /// Pointers followed in one name.
    static let hops = 32
  }

  var code: Int
  var isTruncated: Bool
  var servers: [DomainName] = []
  var addresses: [IPAddress] = []
  /// DS records.
  var signers = 0

  /// Reads a reply to exactly `query`; `nil` for what is none.
  static func read(_ octets: [UInt8], to query: [UInt8]) -> StubReply? {
    guard octets.count >= query.count, query.count > 12, octets[..<2] == query[..<2], octets[2] & 0x80 != 0,
      octets[4...5] == [0, 1], octets[12..<query.count] == query[12...]
    else { return nil }
    var reply = StubReply(code: Int(octets[3] & 15), isTruncated: octets[2] & 2 != 0)
    var at = query.count
    let count = Int(octets[6]) << 8 | Int(octets[7])
    for _ in 0..<min(count, Bound.records) {
      guard let end = name(octets, at)?.end, end &+ 10 <= octets.count else { return nil }
      let type = Int(octets[end]) << 8 | Int(octets[end &+ 1])
      let content = end &+ 10
      let length = Int(octets[end &+ 8]) << 8 | Int(octets[end &+ 9])
      guard content &+ length <= octets.count else { return nil }
      switch (type, length) {
      case (1, 4):
        reply.addresses.append(IPAddress(v4: octets[content..<(content &+ 4)].reduce(0) { $0 << 8 | UInt32($1) }))
      case (28, 16):
        let words = [0, 8].map {
          octets[(content &+ $0)..<(content &+ $0 &+ 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        reply.addresses.append(IPAddress(high: words[0], low: words[1]))
      case (2, _): if let server = name(octets, content)?.name { reply.servers.append(server) }
      case (43, _): reply.signers += 1
      default: break
      }
      at = content &+ length
    }
    return reply
  }

  /// A name in lower case and where it ends.
  private static func name(_ octets: [UInt8], _ start: Int) -> (name: DomainName, end: Int)? {
    var (at, end, hops) = (start, -1, 0)
    var name: [UInt8] = []
    while at < octets.count {
      let length = Int(octets[at])
      if length >= 0xc0 {
        guard at &+ 1 < octets.count, hops < Bound.hops else { return nil }
        if end < 0 { end = at &+ 2 }
        hops &+= 1
        at = (length & 0x3f) << 8 | Int(octets[at &+ 1])
        continue
      }
      guard length <= 63, at &+ length < octets.count, name.count &+ length < DomainName.Bound.octets else {
        return nil
      }
      name.append(UInt8(truncatingIfNeeded: length))
      if length == 0 { return (DomainName(trusted: name), end < 0 ? at &+ 1 : end) }
      name += octets[(at &+ 1)...(at &+ length)].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
      at &+= length &+ 1
    }
    return nil
  }
}
