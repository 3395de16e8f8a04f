/// Reads the registration of one IRC connection (RFC 1459 section 4.1, RFC 2812 section 3.1): who joins what, and how.
///
/// Commands are looked at, messages are not kept: what people say to each other is nobody's business here.
struct IRCConversation {
  /// Lines of the client that are looked at: registration, capabilities and some joins.
  private static let linesMost = 48
  /// Octets of the client that are looked at, and of one line (RFC 2812 section 2.3 allows 512).
  private static let octetsMost = 8192
  private static let lineOctets = 1024
  static let channelsMost = 8

  private var client: [UInt8] = []
  private var lines = 0
  private var octets = 0
  private let began: Timestamp
  private var registered: Timestamp?
  private var joined: Timestamp?
  private var nick = ""
  private var userShape = ""
  private var channels: [String] = []
  private var hasChannelKey = false
  private var hasPassword = false
  private(set) var isDone = false

  init(at time: Timestamp) { began = time }

  mutating func feed(_ bytes: RawSpan, fromClient: Bool, at time: Timestamp) {
    guard fromClient, !isDone else { return }
    octets &+= bytes.byteCount
    var buffer = client
    client = []
    buffer.append(bytes, upTo: Self.octetsMost)
    var start = 0
    while !isDone, let end = buffer.span.bytes.firstOffset(of: 0x0a, from: start) {
      let stop = end > start && buffer[end &- 1] == 0x0d ? end &- 1 : end
      if end &- start > Self.lineOctets {
        isDone = true
      } else {
        read(buffer.span.bytes.extracting(start..<stop), at: time)
      }
      start = end &+ 1
      lines &+= 1
      if lines >= Self.linesMost { isDone = true }
    }
    if start > 0 { buffer.removeFirst(start) }
    if octets >= Self.octetsMost || buffer.count > Self.lineOctets { isDone = true }
    if !isDone { client = buffer }
  }

  /// Octets of the client are missing: what was read so far is what there is.
  mutating func skip(fromClient: Bool) {
    if fromClient { isDone = true }
  }

  private mutating func read(_ line: RawSpan, at time: Timestamp) {
    let line = WireText.trimmed(line)
    guard line.byteCount > 0 else { return }
    let commandEnd = line.firstOffset(of: 0x20) ?? line.byteCount
    let command = line.extracting(0..<commandEnd)
    let rest = WireText.trimmed(line.from(commandEnd))
    let wordEnd = rest.firstOffset(of: 0x20) ?? rest.byteCount
    let word = rest.extracting(0..<wordEnd)
    if WireText.equals(command, "nick") {
      if nick.isEmpty || joined == nil { nick = WireText.printable(Self.plain(word), limit: 64) }
    } else if WireText.equals(command, "user") {
      userShape = Self.shape(word)
      registered = registered ?? time
    } else if WireText.equals(command, "pass") {
      hasPassword = true
    } else if WireText.equals(command, "join") {
      join(word, key: WireText.trimmed(rest.from(wordEnd)))
      joined = joined ?? time
    } else if joined != nil, !Self.isUpkeep(command) {
      isDone = true
    }
    if channels.count >= Self.channelsMost { isDone = true }
  }

  /// Commands that clients send by themselves around a join.
  private static func isUpkeep(_ command: RawSpan) -> Bool {
    let names: [StaticString] = ["mode", "who", "pong", "ping", "userhost", "protoctl", "cap"]
    return names.contains { WireText.equals(command, $0) }
  }

  private mutating func join(_ list: RawSpan, key: RawSpan) {
    var at = 0
    while at < list.byteCount, channels.count < Self.channelsMost {
      let end = list.firstOffset(of: 0x2c, from: at) ?? list.byteCount
      let channel = Self.plain(list.extracting(at..<end))
      if channel.byteCount > 1, [0x23, 0x26, 0x2b, 0x21].contains(channel.u8(0)) {
        let text = WireText.printable(channel, limit: 64)
        if !channels.contains(text) { channels.append(text) }
        if Self.isKey(key) { hasChannelKey = true }
      }
      at = end &+ 1
    }
  }

  /// Some clients fill the place of a missing key with a hyphen or an empty last parameter.
  private static func isKey(_ bytes: RawSpan) -> Bool {
    bytes.byteCount > 1 || (bytes.byteCount == 1 && bytes.u8(0) != 0x2d && bytes.u8(0) != 0x3a)
  }

  /// Without the colon that marks a last parameter.
  @_lifetime(copy bytes)
  private static func plain(_ bytes: RawSpan) -> RawSpan {
    bytes.byteCount > 0 && bytes.u8(0) == 0x3a ? bytes.from(1) : bytes
  }

  /// A name's make-up without the name: runs of letters as `a`, of digits as `9`, the rest as it is.
  static func shape(_ bytes: RawSpan) -> String {
    var out: [UInt8] = []
    for i in 0..<Swift.min(bytes.byteCount, 64) {
      let byte = bytes.u8(i)
      let kind: UInt8 =
        switch byte {
        case 0x30...0x39: 0x39
        case 0x41...0x5a, 0x61...0x7a: 0x61
        case 0x21...0x7e: byte
        default: 0x3f
        }
      if out.last != kind || (kind != 0x39 && kind != 0x61) { out.append(kind) }
    }
    return String(decoding: out.prefix(32), as: UTF8.self)
  }

  /// `nil` when nothing but a password or user line was seen: other protocols have those too.
  func session(_ ends: Endpoints) -> (event: IRCSession, began: Timestamp)? {
    guard !nick.isEmpty || !channels.isEmpty else { return nil }
    let event = IRCSession(
      ends: ends, nick: nick, userShape: userShape, channels: channels, hasChannelKey: hasChannelKey,
      hasPassword: hasPassword,
      secondsToJoin: registered.flatMap { from in joined.map { max(0, $0.seconds(since: from)) } })
    return (event, began)
  }
}
