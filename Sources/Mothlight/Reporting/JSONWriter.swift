/// Writes JSON (RFC 8259) piece by piece in a fixed order: equal calls give equal bytes on every machine.
///
/// Callers pair `begin` with `end` and put a key before each value of an object. Numbers have at most six decimals and are
/// written as short as they can be; a number that JSON cannot hold becomes `null`.
package struct JSONWriter: Sendable {
  /// What was written, and room behind it: a value asks once for its room, not for each octet.
  private var room: [UInt8] = []
  /// Octets written since the last `drain`.
  package private(set) var count = 0
  /// Open containers, 64 at most.
  private var depth = 0
  /// A bit for each open container, the innermost lowest: whether it already holds something.
  private var hasMembers: UInt64 = 0
  private var afterKey = false
  /// Members of containers down to this depth start a line of their own.
  private let lineDepth: Int

  package init(lineDepth: Int = 0) { self.lineDepth = lineDepth }

  /// What was written since the last call.
  package mutating func drain() -> String {
    defer { count = 0 }
    return String(decoding: room[..<count], as: UTF8.self)
  }

  /// A copy of what was written since the last call of `drain`.
  package var bytes: [UInt8] { Array(room[..<count]) }

  package mutating func newline() { put(0x0a) }

  /// Lets `body` write up to `most` octets and say how many it wrote.
  @inline(__always)
  private mutating func write(_ most: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Int) {
    if room.count &- count < most { makeRoom(most) }
    let start = count
    count = start &+ room.withUnsafeMutableBufferPointer { $0.baseAddress.map { body($0 + start) } ?? 0 }
  }

  private mutating func makeRoom(_ most: Int) {
    room.append(contentsOf: repeatElement(0, count: max(room.count, most, 512)))
  }

  private mutating func put(_ octet: UInt8) {
    write(1) {
      $0[0] = octet
      return 1
    }
  }

  // MARK: Structure

  package mutating func beginObject() { begin(0x7b) }
  package mutating func endObject() { end(0x7d) }
  package mutating func beginArray() { begin(0x5b) }
  package mutating func endArray() { end(0x5d) }

  package mutating func key(_ name: StaticString) {
    let comma = comma()
    let length = name.utf8CodeUnitCount
    write(length &+ 4) { out in
      out[0] = 0x2c
      let start = out + comma
      start[0] = 0x22
      name.withUTF8Buffer { if let text = $0.baseAddress { (start + 1).update(from: text, count: length) } }
      start[length &+ 1] = 0x22
      start[length &+ 2] = 0x3a
      return comma &+ length &+ 3
    }
    afterKey = true
  }

  /// A key that is itself data, such as a counter's name.
  package mutating func key(text: String) {
    separate()
    quote(text)
    put(0x3a)
    afterKey = true
  }

  private mutating func begin(_ bracket: UInt8) {
    let comma = comma()
    write(2) { out in
      out[0] = 0x2c
      out[comma] = bracket
      return comma &+ 1
    }
    depth &+= 1
    hasMembers <<= 1
  }

  private mutating func end(_ bracket: UInt8) {
    let hadMembers = hasMembers & 1 != 0
    hasMembers >>= 1
    depth = max(0, depth &- 1)
    if hadMembers, depth < lineDepth { indent() }
    put(bracket)
  }

  /// How many commas go before the next member, 0 or 1. Where members have lines of their own all is written here.
  @inline(__always)
  private mutating func comma() -> Int {
    if afterKey {
      afterKey = false
      return 0
    }
    guard depth > 0 else { return 0 }
    let isNext = Int(truncatingIfNeeded: hasMembers & 1)
    hasMembers |= 1
    guard depth <= lineDepth else { return isNext }
    if isNext > 0 { put(0x2c) }
    indent()
    return 0
  }

  private mutating func separate() { if comma() > 0 { put(0x2c) } }

  private mutating func indent() {
    put(0x0a)
    for _ in 0..<depth { put(0x20) }
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
    let comma = comma()
    write(1 &+ Self.digitsMost) { out in
      out[0] = 0x2c
      return comma &+ Self.digits(number, out + comma)
    }
  }

  /// An array of numbers, many of which are small.
  package mutating func array(_ numbers: [UInt32]) {
    beginArray()
    if depth <= lineDepth {
      for number in numbers { value(UInt64(number)) }
    } else if !numbers.isEmpty {
      hasMembers |= 1
      write(numbers.count &* 11) { out in
        var at = 0
        for number in numbers {
          at &+= Self.digits(UInt64(number), out + at)
          out[at] = 0x2c
          at &+= 1
        }
        return at &- 1
      }
    }
    endArray()
  }

  package mutating func value(_ number: Int) {
    separate()
    write(1 &+ Self.digitsMost) { out in
      out[0] = 0x2d
      let sign = number < 0 ? 1 : 0
      return sign &+ Self.digits(UInt64(number.magnitude), out + sign)
    }
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
      write(8 &+ Self.digitsMost) { out in
        out[0] = 0x2d
        var at = number < 0 && scaled > 0 ? 1 : 0
        at &+= Self.digits(scaled / 1_000_000, out + at)
        return at &+ Self.fraction(scaled % 1_000_000, out + at)
      }
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
    let day = time.day
    let (year, month, dayOfMonth) = CivilDate.from(daysSinceEpoch: day)
    let micros = UInt64(clamping: (time.nanoseconds &- Int64(day) &* 86_400_000_000_000) / 1000)
    let second = micros / 1_000_000
    // Times are of the years 1677 to 2262.
    write(29) { out in
      out[0] = 0x22
      Self.padded(UInt64(clamping: year), 4, out + 1)
      out[5] = 0x2d
      Self.padded(UInt64(month), 2, out + 6)
      out[8] = 0x2d
      Self.padded(UInt64(dayOfMonth), 2, out + 9)
      out[11] = 0x54
      Self.padded(second / 3600, 2, out + 12)
      out[14] = 0x3a
      Self.padded(second / 60 % 60, 2, out + 15)
      out[17] = 0x3a
      Self.padded(second % 60, 2, out + 18)
      out[20] = 0x2e
      Self.padded(micros % 1_000_000, 6, out + 21)
      out[27] = 0x5a
      out[28] = 0x22
      return 29
    }
  }

  package mutating func value(_ address: IPAddress) {
    guard address.isV4 else { return value(address.description) }
    separate()
    let octets = address.v4
    write(18) { out in
      out[0] = 0x22
      var at = 1
      for shift: UInt32 in [24, 16, 8, 0] {
        at &+= Self.digits(UInt64(octets >> shift & 255), out + at)
        out[at] = shift > 0 ? 0x2e : 0x22
        at &+= 1
      }
      return at
    }
  }

  private mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { octets in
      write(octets.count) { out in
        if let start = octets.baseAddress { out.update(from: start, count: octets.count) }
        return octets.count
      }
    }
  }

  // MARK: Digits

  /// Digits of the largest number.
  private static let digitsMost = 20

  /// Writes a number and says how many octets it took.
  @inline(__always)
  private static func digits(_ number: UInt64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    if number < 10 {
      out[0] = 0x30 &+ UInt8(truncatingIfNeeded: number)
      return 1
    }
    var length = 2
    var bound: UInt64 = 100
    while length < digitsMost, number >= bound {
      length &+= 1
      bound = bound &* 10
    }
    padded(number, length, out)
    return length
  }

  /// Writes the last `width` digits of a number.
  @inline(__always)
  private static func padded(_ number: UInt64, _ width: Int, _ out: UnsafeMutablePointer<UInt8>) {
    var rest = number
    var at = width
    while at > 0 {
      at &-= 1
      out[at] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  private static func fraction(_ millionths: UInt64, _ out: UnsafeMutablePointer<UInt8>) -> Int {
    guard millionths > 0 else { return 0 }
    out[0] = 0x2e
    padded(millionths, 6, out + 1)
    var length = 7
    while out[length &- 1] == 0x30 { length &-= 1 }
    return length
  }
}

extension JSONWriter {
  /// Escapes what RFC 8259 section 7 demands, and also what could steer a terminal or break a line in JavaScript:
  /// DEL, C1 controls, U+2028, U+2029, bidirectional and other format characters.
  private mutating func quote(_ text: String) {
    var text = text
    let isPlain = text.withUTF8 { octets in
      guard Self.isPlain(octets) else { return false }
      write(octets.count &+ 2) { out in
        out[0] = 0x22
        if let start = octets.baseAddress { (out + 1).update(from: start, count: octets.count) }
        out[octets.count &+ 1] = 0x22
        return octets.count &+ 2
      }
      return true
    }
    if isPlain { return }
    put(0x22)
    for scalar in text.unicodeScalars { quote(scalar) }
    put(0x22)
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
    case 0x20..<0x7f: put(UInt8(truncatingIfNeeded: scalar.value))
    default:
      if VisibleText.isHidden(scalar) {
        for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { unicodeEscape(unit) }
      } else {
        for octet in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { put(octet) }
      }
    }
  }

  private mutating func unicodeEscape(_ unit: UInt16) {
    append("\\u")
    for shift: UInt16 in [12, 8, 4, 0] {
      let n = UInt8(unit >> shift & 15)
      put(n < 10 ? 0x30 + n : 0x57 + n)
    }
  }
}
