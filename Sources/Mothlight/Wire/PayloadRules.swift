/// The table of published payload shapes, and the look-ups that keep it off the hot path.
public enum PayloadRules {
  public static func rule(_ id: String) -> PayloadRule? { all.first { $0.id == id } }

  private static let mariposa = "Defence Intelligence, Mariposa Analysis (2010); Emerging Threats"
  private static let kelihosPages = [
    "start", "home", "online", "install", "setup", "login", "index", "search", "welcome", "main", "default", "file",
  ]

  /// Every row; ids are part of the output and never change meaning.
  public static let all: [PayloadRule] = datagramRules + streamRules + requestRules

  private static let datagramRules: [PayloadRule] = [
    // Opcode, two sequence octets, then "bpr2" under the mask: 2^-40 for a random datagram of this length.
    PayloadRule(
      id: "bfbot-join", family: "Mariposa", transport: .udp, direction: .fromClient, confidence: .strong,
      source: "\(mariposa) 2010100", length: 7...7, tests: [.bytes([0x61], at: 0), .unmasked(Array("bpr2".utf8))]),
    // Other kits may join with another word: our inference.
    PayloadRule(
      id: "bfbot-join-other-word", family: "Mariposa", transport: .udp, direction: .fromClient, confidence: .weak,
      source: "\(mariposa) 2010100, word inferred", length: 7...7, tests: [.bytes([0x61], at: 0), .unmaskedPrintable]),
    PayloadRule(
      id: "bfbot-join-ack", family: "Mariposa", transport: .udp, direction: .fromServer, confidence: .weak,
      source: "\(mariposa) 2010101", length: 8...8, tests: [.bytes([0x40], at: 0)]),
    PayloadRule(
      id: "bfbot-keepalive", family: "Mariposa", transport: .udp, direction: .fromClient, confidence: .weak,
      source: mariposa, length: 3...3, tests: [.bytes([0x01], at: 0)]),
    PayloadRule(
      id: "bfbot-keepalive-ack", family: "Mariposa", transport: .udp, direction: .fromServer, confidence: .weak,
      source: mariposa, length: 3...3, tests: [.bytes([0x80], at: 0)]),
    PayloadRule(
      id: "bfbot-join-21", family: "Mariposa", transport: .udp, direction: .fromClient, confidence: .weak,
      source: "Emerging Threats 2011295", length: 21...21, tests: [.bytes([0x18], at: 0), .bytes([0, 0], at: 17)]),
    PayloadRule(
      id: "bfbot-join-ack-21", family: "Mariposa", transport: .udp, direction: .fromServer, confidence: .weak,
      source: "Emerging Threats 2011296", length: 21...21, tests: [.bytes([0x38], at: 0)]),
    PayloadRule(
      id: "zeroaccess-getl", family: "ZeroAccess", transport: .udp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2015482", length: 16...16,
      tests: [.bytes([0x28, 0x94, 0x8d, 0xab, 0xc9, 0xc0, 0xd1, 0x99], at: 4)]),
    PayloadRule(
      id: "zeroaccess-port53", family: "ZeroAccess", transport: .udp, direction: .fromClient, confidence: .weak,
      source: "Emerging Threats 2015474", ports: [53], length: 20...20, tests: [.bytes([0x9e, 0x98], at: 6)]),
  ]

  private static let streamRules: [PayloadRule] = [
    PayloadRule(
      id: "zeroaccess-tcp", family: "ZeroAccess", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2013911", length: 20...20,
      tests: [
        .bytes([0xe5, 0xaa, 0xc0, 0x31], at: 0), .bytes([0x5b, 0x74, 0x08, 0x4d, 0x9b, 0x39, 0xc1], at: 9),
      ]),
    PayloadRule(
      id: "ramnit-hello", family: "Ramnit", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2014131", ports: [443, 446, 447], length: 6...6,
      tests: [.bytes([0x00, 0xff, 0xfb, 0x00, 0x00, 0x00], at: 0)]),
    PayloadRule(
      id: "ramnit-frame", family: "Ramnit", transport: .tcp, direction: .fromClient, confidence: .weak,
      source: "Emerging Threats 2018558", ports: [443, 446, 447], length: 6...6,
      tests: [.bytes([0x00, 0xff], at: 0), .bytes([0x00, 0x00], at: 3)]),
    PayloadRule(
      id: "njrat-keepalive", family: "njRAT", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2017418", length: 8...8, tests: [.bytes(Array("P[endof]".utf8), at: 0)]),
    PayloadRule(
      id: "njrat-hello", family: "njRAT", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2017419", length: 9...9,
      tests: [.bytes(Array("lv".utf8), at: 0), .contains(Array("[endof]".utf8))]),
    PayloadRule(
      id: "njrat-hello-07d", family: "njRAT", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2019223", length: 9...9,
      tests: [.digits(1...4, then: [0] + Array("ll|'|'|".utf8))]),
    PayloadRule(
      id: "ngrbot-irc-pass", family: "Dorkbot", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2013451", length: 11...11, tests: [.bytes(Array("PASS ngrBot".utf8), at: 0)]),
  ]

  private static let requestRules: [PayloadRule] = [
    PayloadRule(
      id: "conficker-a-get", family: "Conficker", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "SRI, An Analysis of Conficker (2009); Emerging Threats 2009024",
      request: .init(
        method: "GET",
        target: TargetShape(
          .text("/search?q="), .digits(1...3), .text("&aq=7"), .optional([.text("?"), .hex(8...8)])),
        hostIsIPv4: true)),
    // Without the second parameter a local test server could be meant.
    PayloadRule(
      id: "conficker-b-get", family: "Conficker", transport: .tcp, direction: .fromClient, confidence: .weak,
      source: "SRI, An Analysis of Conficker (2009); Emerging Threats 2009114",
      request: .init(method: "GET", target: TargetShape(.text("/search?q="), .digits(1...3)), hostIsIPv4: true)),
    PayloadRule(
      id: "sality-uri-kuku", family: "Sality", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats 2003636, 2018340",
      request: .init(method: "GET", target: salityImage, userAgentPrefix: "KUKU")),
    PayloadRule(
      id: "sality-uri", family: "Sality", transport: .tcp, direction: .fromClient, confidence: .weak,
      source: "Emerging Threats 2018340, 2022804",
      request: .init(method: "GET", target: salityImage, absentHeaders: ["accept", "referer"])),
    PayloadRule(
      id: "sality-rnd-id", family: "Sality", transport: .tcp, direction: .fromClient, confidence: .weak,
      source: "Emerging Threats 2011337",
      request: .init(
        method: "GET",
        target: TargetShape(.text("/?rnd="), .digits(1...20), .text("&id="), .digits(1...20)),
        absentHeaders: ["accept", "referer"])),
    // An address as host, a length on a GET, and the length before the agent: no browser does all three.
    PayloadRule(
      id: "kelihos-f-get", family: "Kelihos", transport: .tcp, direction: .fromClient, confidence: .strong,
      source: "Emerging Threats, Kelihos.F Checkin 1-13",
      request: .init(
        method: "GET", target: TargetShape(.text("/"), .oneOf(kelihosPages), .text(".htm")), hostIsIPv4: true,
        leadingHeaders: ["host", "content-length", "user-agent"])),
  ]

  private static let salityImage = TargetShape(
    .anythingUpToLast("."), .oneOf(["gif", "png"]), .text("?"), .hex(4...8), .text("="), .optional([.text("-")]),
    .digits(1...20),
    .optional([.text("&id="), .digits(1...20)]))
}

extension PayloadRules {
  /// One transport and direction: where its masks begin in `masks`, and the rules that their bits stand for.
  private enum Way: Int, CaseIterable {
    case udpClient, udpServer, tcpClient

    var rules: [PayloadRule] { PayloadRules.rulesByWay[rawValue] }
    /// 256 masks by first octet, then 65 by length; the last of those stands for all longer datagrams.
    static let stride = 256 &+ 65
  }

  private static let rulesByWay: [[PayloadRule]] = Way.allCases.map { way in
    all.filter {
      $0.request == nil && ($0.transport == .udp) == (way != .tcpClient)
        && ($0.direction == .fromServer) == (way == .udpServer)
    }
  }

  /// Which octet-level rules can still match, as bits: two loads refuse nearly every payload.
  private static let masks: [UInt32] = Way.allCases.flatMap { way in
    var table = [UInt32](repeating: 0, count: Way.stride)
    for (bit, rule) in way.rules.enumerated() where bit < 32 {
      let mask = UInt32(1) << UInt32(bit)
      for first in 0..<256 where admits(rule, UInt8(first)) { table[first] |= mask }
      for length in 0..<64 where rule.length.contains(length) { table[256 + length] |= mask }
      if rule.length.upperBound >= 64 { table[256 + 64] |= mask }
    }
    return table
  }

  private static func admits(_ rule: PayloadRule, _ first: UInt8) -> Bool {
    for test in rule.tests {
      switch test {
      case .bytes(let pattern, at: 0) where pattern.first != first: return false
      case .digits where first &- 0x30 >= 10: return false
      default: break
      }
    }
    return true
  }

  /// Whether any octet-level rule could match; nearly always `false`, and then nothing else need be asked.
  @inline(__always)
  static func mayMatch(datagram bytes: RawSpan, fromClient: Bool) -> Bool { mask(bytes, fromClient) != 0 }

  @inline(__always)
  private static func mask(_ bytes: RawSpan, _ fromClient: Bool) -> UInt32 {
    guard bytes.byteCount > 0 else { return 0 }
    let base = (fromClient ? Way.udpClient : .udpServer).rawValue &* Way.stride
    return masks[base &+ Int(bytes.u8(0))] & masks[base &+ 256 &+ Swift.min(bytes.byteCount, 64)]
  }

  /// The first rule, strong ones before weak, that a datagram matches.
  static func match(datagram bytes: RawSpan, serverPort: UInt16, fromClient: Bool) -> PayloadRule? {
    best((fromClient ? Way.udpClient : .udpServer).rules, mask(bytes, fromClient)) { rule in
      rule.ports.isEmpty || rule.ports.contains(serverPort) ? rule.matches(bytes, isStream: false) : .no
    }.rule
  }

  /// The same question for the first octet of a client's stream.
  @inline(__always)
  static func mayMatch(streamStart bytes: RawSpan) -> Bool { streamMask(bytes) != 0 }

  @inline(__always)
  private static func streamMask(_ bytes: RawSpan) -> UInt32 {
    bytes.byteCount > 0 ? masks[Way.tcpClient.rawValue &* Way.stride &+ Int(bytes.u8(0))] : 0
  }

  /// The first rule that the beginning of a client's stream matches; `mayMatch` tells that more bytes could decide
  /// otherwise.
  static func match(streamStart bytes: RawSpan, serverPort: UInt16) -> (rule: PayloadRule?, mayMatch: Bool) {
    best(Way.tcpClient.rules, streamMask(bytes)) { rule in
      rule.ports.isEmpty || rule.ports.contains(serverPort) ? rule.matches(bytes, isStream: true) : .no
    }
  }

  private static func best(
    _ rules: [PayloadRule], _ mask: UInt32, _ result: (PayloadRule) -> PayloadRule.Result
  ) -> (rule: PayloadRule?, mayMatch: Bool) {
    var weak: PayloadRule?
    var mayMatch = false
    var left = mask
    while left != 0 {
      let rule = rules[left.trailingZeroBitCount]
      left &= left &- 1
      switch result(rule) {
      case .no: break
      case .needsMore: mayMatch = true
      case .yes:
        if rule.confidence == .strong { return (rule, false) }
        if weak == nil { weak = rule }
      }
    }
    return (weak, mayMatch)
  }

  /// The first rule, strong ones before weak, that a request matches.
  static func match(_ exchange: HTTPExchange) -> PayloadRule? {
    var weak: PayloadRule?
    for rule in requestRules where rule.matches(exchange) {
      if rule.confidence == .strong { return rule }
      if weak == nil { weak = rule }
    }
    return weak
  }
}
