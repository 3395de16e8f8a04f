/// Makes queries octet by octet, also those that no client would send.
struct WireQuery {
  var id: UInt16 = 0x1234
  var flags: UInt16 = 0
  var name: [UInt8]
  var type: UInt16
  var `class`: UInt16 = 1
  var questions: UInt16 = 1
  /// EDNS version; `nil`: no OPT.
  var edns: UInt8?
  var ednsFlags: UInt16 = 0
  var payload: UInt16 = 1232
  var options: [(code: UInt16, value: [UInt8])] = []
  var optCount = 1

  init(_ name: String, _ type: UInt16, edns: UInt8? = nil) {
    self.init(Self.wire(name), type, edns: edns)
  }

  init(_ name: [UInt8], _ type: UInt16, edns: UInt8? = nil) {
    self.name = name
    self.type = type
    self.edns = edns
  }

  static func wire(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  static func network(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

  func with(_ change: (inout WireQuery) -> Void) -> WireQuery {
    var copy = self
    change(&copy)
    return copy
  }

  var octets: [UInt8] {
    var opt: [UInt8] = []
    if let edns {
      let content = options.flatMap { Self.network($0.code) + Self.network(UInt16($0.value.count)) + $0.value }
      opt = [0] + Self.network(41) + Self.network(payload) + [0, edns] + Self.network(ednsFlags)
      opt += Self.network(UInt16(content.count)) + content
    }
    let additional = edns == nil ? 0 : optCount
    let header = [id, flags, questions, 0, 0, UInt16(additional)].flatMap(Self.network)
    let question = name + Self.network(type) + Self.network(`class`)
    return header + (0..<questions).flatMap { _ in question } + (0..<additional).flatMap { _ in opt }
  }
}

/// A reply read back, with names uncompressed; `nil` where the octets are no message.
struct WireReply: Equatable {
  struct Record: Equatable {
    var name: String
    var type: UInt16
    var `class`: UInt16
    var ttl: UInt32
    /// Names in it uncompressed, the rest as it stands.
    var content: [UInt8]
    var text: String = ""
  }

  var id: UInt16
  var flags: UInt16
  var question: [UInt8] = []
  var answers: [Record] = []
  var authorities: [Record] = []
  var additional: [Record] = []
  var length: Int

  var code: Int { Int(flags & 15) + (opt.map { Int($0.ttl >> 24) << 4 } ?? 0) }
  var isAuthoritative: Bool { flags & 0x400 != 0 }
  var isTruncated: Bool { flags & 0x200 != 0 }
  var opt: Record? { additional.first { $0.type == 41 } }
  var hasSOA: Bool { authorities.contains { $0.type == 6 } }

  func option(_ code: UInt16) -> [UInt8]? {
    guard let content = opt?.content else { return nil }
    var at = 0
    while at + 4 <= content.count {
      let length = Int(content[at + 2]) << 8 | Int(content[at + 3])
      guard at + 4 + length <= content.count else { return nil }
      if UInt16(content[at]) << 8 | UInt16(content[at + 1]) == code {
        return Array(content[(at + 4)..<(at + 4 + length)])
      }
      at += 4 + length
    }
    return nil
  }

  init?(_ octets: [UInt8]) {
    guard octets.count >= 12 else { return nil }
    func u16(_ at: Int) -> UInt16 { UInt16(octets[at]) << 8 | UInt16(octets[at + 1]) }
    (id, flags, length) = (u16(0), u16(2), octets.count)
    var at = 12
    for _ in 0..<u16(4) {
      guard let end = Self.name(octets, at)?.end, end + 4 <= octets.count else { return nil }
      question += octets[at..<(end + 4)]
      at = end + 4
    }
    for (section, count) in [u16(6), u16(8), u16(10)].enumerated() {
      for _ in 0..<count {
        guard let (name, end) = Self.name(octets, at), end + 10 <= octets.count else { return nil }
        let size = Int(u16(end + 8))
        guard end + 10 + size <= octets.count else { return nil }
        var record = Record(
          name: name, type: u16(end), class: u16(end + 2), ttl: UInt32(u16(end + 4)) << 16 | UInt32(u16(end + 6)),
          content: Array(octets[(end + 10)..<(end + 10 + size)]))
        if record.type == 2 || record.type == 6 {
          guard let first = Self.name(octets, end + 10) else { return nil }
          record.text = first.name
          if record.type == 6 {
            guard let second = Self.name(octets, first.end) else { return nil }
            record.text += " " + second.name
            guard second.end + 20 == end + 10 + size else { return nil }
          } else if first.end != end + 10 + size {
            return nil
          }
        }
        switch section {
        case 0: answers.append(record)
        case 1: authorities.append(record)
        default: additional.append(record)
        }
        at = end + 10 + size
      }
    }
    guard at == octets.count else { return nil }
  }

  private static func name(_ octets: [UInt8], _ start: Int) -> (name: String, end: Int)? {
    var (at, end, hops) = (start, 0, 0)
    var labels: [String] = []
    while at < octets.count {
      let length = Int(octets[at])
      if length == 0 { return (labels.joined(separator: "."), end == 0 ? at + 1 : end) }
      if length >= 0xc0 {
        guard at + 1 < octets.count, hops < 16 else { return nil }
        if end == 0 { end = at + 2 }
        let target = (length & 0x3f) << 8 | Int(octets[at + 1])
        guard target < at else { return nil }
        at = target
        hops += 1
      } else {
        guard length < 64, at + 1 + length <= octets.count else { return nil }
        labels.append(String(decoding: octets[(at + 1)..<(at + 1 + length)], as: UTF8.self))
        at += length + 1
      }
    }
    return nil
  }
}
