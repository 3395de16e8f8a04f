/// A part of a pattern before its repeats are written out.
indirect enum PatternPart {
  case set(LinearPattern.Bits)
  case sequence([PatternPart])
  case choice([PatternPart])
  case repeated(PatternPart, Int, Int?)
}

/// Reads the text of a `LinearPattern`: literals, `.`, `[…]`, `\d`, `\w`, `\xHH`, `( )`, `(?: )`, `|`, `* + ? {n} {n,m} {n,}`,
/// `^` first and `$` last.
struct PatternParser {
  private var text: ArraySlice<UInt8>
  private(set) var beginsAtStart = false
  private(set) var stopsAtEnd = false

  /// Largest number in a repeat.
  private static let repeats = 255

  init(_ text: [UInt8]) { self.text = text[...] }

  private typealias Refusal = LinearPattern.Refusal

  mutating func parse() throws(LinearPattern.Refusal) -> PatternPart {
    if text.first == 0x5e {
      beginsAtStart = true
      text.removeFirst()
    }
    if text.last == 0x24, text.dropLast().reversed().prefix(while: { $0 == 0x5c }).count % 2 == 0 {
      stopsAtEnd = true
      text.removeLast()
    }
    guard !text.isEmpty else { throw Refusal(message: "an empty pattern") }
    let whole = try choice(depth: 0)
    guard text.isEmpty else { throw Refusal(message: "')' without '('") }
    if case .choice = whole, beginsAtStart || stopsAtEnd {
      throw Refusal(message: "'|' beside '^' or '$': put the choice in ( )")
    }
    return whole
  }

  private mutating func choice(depth: Int) throws(LinearPattern.Refusal) -> PatternPart {
    guard depth < LinearPattern.Bound.depth else { throw Refusal(message: "groups nested too deep") }
    var parts = [try sequence(depth: depth)]
    while text.first == 0x7c {
      text.removeFirst()
      parts.append(try sequence(depth: depth))
    }
    return parts.count == 1 ? parts[0] : .choice(parts)
  }

  private mutating func sequence(depth: Int) throws(LinearPattern.Refusal) -> PatternPart {
    var parts: [PatternPart] = []
    while let octet = text.first, octet != 0x7c, octet != 0x29 {
      text.removeFirst()
      let part = try one(octet, depth: depth)
      parts.append(try repeated(part))
    }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  private mutating func one(_ octet: UInt8, depth: Int) throws(LinearPattern.Refusal) -> PatternPart {
    switch octet {
    case 0x28:
      if text.first == 0x3f {
        guard text.starts(with: [0x3f, 0x3a]) else {
          throw Refusal(message: "'(?' other than '(?:' cannot be decided in one pass")
        }
        text.removeFirst(2)
      }
      let inner = try choice(depth: depth &+ 1)
      guard text.first == 0x29 else { throw Refusal(message: "'(' without ')'") }
      text.removeFirst()
      return inner
    case 0x5b: return .set(try octetClass())
    case 0x5c: return .set(try escape())
    case 0x2e: return .set(LinearPattern.Bits(repeating: .max))
    case 0x5e, 0x24: throw Refusal(message: "'^' stands only first and '$' only last")
    case 0x2a, 0x2b, 0x3f, 0x7b: throw Refusal(message: "a repeat of nothing")
    default: return .set(Self.only(octet))
    }
  }

  private mutating func repeated(_ part: PatternPart) throws(LinearPattern.Refusal) -> PatternPart {
    let result: PatternPart
    switch text.first {
    case 0x2a: result = .repeated(part, 0, nil)
    case 0x2b: result = .repeated(part, 1, nil)
    case 0x3f: result = .repeated(part, 0, 1)
    case 0x7b:
      text.removeFirst()
      let least = try number()
      var most: Int? = least
      if text.first == 0x2c {
        text.removeFirst()
        most = text.first == 0x7d ? nil : try number()
      }
      guard text.first == 0x7d, most.map({ $0 >= least && $0 > 0 }) ?? true else {
        throw Refusal(message: "a repeat is {n}, {n,m} or {n,}")
      }
      result = .repeated(part, least, most)
    default: return part
    }
    text.removeFirst()
    if let next = text.first, next == 0x2a || next == 0x2b || next == 0x3f || next == 0x7b {
      throw Refusal(message: "a repeat after a repeat; put the first in ( )")
    }
    return result
  }

  private mutating func number() throws(LinearPattern.Refusal) -> Int {
    var value = 0
    var digits = 0
    while let octet = text.first, octet &- 0x30 < 10 {
      text.removeFirst()
      value = value &* 10 &+ Int(octet &- 0x30)
      digits &+= 1
      guard value <= Self.repeats else { throw Refusal(message: "a repeat of more than \(Self.repeats)") }
    }
    guard digits > 0 else { throw Refusal(message: "a repeat without a number") }
    return value
  }

  private static func only(_ octet: UInt8) -> LinearPattern.Bits { range(octet, octet) }

  private static func range(_ from: UInt8, _ to: UInt8) -> LinearPattern.Bits {
    var bits = LinearPattern.Bits.zero
    for octet in from...to { LinearPattern.insert(Int(octet), &bits) }
    return bits
  }

  private static let digits = range(0x30, 0x39)
  private static let word = digits | range(0x41, 0x5a) | range(0x61, 0x7a) | only(0x5f)

  /// After a backslash: a class, an octet, or punctuation as itself.
  private mutating func escape() throws(LinearPattern.Refusal) -> LinearPattern.Bits {
    guard let octet = text.popFirst() else { throw Refusal(message: "a pattern that ends in '\\'") }
    switch octet {
    case 0x64: return Self.digits
    case 0x77: return Self.word
    case 0x6e: return Self.only(0x0a)
    case 0x72: return Self.only(0x0d)
    case 0x74: return Self.only(0x09)
    case 0x78:
      guard let high = text.popFirst().flatMap(hexDigit), let low = text.popFirst().flatMap(hexDigit) else {
        throw Refusal(message: "'\\x' needs two hexadecimal digits")
      }
      return Self.only(high << 4 | low)
    default:
      guard octet > 0x20, octet < 0x7f, !LinearPattern.has(Self.word, Int(octet)) else {
        throw Refusal(message: "an escape that is not one of \\d \\w \\n \\r \\t \\xHH or punctuation")
      }
      return Self.only(octet)
    }
  }

  private mutating func octetClass() throws(LinearPattern.Refusal) -> LinearPattern.Bits {
    var bits = LinearPattern.Bits.zero
    let isInverted = text.first == 0x5e
    if isInverted { text.removeFirst() }
    var isEmpty = true
    while let octet = text.popFirst() {
      if octet == 0x5d {
        guard !isEmpty else { throw Refusal(message: "an empty [ ]") }
        return isInverted ? ~bits : bits
      }
      isEmpty = false
      let (set, low) = try classItem(octet)
      // A last '-' means itself.
      guard let low, text.first == 0x2d, let next = text.dropFirst().first, next != 0x5d else {
        bits |= set
        continue
      }
      text.removeFirst(2)
      guard let high = try classItem(next).single, high >= low else {
        throw Refusal(message: "a range in [ ] that runs backwards or to no single character")
      }
      bits |= Self.range(low, high)
    }
    throw Refusal(message: "'[' without ']'")
  }

  /// What one character or escape inside [ ] stands for; `single` when that is one octet.
  private mutating func classItem(_ octet: UInt8) throws(LinearPattern.Refusal) -> (
    set: LinearPattern.Bits, single: UInt8?
  ) {
    if octet == 0x5b { throw Refusal(message: "'[' inside [ ]; write \\[") }
    guard octet == 0x5c else { return (Self.only(octet), octet) }
    let set = try escape()
    let octets = (UInt8.min...UInt8.max).filter { LinearPattern.has(set, Int($0)) }
    return (set, octets.count == 1 ? octets[0] : nil)
  }
}
