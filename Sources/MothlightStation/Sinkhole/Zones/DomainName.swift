/// A domain name in the form of the wire, lower case, with the root's empty label (RFC 1035 section 3.1, RFC 4343).
public struct DomainName: Sendable, Hashable, CustomStringConvertible {
  public enum Bound {
    /// Octets of a name with its last, empty label (RFC 1035 section 2.3.4).
    public static let octets = 255
    /// Octets of a label.
    public static let label = 63
  }

  /// What is wrong with a text that should be a name.
  public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }
  }

  public let octets: [UInt8]

  /// Labels without the root.
  public var labels: Int { Self.labels(in: octets) }

  public static let root = DomainName(trusted: [0])

  init(trusted octets: [UInt8]) { self.octets = octets }

  /// Reads `name.example` or `name.example.`; letters, digits, `-` and `_`. A name with other letters is wanted as
  /// registries keep it, in its `xn--` form (RFC 5891).
  public init(_ text: some StringProtocol) throws(Refusal) {
    var octets: [UInt8] = []
    octets.reserveCapacity(text.utf8.count + 2)
    let copy = Array(text.utf8)
    try copy.withUnsafeBufferPointer { bytes throws(Refusal) in
      try Self.append(UnsafeRawBufferPointer(bytes), to: &octets)
    }
    self.octets = octets
  }

  /// Appends the wire form of `text` to `out`, which stays as it was when the text is refused.
  /// - Complexity: O(octets), no allocation but that of `out`.
  static func append(_ text: UnsafeRawBufferPointer, to out: inout [UInt8]) throws(Refusal) {
    let start = out.count
    do throws(Refusal) {
      try appendLabels(text, to: &out)
    } catch {
      out.removeLast(out.count &- start)
      throw error
    }
  }

  private static func appendLabels(_ text: UnsafeRawBufferPointer, to out: inout [UInt8]) throws(Refusal) {
    var count = text.count
    if count > 1, text[count &- 1] == 0x2e { count &-= 1 }
    guard count > 0 else { throw Refusal("is empty") }
    guard count &+ 2 <= Bound.octets else { throw Refusal("is longer than 253 octets") }
    var mark = out.count
    out.append(0)
    for i in 0...count {
      let byte = i == count ? 0x2e : text[i]
      if byte == 0x2e {
        let length = out.count &- mark &- 1
        guard length > 0 else { throw Refusal("has an empty label") }
        guard length <= Bound.label else { throw Refusal("has a label of more than 63 octets") }
        guard out[mark &+ 1] != 0x2d, out[out.count &- 1] != 0x2d else {
          throw Refusal("has a label that begins or ends with '-'")
        }
        out[mark] = UInt8(truncatingIfNeeded: length)
        mark = out.count
        out.append(0)
      } else {
        let lower = byte &- 0x41 < 26 ? byte | 0x20 : byte
        guard lower &- 0x61 < 26 || lower &- 0x30 < 10 || lower == 0x2d || lower == 0x5f else {
          throw byte >= 0x80
            ? Refusal("has a letter beyond ASCII; write the 'xn--' form") : Refusal("has a character that no name has")
        }
        out.append(lower)
      }
    }
  }

  static func labels(in octets: some Collection<UInt8>) -> Int {
    var count = 0
    var at = octets.startIndex
    while at < octets.endIndex, octets[at] != 0, octets[at] <= Bound.label {
      count &+= 1
      guard let next = octets.index(at, offsetBy: Int(octets[at]) &+ 1, limitedBy: octets.endIndex) else { break }
      at = next
    }
    return count
  }

  /// The name without its first label; `nil` for the root.
  public var parent: DomainName? {
    guard let length = octets.first, length > 0 else { return nil }
    return DomainName(trusted: Array(octets.dropFirst(Int(length) + 1)))
  }

  /// Whether this name is `other` or below it.
  public func isAtOrBelow(_ other: DomainName) -> Bool {
    guard octets.count >= other.octets.count else { return false }
    var at = 0
    while at &+ other.octets.count < octets.count { at &+= Int(octets[at]) &+ 1 }
    return octets.count &- at == other.octets.count && octets[at...].elementsEqual(other.octets)
  }

  /// Without the last dot; `.` for the root. What is no letter, digit, `-` or `_` stands as `\DDD` (RFC 1035 section 5.1).
  public var description: String { octets.withUnsafeBytes { Self.text(of: $0) } }

  static func text(of octets: UnsafeRawBufferPointer) -> String {
    var text = ""
    var at = 0
    while at < octets.count, octets[at] != 0 {
      let end = min(octets.count, at &+ 1 &+ Int(octets[at]))
      if !text.isEmpty { text += "." }
      for byte in octets[(at &+ 1)..<end] {
        if byte &- 0x61 < 26 || byte &- 0x41 < 26 || byte &- 0x30 < 10 || byte == 0x2d || byte == 0x5f {
          text.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
          let digits = String(byte)
          text += "\\" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
        }
      }
      at = end
    }
    return text.isEmpty ? "." : text
  }
}
