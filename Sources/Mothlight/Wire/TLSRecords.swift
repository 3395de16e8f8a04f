/// Puts the handshake messages of one direction together from TLS records (RFC 5246 section 6.2, RFC 8446 section 5.1).
///
/// Ends at the first record that is not a clear handshake: change-cipher-spec, alert or application data.
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

  private var raw: [UInt8] = []
  private var rawStart = 0
  private var messages: [UInt8] = []
  private var messageStart = 0
  private(set) var end: End?

  mutating func append(_ bytes: RawSpan) {
    guard end == nil else { return }
    raw.append(bytes, upTo: Limits.streamPrefixOctets &+ 4096 &+ rawStart)
    parseRecords()
  }

  mutating func giveUp() {
    if end == nil { end = .gaveUp }
    raw = []
  }

  private mutating func parseRecords() {
    while end == nil, raw.count &- rawStart >= 5 {
      let type = raw[rawStart]
      let length = Int(raw[rawStart &+ 3]) << 8 | Int(raw[rawStart &+ 4])
      // 2^14 plus the largest expansion that RFC 5246 section 6.2.3 allows.
      guard raw[rawStart &+ 1] == 3, type >= 20, type <= 24, length <= 16_384 &+ 2048 else {
        end = .malformed
        break
      }
      if type == 20 { end = .changeCipherSpec }
      if type == 23 { end = .applicationData }
      guard end == nil, raw.count &- rawStart >= 5 &+ length else { break }
      let body = (rawStart &+ 5)..<(rawStart &+ 5 &+ length)
      if type == 22 {
        if messages.count &+ length > Limits.streamPrefixOctets &+ messageStart { end = .gaveUp }
        messages.append(contentsOf: raw[body])
      } else if type == 21 {
        if length != 2 {
          end = .malformed
        } else if raw[body.lowerBound] != 1 || raw[body.lowerBound &+ 1] == 0 {
          end = .alert(raw[body.lowerBound &+ 1])
        }
      }
      rawStart = body.upperBound
    }
    if end != nil || rawStart == raw.count {
      raw.removeAll(keepingCapacity: end == nil)
      rawStart = 0
    }
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

  /// Messages stay in place until the walk ends, so a range remains good.
  func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> {
    range.upperBound <= messages.count ? messages[range] : []
  }

  mutating func release() {
    raw = []
    messages = []
    rawStart = 0
    messageStart = 0
    if end == nil { end = .gaveUp }
  }
}
