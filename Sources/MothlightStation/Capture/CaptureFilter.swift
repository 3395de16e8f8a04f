import Mothlight

/// Which frames are wanted, in the words of pcap-filter(7) that concern addresses, ports and protocols.
///
/// An own small compiler rather than libpcap's: what can be said is what makes sense for a botnet sensor, a mistake is told with
/// its place when the configuration is checked, and the program needs no library of C that parses text while it may open
/// raw sockets. A test holds its programs against libpcap's where that is installed.
///
/// `host`, `net`, `port`, `portrange` with `src`, `dst`, `ip`, `ip6`, `tcp`, `udp`, `sctp` before them; `ip`, `ip6`, `arp`,
/// `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `less N`, `greater N`; `and`, `or` (equal in rank, from left to right), `not`,
/// brackets; an address or number alone takes the words before the last one. Names are not looked up.
public struct CaptureFilter: Sendable, Hashable, CustomStringConvertible {
  public let text: String
  let root: Node

  /// - Throws: one line with the place of the mistake.
  public init(_ text: String) throws(CaptureFilterError) {
    self.text = text
    var parser = CaptureFilterParser(text)
    root = try parser.parse()
  }

  public var description: String { text }

  indirect enum Node: Sendable, Hashable {
    case and(Node, Node)
    case or(Node, Node)
    case not(Node)
    case test(Test)
  }

  enum Direction: Sendable, Hashable { case source, destination, either, both }
  enum Family: Sendable, Hashable { case v4, v6 }

  enum Test: Sendable, Hashable {
    /// EtherType.
    case network(UInt16)
    /// Protocol number over IPv4, IPv6 or both.
    case transport(UInt8, Family?)
    case address(Prefix, Direction)
    /// Over these transports, in that family or both; both ends of the range included.
    case ports(ClosedRange<UInt16>, Direction, [UInt8], Family?)
    case lengthAtMost(UInt32)
    case lengthAtLeast(UInt32)
  }
}

/// What is wrong with a filter, and where.
public struct CaptureFilterError: Error, Sendable, Equatable, CustomStringConvertible {
  /// From 1.
  public var column: Int
  public var message: String
  public var description: String { "filter, column \(column): \(message)" }
}

/// Words to a tree, by descent.
struct CaptureFilterParser {
  private struct Token {
    var text: String
    var column: Int
  }
  private typealias Node = CaptureFilter.Node

  /// What a bare address or number goes by: the words before the last one.
  private struct Qualifiers {
    var kind = Kind.host
    var direction = CaptureFilter.Direction.either
    var transports: [UInt8] = []
    var family: CaptureFilter.Family?
  }
  private enum Kind: String { case host, net, port, portrange }

  /// More nesting and more words are nobody's by hand, and the kernel takes 4,096 instructions.
  private static let depthMost = 64
  private static let tokensMost = 1024
  private static let transports: [String: UInt8] = ["tcp": 6, "udp": 17, "sctp": 132]

  private var tokens: [Token] = []
  private var at = 0
  private var latest: Qualifiers?
  private let endColumn: Int

  init(_ text: String) {
    endColumn = text.count + 1
    var word = ""
    var column = 0
    var start = 1
    var found: [Token] = []
    func close() {
      if !word.isEmpty { found.append(Token(text: word, column: start)) }
      word = ""
    }
    for c in text {
      column += 1
      if c == "(" || c == ")" || c == "!" {
        close()
        found.append(Token(text: String(c), column: column))
      } else if c.isWhitespace {
        close()
      } else {
        if word.isEmpty { start = column }
        word.append(c)
      }
    }
    close()
    tokens = found
  }

  mutating func parse() throws(CaptureFilterError) -> CaptureFilter.Node {
    guard !tokens.isEmpty else { throw error("it is empty; leave it out to take every frame") }
    guard tokens.count <= Self.tokensMost else { throw error("more than \(Self.tokensMost) words") }
    let node = try expression(0)
    guard at == tokens.count else { throw error("'\(tokens[at].text)' does not belong here; is an 'and' missing?") }
    return node
  }

  private var word: String? { at < tokens.count ? tokens[at].text : nil }

  private func error(_ message: String) -> CaptureFilterError {
    CaptureFilterError(column: at < tokens.count ? tokens[at].column : endColumn, message: message)
  }

  private mutating func expression(_ depth: Int) throws(CaptureFilterError) -> Node {
    guard depth < Self.depthMost else { throw error("more than \(Self.depthMost) brackets inside each other") }
    var left = try factor(depth)
    while let word, ["and", "&&", "or", "||"].contains(word) {
      at += 1
      let right = try factor(depth)
      left = word == "and" || word == "&&" ? .and(left, right) : .or(left, right)
    }
    return left
  }

  private mutating func factor(_ depth: Int) throws(CaptureFilterError) -> Node {
    guard let word else { throw error("something is missing at the end") }
    switch word {
    case "not", "!":
      at += 1
      guard depth < Self.depthMost else { throw error("more than \(Self.depthMost) negations inside each other") }
      return .not(try factor(depth + 1))
    case "(":
      at += 1
      let inside = try expression(depth + 1)
      guard self.word == ")" else { throw error("a bracket is not closed") }
      at += 1
      return inside
    case "less", "greater":
      at += 1
      guard let length = self.word.flatMap({ UInt32($0) }) else { throw error("'\(word)' needs a number of octets") }
      at += 1
      return .test(word == "less" ? .lengthAtMost(length) : .lengthAtLeast(length))
    default: return try primitive()
    }
  }

  private mutating func primitive() throws(CaptureFilterError) -> Node {
    var qualifiers = Qualifiers()
    let start = at
    if let alone = takeProtocol(&qualifiers) { return alone }
    try takeDirection(&qualifiers)
    if let kind = word.flatMap({ Kind(rawValue: $0) }) {
      at += 1
      qualifiers.kind = kind
    } else if at == start {
      if let latest { qualifiers = latest }
    } else {
      // `src 192.0.2.1`: a host is meant.
      qualifiers.kind = .host
    }
    let node = try operand(qualifiers)
    latest = qualifiers
    return node
  }

  /// A protocol in front of the other words, or by itself.
  private mutating func takeProtocol(_ qualifiers: inout Qualifiers) -> Node? {
    guard let word else { return nil }
    let alone: CaptureFilter.Test
    switch word {
    case "ip":
      qualifiers.family = .v4
      alone = .network(0x0800)
    case "ip6":
      qualifiers.family = .v6
      alone = .network(0x86dd)
    case "arp": alone = .network(0x0806)
    case "icmp": alone = .transport(1, .v4)
    case "icmp6": alone = .transport(58, .v6)
    default:
      guard let number = Self.transports[word] else { return nil }
      qualifiers.transports = [number]
      alone = .transport(number, nil)
    }
    at += 1
    let takesMore = qualifiers.family != nil || !qualifiers.transports.isEmpty
    if takesMore, let next = self.word, next == "src" || next == "dst" || Kind(rawValue: next) != nil { return nil }
    return .test(alone)
  }

  private mutating func takeDirection(_ qualifiers: inout Qualifiers) throws(CaptureFilterError) {
    guard let word, word == "src" || word == "dst" else { return }
    at += 1
    qualifiers.direction = word == "src" ? .source : .destination
    guard at + 1 < tokens.count, let link = self.word, link == "or" || link == "and" else { return }
    let other = tokens[at + 1].text
    guard other == (word == "src" ? "dst" : "src") else { return }
    at += 2
    qualifiers.direction = link == "or" ? .either : .both
  }

  private mutating func operand(_ qualifiers: Qualifiers) throws(CaptureFilterError) -> Node {
    guard let word else { throw error("an address or a number is missing at the end") }
    let test: CaptureFilter.Test
    switch qualifiers.kind {
    case .host:
      guard let address = IPAddress(word) else {
        throw error("'\(word)' is no address and no word that I know; names are not looked up")
      }
      test = .address(Prefix(address, length: address.isV4 ? 32 : 128), qualifiers.direction)
    case .net:
      guard word.contains("/"), let prefix = Prefix(word) else {
        throw error("'\(word)' is no network; write it as 192.0.2.0/24")
      }
      test = .address(prefix, qualifiers.direction)
    case .port:
      guard let port = UInt16(word) else { throw error("'\(word)' is no port from 0 to 65535") }
      test = ports(port...port, qualifiers)
    case .portrange:
      let ends = word.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
      guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high else {
        throw error("'\(word)' is no range of ports; write it as 6660-6669")
      }
      test = ports(low...high, qualifiers)
    }
    try check(test, qualifiers)
    at += 1
    return .test(test)
  }

  private func ports(_ range: ClosedRange<UInt16>, _ qualifiers: Qualifiers) -> CaptureFilter.Test {
    let transports = qualifiers.transports.isEmpty ? Self.transports.values.sorted() : qualifiers.transports
    return .ports(range, qualifiers.direction, transports, qualifiers.family)
  }

  /// `tcp host` and `ip host 2001:db8::1` mean nothing.
  private func check(_ test: CaptureFilter.Test, _ qualifiers: Qualifiers) throws(CaptureFilterError) {
    guard case .address(let prefix, _) = test else { return }
    guard qualifiers.transports.isEmpty else {
      throw error("an address has no transport; write 'tcp and host \(prefix.address)'")
    }
    guard let family = qualifiers.family, (family == .v4) != prefix.address.isV4 else { return }
    throw error("'\(word ?? "")' is of the other IP version")
  }
}
