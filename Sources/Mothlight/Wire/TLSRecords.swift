/// Puts the handshake messages of one direction together from TLS records (RFC 5246 section 6.2, RFC 8446 section 5.1).
///
/// A message is handed out as soon as its last octet is there, even inside an unfinished record. Ends at the first
/// record that is not a clear handshake: change-cipher-spec, alert or application data.
struct TLSRecords {
  enum End: Equatable {
    case changeCipherSpec, applicationData
    /// A fatal or closing alert in the clear; its description (RFC 8446 section 6). Warnings, such as old servers'
    /// unrecognized_name before their hello, are passed over (RFC 6066 section 3).
    case alert(UInt8)
    case malformed
    /// Longer than `Limits.streamPrefixOctets`, or bytes were missing.
    case gaveUp
  }

  /// What has arrived and is not yet sorted into records.
  private var raw: [UInt8] = []
  private var rawStart = 0
  /// Type and missing octets of the record under way.
  private var recordType: UInt8 = 0
  private var recordLeft = 0
  private var alertLevel: UInt8?
  private var messages: [UInt8] = []
  private var messageStart = 0
  private(set) var end: End?

  /// Nothing has been taken yet.
  var isUntouched: Bool { end == nil && raw.isEmpty && recordLeft == 0 && messages.isEmpty && rawStart == 0 }

  /// Type and body of a message that is whole inside the first record of `bytes`, so that it need not be copied.
  static func firstMessage(in bytes: RawSpan) -> (type: UInt8, body: Range<Int>)? {
    guard bytes.byteCount >= 9, bytes.u8(0) == 22, bytes.u8(1) == 3 else { return nil }
    let record = Int(bytes.u16(3))
    let length = Int(bytes.u8(6)) << 16 | Int(bytes.u16(7))
    guard record <= 16_384 &+ 2048, length &+ 4 <= record, length <= Limits.streamPrefixOctets &- 4,
      bytes.byteCount >= 9 &+ length
    else { return nil }
    return (bytes.u8(5), 9..<(9 &+ length))
  }

  mutating func append(_ bytes: RawSpan) {
    guard end == nil else { return }
    let taken = raw.append(bytes, upTo: 2 &* Limits.streamPrefixOctets)
    parse()
    if taken < bytes.byteCount { giveUp() }
  }

  mutating func giveUp() {
    if end == nil { end = .gaveUp }
    raw = []
    rawStart = 0
  }

  /// Goes on behind a change-cipher-spec that changes nothing (RFC 8446 appendix D.4).
  mutating func passChangeCipherSpec() {
    guard end == .changeCipherSpec else { return }
    end = nil
    parse()
  }

  private mutating func parse() {
    while end == nil {
      if recordLeft > 0 {
        guard rawStart < raw.count else { break }
        readBody()
      } else {
        guard raw.count &- rawStart >= 5 else { break }
        readHeader()
      }
    }
    if rawStart == raw.count {
      raw.removeAll(keepingCapacity: true)
      rawStart = 0
    }
  }

  private mutating func readHeader() {
    recordType = raw[rawStart]
    recordLeft = Int(raw[rawStart &+ 3]) << 8 | Int(raw[rawStart &+ 4])
    // 2^14 plus the largest expansion that RFC 5246 section 6.2.3 allows.
    guard raw[rawStart &+ 1] == 3, recordType >= 20, recordType <= 24, recordLeft <= 16_384 &+ 2048 else {
      end = .malformed
      return
    }
    rawStart &+= 5
    alertLevel = nil
    if recordType == 20 { end = .changeCipherSpec }
    if recordType == 21, recordLeft != 2 { end = .malformed }
    if recordType == 23 { end = .applicationData }
  }

  private mutating func readBody() {
    let count = recordType == 21 ? 1 : Swift.min(recordLeft, raw.count &- rawStart)
    if recordType == 22 {
      guard messages.count &- messageStart &+ count <= Limits.streamPrefixOctets else { return giveUp() }
      messages.append(contentsOf: raw[rawStart..<(rawStart &+ count)])
    } else if recordType == 21 {
      let octet = raw[rawStart]
      if let level = alertLevel {
        if level != 1 || octet == 0 { end = .alert(octet) }
      } else {
        alertLevel = octet
      }
    }
    rawStart &+= count
    recordLeft &-= count
  }

  /// The next whole handshake message: its type and its body's place in `bytes(_:)`.
  mutating func nextMessage() -> (type: UInt8, body: Range<Int>)? {
    guard messages.count &- messageStart >= 4 else { return nil }
    let length =
      Int(messages[messageStart &+ 1]) << 16 | Int(messages[messageStart &+ 2]) << 8 | Int(messages[messageStart &+ 3])
    guard length <= Limits.streamPrefixOctets else {
      giveUp()
      return nil
    }
    let start = messageStart &+ 4
    guard messages.count &- start >= length else { return nil }
    messageStart = start &+ length
    return (messages[start &- 4], start..<(start &+ length))
  }

  /// Messages stay in place until `release`, so a range remains good.
  func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> {
    range.upperBound <= messages.count ? messages[range] : []
  }

  mutating func release() {
    giveUp()
    messages = []
    messageStart = 0
  }
}
