/// Tells from the first octets of one direction which protocol speaks, whatever the port.
enum StreamSignature {
  enum Kind: Equatable {
    case tlsClient, tlsServer, sslv2Client, httpRequest, httpResponse, ssh, dns, irc
    /// Recognised, and nothing more is read from it.
    case named(Service)
    /// A `220` or `+OK` line without a name: the client's first command decides.
    case greeting(Greeting)
  }
  enum Greeting: Equatable { case none, ready220, pop3 }
  enum Result: Equatable {
    case nothing, needsMore
    case found(Kind)
  }

  /// One look at the first octet refuses most of what is none of these.
  static func recognise(_ bytes: RawSpan, fromClient: Bool, greeting: Greeting, ends: Endpoints) -> Result {
    guard bytes.byteCount > 0 else { return .needsMore }
    if ends.serverPort == 53 || ends.clientPort == 53 {
      let result = dns(bytes)
      if result != .nothing { return result }
    }
    let first = bytes.u8(0)
    switch first {
    case 0x16: return tls(bytes)
    case 0x80...0xff: return fromClient ? sslv2(bytes) : .nothing
    case 0x41...0x5a: return text(bytes, greeting)
    case 0x6a, 0x6e, 0x70, 0x75: return fromClient ? lowerCaseIRC(bytes, greeting) : .nothing
    case 0x32: return fromClient ? .nothing : greetingLine(bytes, "220", .ready220)
    case 0x2b: return fromClient ? .nothing : greetingLine(bytes, "+OK", .pop3)
    case 0x13: return literal(bytes, "\u{13}BitTorrent protocol", .named(.bittorrent))
    case 0x03: return fromClient ? rdp(bytes) : .nothing
    default: return .nothing
    }
  }

  private static func literal(_ bytes: RawSpan, _ text: StaticString, _ kind: Kind) -> Result {
    switch HTTP.starts(bytes, text) {
    case true?: .found(kind)
    case nil: .needsMore
    case false?: .nothing
    }
  }

  /// A handshake record whose first message is a hello (RFC 8446 section 5.1).
  private static func tls(_ bytes: RawSpan) -> Result {
    if bytes.byteCount > 1, bytes.u8(1) != 3 { return .nothing }
    if bytes.byteCount > 2, bytes.u8(2) > 4 { return .nothing }
    guard bytes.byteCount > 5 else { return .needsMore }
    guard bytes.u16(3) >= 4, bytes.u16(3) <= 16_384 else { return .nothing }
    switch bytes.u8(5) {
    case 1: return .found(.tlsClient)
    case 2: return .found(.tlsServer)
    default: return .nothing
    }
  }

  /// RFC 5246 appendix E.2: two-octet header with the top bit set, CLIENT-HELLO, version, three lengths that fit.
  private static func sslv2(_ bytes: RawSpan) -> Result {
    if bytes.byteCount > 2, bytes.u8(2) != 1 { return .nothing }
    if bytes.byteCount > 3, bytes.u8(3) != 3, bytes.u8(3) != 0 { return .nothing }
    guard bytes.byteCount >= 11 else { return .needsMore }
    let version = bytes.u16(3)
    let length = Int(bytes.u16(0) & 0x7fff)
    let parts = 9 &+ Int(bytes.u16(5)) &+ Int(bytes.u16(7)) &+ Int(bytes.u16(9))
    guard version == 2 || (version >= 0x0300 && version <= 0x0304), parts == length, bytes.u16(5) % 3 == 0,
      bytes.u16(5) > 0
    else { return .nothing }
    return .found(.sslv2Client)
  }

  private static func text(_ bytes: RawSpan, _ greeting: Greeting) -> Result {
    var undecided = false
    switch HTTP.startsRequest(bytes) {
    case true?: return .found(.httpRequest)
    case nil: undecided = true
    case false?: break
    }
    let user: Kind =
      switch greeting {
      case .none: .irc
      case .ready220: .named(.ftp)
      case .pop3: .named(.other)
      }
    let mark = bytes.u8(0)
    let others: [(StaticString, Kind)] =
      switch mark {
      case 0x53: [("SSH-", .ssh)]
      case 0x48: [("HTTP/1.", .httpResponse), ("HELO ", .named(.smtp))]
      case 0x45: [("EHLO ", .named(.smtp))]
      case 0x4e: [("NICK ", .irc)]
      case 0x4a: [("JOIN #", .irc), ("JOIN &", .irc)]
      case 0x55: [("USER ", user)]
      case 0x50: [("PASS ", user)]
      default: []
      }
    for (literalText, kind) in others {
      switch literal(bytes, literalText, kind) {
      case .nothing: break
      case .needsMore: undecided = true
      case .found(let found): return .found(found)
      }
    }
    return undecided ? .needsMore : .nothing
  }

  /// Home-made clients write commands in lower case (RFC 2812 section 2.3.1 takes both).
  private static func lowerCaseIRC(_ bytes: RawSpan, _ greeting: Greeting) -> Result {
    guard greeting == .none else { return .nothing }
    var undecided = false
    for text: StaticString in ["nick ", "user ", "pass ", "join #"] {
      switch literal(bytes, text, .irc) {
      case .nothing: break
      case .needsMore: undecided = true
      case .found(let found): return .found(found)
      }
    }
    return undecided ? .needsMore : .nothing
  }

  /// SMTP and FTP servers greet with 220 (RFC 5321 section 4.3.1, RFC 959 section 5.4) and mostly say what they are.
  private static func greetingLine(_ bytes: RawSpan, _ code: StaticString, _ greeting: Greeting) -> Result {
    guard HTTP.starts(bytes, code) != false else { return .nothing }
    let end = bytes.firstOffset(of: 0x0a)
    guard let stop = end ?? (bytes.byteCount >= 256 ? bytes.byteCount : nil) else { return .needsMore }
    var at = 0
    while greeting == .ready220, at < stop {
      if bytes.has("SMTP", at: at) { return .found(.named(.smtp)) }
      if bytes.has("FTP", at: at) { return .found(.named(.ftp)) }
      at &+= 1
    }
    return .found(.greeting(greeting))
  }

  /// TPKT with an X.224 connection request (MS-RDPBCGR section 2.2.1.1).
  private static func rdp(_ bytes: RawSpan) -> Result {
    if bytes.byteCount > 1, bytes.u8(1) != 0 { return .nothing }
    guard bytes.byteCount >= 6 else { return .needsMore }
    let length = Int(bytes.u16(2))
    return bytes.u8(5) == 0xe0 && length >= 11 && Int(bytes.u8(4)) &+ 5 == length
      ? .found(.named(.rdp)) : .nothing
  }

  /// Two octets of length and a plausible header (RFC 1035 section 4.2.2).
  private static func dns(_ bytes: RawSpan) -> Result {
    if bytes.byteCount >= 2, bytes.u16(0) < 17 { return .nothing }
    if bytes.byteCount >= 5, bytes.u8(4) & 0x78 != 0 { return .nothing }
    guard bytes.byteCount >= 19 else { return .needsMore }
    return DNSMessage.isPlausible(bytes.from(2)) ? .found(.dns) : .nothing
  }
}
