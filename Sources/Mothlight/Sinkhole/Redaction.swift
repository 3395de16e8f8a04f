/// Takes out of a message what could name a person or a machine, before anything is kept (sinkhole.md R14).
///
/// Framing stays, words go: runs of four or more printable octets become their make-up, letters `a` and digits `9`. That
/// keeps lengths, separators and binary fields, by which a protocol is told, and loses names, passwords and keys.
enum Redaction {
  /// Octets kept of a message.
  static let prefixOctetsMost = 128
  /// Characters kept of a path or a user agent.
  private static let textMost = 128
  private static let wordLeast = 4

  /// The start of a datagram or raw stream; nothing where the rule declares personal data.
  static func prefix(_ bytes: RawSpan, declares personal: Bool) -> [UInt8] {
    guard !personal else { return [] }
    var kept: [UInt8] = []
    kept.append(bytes, upTo: prefixOctetsMost)
    var start = 0
    while start < kept.count {
      guard isPrintable(kept[start]) else {
        start += 1
        continue
      }
      var end = start
      while end < kept.count, isPrintable(kept[end]) { end += 1 }
      // A word cut off at the end of what is kept may go on.
      let isWord = end - start >= wordLeast || (end == kept.count && bytes.byteCount > kept.count)
      if isWord { for i in start..<end { kept[i] = makeUp(kept[i]) } }
      start = end
    }
    return kept
  }

  private static func isPrintable(_ octet: UInt8) -> Bool { octet >= 0x20 && octet != 0x7f }

  private static func makeUp(_ octet: UInt8) -> UInt8 {
    switch octet {
    case 0x30...0x39: 0x39
    case 0x41...0x5a, 0x61...0x7a, 0x80...0xff: 0x61
    default: octet
    }
  }

  /// Path with its file name, and names of parameters without their values: `/gate.php?id=&v=`.
  static func uriShape(_ target: String, declares personal: Bool) -> String {
    let parts = target.prefix(textMost).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = personal ? makeUp(parts[0]) : pathShape(parts[0])
    guard parts.count == 2 else { return path }
    let names = parts[1].split(separator: "&", omittingEmptySubsequences: false).map { pair -> String in
      let name = pair.prefix { $0 != "=" }
      return pair.count == name.count ? makeUp(name) : (personal ? makeUp(name) : String(name)) + "="
    }
    return path + "?" + names.joined(separator: "&")
  }

  /// Segments that look like an identifier (long, or letters mixed with digits) become their make-up.
  private static func pathShape(_ path: Substring) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).map { segment -> String in
      let hasDigit = segment.utf8.contains { $0 &- 0x30 < 10 }
      let isPlain = segment.utf8.count <= 24 && !(hasDigit && segment.utf8.count > 8) && !segment.contains("@")
      return isPlain ? String(segment) : makeUp(segment)
    }.joined(separator: "/")
  }

  /// Runs of letters as `a`, of digits as `9`, the rest as it is.
  static func makeUp(_ text: some StringProtocol) -> String { IRCConversation.shape(Array(text.utf8).span.bytes) }

  /// A user agent that many people share; `nil` for one that could be a name, which is then kept as a hash only.
  static func agent(_ agent: String?, declares personal: Bool) -> String? {
    guard let agent, !personal, agent.hasPrefix("Mozilla/") || agent.hasPrefix("Opera/") else { return nil }
    return String(agent.prefix(textMost))
  }

  /// At most as many octets as a record takes.
  static func cut(_ text: String) -> String {
    guard text.utf8.count > CheckIn.textOctetsMost else { return text }
    return String(decoding: text.utf8.prefix(CheckIn.textOctetsMost - 3), as: UTF8.self)
  }

  private static let ircCommands: Set<String> = [
    "PASS", "NICK", "USER", "JOIN", "CAP", "MODE", "WHO", "PING", "PONG", "PRIVMSG", "NOTICE", "USERHOST", "QUIT",
    "PART",
  ]

  /// Known command words of the first lines in their order; what follows them is personal.
  static func commands(_ bytes: RawSpan) -> String {
    var found: [String] = []
    var at = 0
    while at < bytes.byteCount, found.count < 16 {
      let end = bytes.firstOffset(of: 0x0a, from: at) ?? bytes.byteCount
      let line = bytes.extracting(at..<end)
      let word = WireText.printable(line.extracting(0..<(line.firstOffset(of: 0x20) ?? line.byteCount)), limit: 16)
      let command = word.uppercased()
      if ircCommands.contains(command) { found.append(command) }
      at = end &+ 1
    }
    return found.joined(separator: " ")
  }
}
