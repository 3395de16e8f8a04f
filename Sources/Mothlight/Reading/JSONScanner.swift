/// Walks over the members of one JSON object (RFC 8259) without building anything.
///
/// It does not prove a text valid; it finds members and stops at the first damage. The text must lie in a `ByteWindow`
/// (whole words are loaded). Every loop is bounded by the text.
struct JSONScanner {
  enum Kind: UInt8 {
    case absent
    case string
    /// A string with at least one backslash.
    case escapedString
    case number
    case yes
    case no
    case null
    case object
    case array
  }

  /// A value's kind and bytes: without quotes for strings, with brackets for objects and arrays.
  struct Value {
    var kind: Kind
    var start: Int
    var end: Int
    static let absent = Value(kind: .absent, start: 0, end: 0)
  }

  enum Step { case member, end, damaged }

  let base: UnsafeRawPointer
  let end: Int
  private(set) var position: Int
  private var isFirst = true

  /// `nil` for no bytes at all.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let base = text.baseAddress else { return nil }
    self.init(base: base, start: 0, end: text.count)
  }

  /// Scans `start..<end` of `base`, e.g. a nested object.
  init(base: UnsafeRawPointer, start: Int, end: Int) {
    self.base = base
    self.end = end
    position = start
  }

  @inline(__always)
  private func byte(_ at: Int) -> UInt8 { base.load(fromByteOffset: at, as: UInt8.self) }

  @inline(__always)
  private mutating func skipSpace() {
    while position < end {
      let b = byte(position)
      if b != 0x20 && b != 0x09 && b != 0x0a && b != 0x0d { return }
      position &+= 1
    }
  }

  /// Steps into an object or array.
  @inline(__always)
  mutating func enter(_ opening: UInt8) -> Bool {
    skipSpace()
    guard position < end, byte(position) == opening else { return false }
    position &+= 1
    isFirst = true
    return true
  }

  /// The next member of the object that was entered.
  @inline(__always)
  mutating func nextMember(_ keyStart: inout Int, _ keyEnd: inout Int, _ value: inout Value) -> Step {
    skipSpace()
    guard position < end else { return .damaged }
    var b = byte(position)
    if b == 0x7d {
      position &+= 1
      return .end
    }
    if !isFirst {
      guard b == 0x2c else { return .damaged }
      position &+= 1
      skipSpace()
      guard position < end else { return .damaged }
      b = byte(position)
    }
    isFirst = false
    guard b == 0x22 else { return .damaged }
    position &+= 1
    keyStart = position
    guard endOfString() != nil else { return .damaged }
    keyEnd = position
    position &+= 1
    skipSpace()
    guard position < end, byte(position) == 0x3a else { return .damaged }
    position &+= 1
    skipSpace()
    return scanValue(&value) ? .member : .damaged
  }

  /// A key by its length, its first and its last eight octets, or the only ones with zeros behind: all of one of at most 16 octets.
  struct Key: Equatable {
    static let octetsMost = 16
    var low: UInt64
    var high: UInt64
    var length: Int

    @inline(__always)
    init(_ text: UnsafeRawPointer, _ length: Int) {
      self.length = length
      low = text.loadUnaligned(as: UInt64.self)
      high = 0
      if length >= 8 {
        high = text.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
      } else {
        low &= (1 << UInt64(truncatingIfNeeded: length &* 8)) &- 1
      }
    }
  }

  /// The next member if it has the key that is expected and is written without spaces before its colon; `nil` if not, and then nothing
  /// was taken. Rows of a log have the same members in the same order, so that a comparison does for most keys.
  @inline(__always)
  mutating func nextMember(expecting key: Key, _ value: inout Value) -> Step? {
    let quote = isFirst ? position : position &+ 1
    let last = quote &+ 1 &+ key.length
    guard last &+ 1 < end, isFirst || byte(position) == 0x2c, byte(quote) == 0x22, byte(last) == 0x22,
      byte(last &+ 1) == 0x3a, Key(base + quote + 1, key.length) == key
    else { return nil }
    isFirst = false
    position = last &+ 2
    skipSpace()
    return scanValue(&value) ? .member : .damaged
  }

  /// The next element of the array that was entered.
  mutating func nextElement(_ value: inout Value) -> Step {
    skipSpace()
    guard position < end else { return .damaged }
    if byte(position) == 0x5d {
      position &+= 1
      return .end
    }
    if !isFirst {
      guard byte(position) == 0x2c else { return .damaged }
      position &+= 1
      skipSpace()
    }
    isFirst = false
    return scanValue(&value) ? .member : .damaged
  }

  /// Moves to the closing quote; whether there was a backslash on the way, `nil` when the text ends before.
  @inline(__always)
  private mutating func endOfString() -> Bool? {
    let low7: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    var escaped = false
    while position < end {
      let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let quote = word ^ 0x2222_2222_2222_2222
      let slash = word ^ 0x5c5c_5c5c_5c5c_5c5c
      let hits = ~(((quote & low7) &+ low7) | quote | low7) | ~(((slash & low7) &+ low7) | slash | low7)
      if hits == 0 {
        position &+= 8
        continue
      }
      position &+= hits.trailingZeroBitCount >> 3
      guard position < end else { return nil }
      if byte(position) == 0x22 { return escaped }
      escaped = true
      position &+= 2
    }
    return nil
  }

  @inline(__always)
  private mutating func scanValue(_ value: inout Value) -> Bool {
    guard position < end else { return false }
    let b = byte(position)
    value.start = position
    if b == 0x22 {
      position &+= 1
      value.start = position
      guard let escaped = endOfString() else { return false }
      value.kind = escaped ? .escapedString : .string
      value.end = position
      position &+= 1
      return true
    }
    if b == 0x7b || b == 0x5b {
      value.kind = b == 0x7b ? .object : .array
      guard skipContainer() else { return false }
      value.end = position
      return true
    }
    while position < end {
      let c = byte(position)
      if c == 0x2c || c == 0x7d || c == 0x5d || c <= 0x20 { break }
      position &+= 1
    }
    value.end = position
    switch b {
    case 0x74: value.kind = .yes
    case 0x66: value.kind = .no
    case 0x6e: value.kind = .null
    case 0x2d, 0x30...0x39: value.kind = .number
    default: return false
    }
    return position < end
  }

  /// Moves behind the bracket that closes the one at `position`.
  private mutating func skipContainer() -> Bool {
    var depth = 0
    while position < end {
      switch byte(position) {
      case 0x7b, 0x5b: depth &+= 1
      case 0x7d, 0x5d:
        depth &-= 1
        if depth == 0 {
          position &+= 1
          return true
        }
      case 0x22:
        position &+= 1
        guard endOfString() != nil else { return false }
      default: break
      }
      position &+= 1
    }
    return false
  }
}
