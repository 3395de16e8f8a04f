/// A DNS message (RFC 1035 section 4): header, first question, and of the answers what names and addresses they give.
struct DNSMessage {
  var id: UInt16
  var isResponse: Bool
  var opcode: UInt8
  /// With the EDNS extension bits (RFC 6891 section 6.1.3) when an OPT record follows.
  var responseCode: UInt16
  var isTruncated: Bool
  var question: Name
  var type: UInt16
  var addresses: [IPAddress] = []
  var targets: [String] = []
  var ttlSeconds: UInt32 = 0
  /// Damage behind the question; what came before it stands.
  var anomalies: Anomalies = []

  /// A name in lower case with the octets it took in the message.
  struct Name: Hashable {
    var text: String
    var octetsRead: Int
  }

  /// - Throws: when header or question cannot be read, or there is not exactly one question.
  init(_ bytes: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(bytes)
    id = try cursor.u16()
    let flags = try cursor.u16()
    isResponse = flags & 0x8000 != 0
    opcode = UInt8(truncatingIfNeeded: flags >> 11 & 15)
    isTruncated = flags & 0x0200 != 0
    responseCode = flags & 15
    let questions = try cursor.u16()
    let answers = try cursor.u16()
    let authorities = try cursor.u16()
    let additionals = try cursor.u16()
    guard questions == 1 else { throw questions == 0 ? .unsupported : .malformed }
    question = try Self.name(bytes, at: cursor.offset)
    try cursor.skip(question.octetsRead)
    type = try cursor.u16()
    try cursor.skip(2)
    do {
      try readRecords(&cursor, answers: Int(answers), others: Int(authorities) &+ Int(additionals))
      if cursor.remaining > 0 { anomalies.insert(.lengthMismatch) }
    } catch {
      if !isTruncated { anomalies.insert(.malformedDNS) }
    }
  }

  /// Each record takes at least 11 octets, so a false count ends with the bytes.
  private mutating func readRecords(
    _ cursor: inout WireCursor, answers: Int, others: Int
  ) throws(DecodeError) {
    var lowest: UInt32?
    for index in 0..<(answers &+ others) {
      let owner = try Self.nameLength(cursor.bytes, at: cursor.offset)
      try cursor.skip(owner)
      let recordType = try cursor.u16()
      try cursor.skip(2)
      let ttl = try cursor.u32()
      let length = Int(try cursor.u16())
      let start = cursor.offset
      try cursor.skip(length)
      if index < answers {
        lowest = Swift.min(lowest ?? .max, ttl)
        ttlSeconds = lowest ?? 0
        try readAnswer(cursor.bytes, type: recordType, at: start, length: length)
      } else if recordType == 41 {
        responseCode |= UInt16(truncatingIfNeeded: ttl >> 24) << 4
      }
    }
  }

  private mutating func readAnswer(
    _ bytes: RawSpan, type: UInt16, at start: Int, length: Int
  ) throws(DecodeError) {
    guard addresses.count &+ targets.count < Limits.dnsAnswers else { return }
    switch type {
    case 1:
      guard length == 4 else { throw .malformed }
      addresses.append(IPAddress(v4: bytes.u32(start)))
    case 28:
      guard length == 16 else { throw .malformed }
      addresses.append(IPAddress(high: bytes.u64(start), low: bytes.u64(start &+ 8)))
    case 2, 5, 12:
      targets.append(try Self.name(bytes, at: start).text)
    case 15:
      guard length >= 3 else { throw .malformed }
      targets.append(try Self.name(bytes, at: start &+ 2).text)
    case 16:
      targets.append(Self.characterStrings(bytes.extracting(start..<(start &+ length))))
    default: break
    }
  }

  /// TXT strings joined (RFC 1035 section 3.3.14), at most `Limits.textOctets` octets of them.
  private static func characterStrings(_ bytes: RawSpan) -> String {
    var out: [UInt8] = []
    var i = 0
    var taken = 0
    while i < bytes.byteCount, taken < Limits.textOctets {
      let end = Swift.min(i &+ 1 &+ Int(bytes.u8(i)), bytes.byteCount)
      i &+= 1
      while i < end, taken < Limits.textOctets {
        appendEscaped(bytes.u8(i), to: &out, escapingDot: false)
        i &+= 1
        taken &+= 1
      }
      i = end
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func appendEscaped(_ byte: UInt8, to out: inout [UInt8], escapingDot: Bool) {
    if byte > 0x20 && byte < 0x7f || (byte == 0x20 && !escapingDot) {
      if byte == 0x5c || (escapingDot && byte == 0x2e) { out.append(0x5c) }
      out.append(byte)
    } else {
      out.append(0x5c)
      out.append(0x30 &+ byte / 100)
      out.append(0x30 &+ byte / 10 % 10)
      out.append(0x30 &+ byte % 10)
    }
  }

  /// Reads a possibly compressed name (RFC 1035 section 4.1.4).
  ///
  /// A pointer must aim before the run of labels it ends, so the starts of runs fall strictly and the walk ends by
  /// construction; 255 octets bound the rest (section 2.3.4).
  static func name(_ bytes: RawSpan, at start: Int) throws(DecodeError) -> Name {
    var out: [UInt8] = []
    out.reserveCapacity(64)
    var at = start
    var runStart = start
    var octetsRead: Int?
    var total = 0
    while true {
      guard at < bytes.byteCount else { throw .truncated }
      let length = Int(bytes.u8(at))
      if length & 0xc0 == 0xc0 {
        guard at &+ 1 < bytes.byteCount else { throw .truncated }
        let target = (length & 0x3f) << 8 | Int(bytes.u8(at &+ 1))
        if octetsRead == nil { octetsRead = at &+ 2 &- start }
        guard target < runStart else { throw .malformed }
        at = target
        runStart = target
        continue
      }
      guard length < 64 else { throw .malformed }
      total &+= length &+ 1
      guard total <= 255 else { throw .malformed }
      if length == 0 {
        if octetsRead == nil { octetsRead = at &+ 1 &- start }
        break
      }
      guard at &+ length < bytes.byteCount else { throw .truncated }
      if !out.isEmpty { out.append(0x2e) }
      for i in 1...length { appendEscaped(WireText.lower(bytes.u8(at &+ i)), to: &out, escapingDot: true) }
      at &+= length &+ 1
    }
    return Name(text: String(decoding: out, as: UTF8.self), octetsRead: octetsRead ?? 0)
  }

  /// Octets that a name takes in place, without following pointers.
  private static func nameLength(_ bytes: RawSpan, at start: Int) throws(DecodeError) -> Int {
    var at = start
    while true {
      guard at < bytes.byteCount else { throw .truncated }
      let length = Int(bytes.u8(at))
      if length & 0xc0 == 0xc0 { return at &+ 2 &- start }
      guard length < 64, at &- start < 255 else { throw .malformed }
      at &+= length &+ 1
      if length == 0 { return at &- start }
    }
  }

  /// A cheap test on the header that nearly all other UDP payloads fail: standard opcode, reserved bit clear, one
  /// question, and a first label of sane length.
  static func isPlausible(_ bytes: RawSpan) -> Bool {
    guard bytes.byteCount >= 17, bytes.u16(4) == 1, bytes.u8(2) & 0x78 == 0, bytes.u8(3) & 0x40 == 0 else {
      return false
    }
    let isResponse = bytes.u8(2) & 0x80 != 0
    guard bytes.u8(12) < 64 else { return false }
    if isResponse { return bytes.u16(6) < 256 && bytes.u16(8) < 256 && bytes.u16(10) < 256 }
    return bytes.u8(3) & 0x0f == 0 && bytes.u16(6) == 0 && bytes.u16(8) <= 1 && bytes.u16(10) <= 2
  }

  /// Whether a message on a foreign port is surely DNS: nothing left over or broken, class IN, an ordinary type.
  static func isConvincing(_ bytes: RawSpan, _ message: DNSMessage) -> Bool {
    let classOffset = 12 &+ message.question.octetsRead &+ 2
    return message.anomalies.isEmpty && !message.question.text.isEmpty && message.type < 260 && message.type > 0
      && classOffset &+ 2 <= bytes.byteCount && bytes.u16(classOffset) == 1
      && !message.question.text.utf8.contains(0x5c)
  }
}
