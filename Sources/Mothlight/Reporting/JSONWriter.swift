/// Writes JSON (RFC 8259) piece by piece in a fixed order: equal calls give equal bytes on every machine.
///
/// Callers pair `begin` with `end` and put a key before each value of an object. Numbers have at most six decimals and are
/// written as short as they can be; a number that JSON cannot hold becomes `null`.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8] = []
  /// One entry per open container: whether it already holds something.
  private var open: [Bool] = []
  private var afterKey = false
  /// Members of containers down to this depth start a line of their own.
  private let lineDepth: Int

  package init(lineDepth: Int = 0) { self.lineDepth = lineDepth }

  /// What was written since the last call.
  package mutating func drain() -> String {
    defer { bytes.removeAll(keepingCapacity: true) }
    return String(decoding: bytes, as: UTF8.self)
  }

  package mutating func newline() { bytes.append(0x0a) }

  // MARK: Structure

  package mutating func beginObject() { begin(0x7b) }
  package mutating func endObject() { end(0x7d) }
  package mutating func beginArray() { begin(0x5b) }
  package mutating func endArray() { end(0x5d) }

  package mutating func key(_ name: StaticString) {
    separate()
    bytes.append(0x22)
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(0x22)
    bytes.append(0x3a)
    afterKey = true
  }

  /// A key that is itself data, such as a counter's name.
  package mutating func key(text: String) {
    separate()
    quote(text)
    bytes.append(0x3a)
    afterKey = true
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    open.append(false)
  }

  private mutating func end(_ bracket: UInt8) {
    let hadMembers = open.popLast() ?? false
    if hadMembers, open.count < lineDepth { indent(open.count) }
    bytes.append(bracket)
  }

  private mutating func separate() {
    if afterKey {
      afterKey = false
      return
    }
    guard let hasMembers = open.last else { return }
    if hasMembers { bytes.append(0x2c) } else { open[open.count - 1] = true }
    if open.count <= lineDepth { indent(open.count) }
  }

  private mutating func indent(_ depth: Int) {
    bytes.append(0x0a)
    for _ in 0..<depth { bytes.append(0x20) }
  }

  // MARK: Values

  /// Text that is JSON already, such as another writer's.
  package mutating func raw(_ json: String) {
    separate()
    append(json)
  }

  package mutating func null() {
    separate()
    append("null")
  }

  package mutating func value(_ flag: Bool) {
    separate()
    append(flag ? "true" : "false")
  }

  package mutating func value(_ text: String) {
    separate()
    quote(text)
  }

  package mutating func value(_ text: String?) {
    if let text { value(text) } else { null() }
  }

  package mutating func value(_ number: UInt64) {
    separate()
    digits(number)
  }

  /// An array of numbers, many of which are small.
  package mutating func array(_ numbers: [UInt32]) {
    beginArray()
    if open.count <= lineDepth {
      for number in numbers { value(UInt64(number)) }
    } else {
      var isFirst = true
      for number in numbers {
        if !isFirst { bytes.append(0x2c) }
        isFirst = false
        digits(UInt64(number))
      }
    }
    endArray()
  }

  package mutating func value(_ number: Int) {
    separate()
    if number < 0 { bytes.append(0x2d) }
    digits(UInt64(number.magnitude))
  }

  package mutating func value(_ number: Int?) {
    if let number { value(number) } else { null() }
  }

  package mutating func value(_ number: Double) {
    separate()
    guard number.isFinite else { return append("null") }
    let size = abs(number)
    if size < 1e9 {
      // Below 2^53 after scaling, so the integer is exact.
      let scaled = UInt64((size * 1e6).rounded())
      if number < 0, scaled > 0 { bytes.append(0x2d) }
      digits(scaled / 1_000_000)
      fraction(scaled % 1_000_000)
    } else {
      var text = size < 1e12 ? ((number * 1e3).rounded() / 1e3).description : number.rounded().description
      if text.hasSuffix(".0") { text.removeLast(2) }
      append(text)
    }
  }

  package mutating func value(_ number: Double?) {
    if let number { value(number) } else { null() }
  }

  /// RFC 3339 in UTC; `null` for a time that was never set.
  package mutating func value(_ time: Timestamp?) {
    guard let time, ReportWords.isSet(time) else { return null() }
    separate()
    bytes.append(0x22)
    let day = time.day
    let (year, month, dayOfMonth) = CivilDate.from(daysSinceEpoch: day)
    let micros = UInt64(clamping: (time.nanoseconds &- Int64(day) &* 86_400_000_000_000) / 1000)
    let second = micros / 1_000_000
    padded(UInt64(clamping: year), 4, then: 0x2d)
    padded(UInt64(month), 2, then: 0x2d)
    padded(UInt64(dayOfMonth), 2, then: 0x54)
    padded(second / 3600, 2, then: 0x3a)
    padded(second / 60 % 60, 2, then: 0x3a)
    padded(second % 60, 2, then: 0x2e)
    padded(micros % 1_000_000, 6, then: 0x5a)
    bytes.append(0x22)
  }

  package mutating func value(_ address: IPAddress) {
    guard address.isV4 else { return value(address.description) }
    separate()
    bytes.append(0x22)
    for shift: UInt32 in [24, 16, 8, 0] {
      digits(UInt64(address.v4 >> shift & 255))
      if shift > 0 { bytes.append(0x2e) }
    }
    bytes.append(0x22)
  }

  private mutating func padded(_ number: UInt64, _ width: Int, then mark: UInt8) {
    var least: UInt64 = 1
    for _ in 1..<width { least *= 10 }
    while least > 1, number < least {
      bytes.append(0x30)
      least /= 10
    }
    digits(number)
    bytes.append(mark)
  }

  private mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  private mutating func digits(_ number: UInt64) {
    if number < 10 { return bytes.append(0x30 + UInt8(number)) }
    var rest = number
    var text = InlineArray<20, UInt8>(repeating: 0)
    var at = 20
    while rest > 0, at > 0 {
      at -= 1
      text[at] = 0x30 + UInt8(rest % 10)
      rest /= 10
    }
    withUnsafeBytes(of: &text) { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0[at...])) }
  }

  private mutating func fraction(_ millionths: UInt64) {
    guard millionths > 0 else { return }
    bytes.append(0x2e)
    var rest = millionths
    var unit: UInt64 = 100_000
    while rest > 0, unit > 0 {
      bytes.append(0x30 + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }
}

extension JSONWriter {
  /// Escapes what RFC 8259 section 7 demands, and also what could steer a terminal or break a line in JavaScript:
  /// DEL, C1 controls, U+2028, U+2029, bidirectional and other format characters.
  private mutating func quote(_ text: String) {
    bytes.append(0x22)
    var text = text
    let isPlain = text.withUTF8 { octets in
      let isPlain = Self.isPlain(octets)
      if isPlain { bytes.append(contentsOf: octets) }
      return isPlain
    }
    if !isPlain { for scalar in text.unicodeScalars { quote(scalar) } }
    bytes.append(0x22)
  }

  /// Nothing in it needs an escape. Without a way out in the loop it is done for many octets at once.
  private static func isPlain(_ octets: UnsafeBufferPointer<UInt8>) -> Bool {
    var others: UInt8 = 0
    for octet in octets {
      others |= (octet &- 0x20 < 0x5f ? 0 : 1) | (octet == 0x22 ? 1 : 0) | (octet == 0x5c ? 1 : 0)
    }
    return others == 0
  }

  private mutating func quote(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x22: append("\\\"")
    case 0x5c: append("\\\\")
    case 0x0a: append("\\n")
    case 0x0d: append("\\r")
    case 0x09: append("\\t")
    case 0x20..<0x7f: bytes.append(UInt8(scalar.value))
    default:
      if VisibleText.isHidden(scalar) {
        for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { unicodeEscape(unit) }
      } else {
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }

  private mutating func unicodeEscape(_ unit: UInt16) {
    append("\\u")
    for shift: UInt16 in [12, 8, 4, 0] {
      let n = UInt8(unit >> shift & 15)
      bytes.append(n < 10 ? 0x30 + n : 0x57 + n)
    }
  }
}
